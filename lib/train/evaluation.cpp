#include "train/evaluation.hpp"

#include <fmt/format.h>

#include <cmath>

#include "train/eval_csv.hpp"
#include "train/forecast_csv.hpp"

namespace rlt {

std::vector<std::string> evaluation_header(const TaskInfo& info) {
  return info.likelihood == Likelihood::classes ? eval_header() : forecast_header();
}

std::vector<std::vector<CsvCell>> evaluation_rows(const Task& task, const Measured& measured) {
  if (task.info().likelihood == Likelihood::classes) {
    return {eval_cells({measured, measured.set.baselines(measured.set.examples)})};
  }
  std::vector<std::vector<CsvCell>> rows = {forecast_cells({measured, "model", measured.score})};
  for (const Reference& reference : task.references(measured.set.examples)) {
    rows.push_back(forecast_cells({measured, reference.name, reference.score}));
  }
  return rows;
}

std::string score_text(const TaskInfo& info, const Score& score) {
  const auto numbers = static_cast<double>(score.numbers);
  switch (info.likelihood) {
    case Likelihood::classes:
      return fmt::format("{} of {} sequences, {} of {} tokens", score.sequences_correct,
                         score.sequences, score.tokens_correct, score.tokens);
    case Likelihood::forecast:
      return fmt::format("MSE {:.4f}, MAE {:.4f}", score.squared_error / numbers,
                         score.absolute_error / numbers);
    case Likelihood::events:
      return fmt::format("{:.4f} nats per event, RMSE {:.4f}, {} of {} marks",
                         score.loss_per_token(), std::sqrt(score.squared_error / numbers),
                         score.tokens_correct, score.tokens);
  }
  return {};
}

}  // namespace rlt
