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

std::vector<std::vector<CsvCell>> position_rows(const Measured& measured,
                                                const ByPosition& by_position) {
  const Baselines baselines = measured.set.baselines(measured.set.examples);
  std::vector<std::vector<CsvCell>> rows;
  for (std::size_t entry = 0; entry < by_position.labels.size(); ++entry) {
    const Labels& labels = by_position.labels[entry];
    EvaluationSet positions;
    positions.split = measured.set.split + "_positions";
    positions.window = {by_position.low(entry),
                        std::min(by_position.high(entry), measured.set.length_max)};
    positions.length_min = measured.set.length_min;
    positions.length_max = measured.set.length_max;
    positions.hash = measured.set.hash;
    rows.push_back(eval_cells({Measured{.config = measured.config,
                                        .set = positions,
                                        .score = {.loss = labels.loss,
                                                  .tokens = labels.scored,
                                                  .tokens_correct = labels.right},
                                        .parameters = measured.parameters,
                                        .state_size = measured.state_size,
                                        .step = measured.step,
                                        .select = measured.select},
                               baselines}));
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
