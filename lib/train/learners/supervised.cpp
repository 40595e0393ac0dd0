#include "train/learners/supervised.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "model/training_step.hpp"
#include "train/data_stream.hpp"
#include "train/evaluation.hpp"
#include "train/learners/make_update.hpp"
#include "train/likelihood.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Supervised final : public Learner<T> {
 public:
  Supervised(const RunConfig& config, const Task& task)
      : config_(config),
        task_(task),
        model_(model_config(config, task.info())),
        step_(model_, make_loss<T>(task.info())),
        optimizer_(optimizer_config(config), model_.parameters().flat_size()),
        validation_(validation_sets()),
        data_(config, task, validation_.front().examples),
        total_steps_(config.steps > 0 ? config.steps : config.epochs * data_.steps_per_epoch()),
        batch_({0, 0}) {
    schedule_ = {.kind = config.schedule,
                 .learning_rate = config.learning_rate,
                 .warmup = config.warmup,
                 .steps = total_steps_};
    model_.parameters().initialize(config.seed);
    if (data_.steps_per_epoch() == 0) prepare(1);  // fresh strings may turn out impossible
    reserve({config.batch, 32});
    // Cells whose state grows with the sequence start every segment anew.
    if (config.segment > 0 && cell_info(config.cell).constant_memory) {
      carried_ = model_.fresh_state(config.batch, config.segment);
    }
  }

  SequenceModel<T>& model() override { return model_; }
  Optimizer<T>& optimizer() override { return optimizer_; }
  std::vector<Carried<T>> carried() override {
    if (!carried_) return {};
    return {{"state", carried_.to_rows()}};
  }
  void resume() override { carried_.from_rows(); }

  Index total_steps() const override { return total_steps_; }
  Index steps_between_validations() const override {
    if (config_.eval_every > 0) return config_.eval_every;
    constexpr Index for_fresh_samples = 300;
    return data_.steps_per_epoch() > 0 ? data_.steps_per_epoch() : for_fresh_samples;
  }
  double learning_rate(Index step) const override { return schedule_.at(step); }

  void prepare(Index step) override { extent_ = data_.choose(step); }

  void update(TrainingState& state) override {
    reserve(extent_);
    data_.fill(batch_);
    const Dropout dropout{
        config_.dropout,
        Rng(config_.seed).stream("dropout").stream(static_cast<std::uint64_t>(state.step))};
    const Score score = step_.run(batch_, dropout, &carried_);
    make_update(model_, optimizer_, config_, score, extent_, state.step, schedule_.at(state.step),
                updates_ == 0, state);
    ++updates_;
    state.tokens += score.tokens;
    state.sequences += score.sequences;
  }

  Validation validate(TrainingState& /*state*/) override {
    Validation result;
    for (const EvaluationSet& set : validation_) {
      const Score score = measured(set);
      const double right =
          static_cast<double>(score.sequences_correct) / static_cast<double>(score.sequences);
      result.loss += score.loss_per_token();
      // No document, and no real number, is ever right as a whole: the loss decides.
      if (task_.info().likelihood != Likelihood::classes) {
        result.line += fmt::format("  {} {}", set.split, score_text(task_.info(), score));
      } else if (set.documents) {
        result.line += fmt::format("  {} {:.4f} bits per token", set.split,
                                   score.loss_per_token() / std::numbers::ln2);
      } else {
        result.metric += right / static_cast<double>(validation_.size());
        result.line += fmt::format("  {} {:.2f} %", set.split, 100 * right);
      }
    }
    return result;
  }

  std::vector<std::string> evaluation_header() const override {
    return rlt::evaluation_header(task_.info());
  }
  std::vector<std::vector<CsvCell>> evaluate_selected(Index step) override {
    std::vector<EvaluationSet> sets = validation_;
    if (task_.fixed_set("train") != nullptr) {
      if (task_.fixed_set("test") != nullptr) sets.push_back(fixed_set(config_, task_, "test"));
    } else {
      for (Index bin = std::ssize(sets); bin <= 2; ++bin) {
        sets.push_back(bin_set(config_, task_, bin, config_.eval_sequences, config_.eval_seed));
      }
    }
    std::vector<std::vector<CsvCell>> rows;
    for (const EvaluationSet& set : sets) {
      const Score score = measured(set);
      const Measured row{.config = config_,
                         .set = set,
                         .score = score,
                         .parameters = model_.parameters().count(),
                         .state_size = model_.state_size(set.longest()),
                         .step = step,
                         .select = "best"};
      for (auto& cells : evaluation_rows(task_, row)) rows.push_back(std::move(cells));
    }
    return rows;
  }

 private:
  // Bin 0 alone, or bins 0 and 1 under the paper's protocol; the valid set of the user's own data.
  std::vector<EvaluationSet> validation_sets() const {
    std::vector<EvaluationSet> sets;
    if (task_.fixed_set("valid") != nullptr) {
      sets.push_back(fixed_set(config_, task_, "valid"));
      return sets;
    }
    sets.push_back(bin_set(config_, task_, 0, config_.eval_sequences, config_.eval_seed));
    if (config_.protocol == "paper") {
      sets.push_back(bin_set(config_, task_, 1, config_.eval_sequences, config_.eval_seed));
    }
    return sets;
  }

  Score measured(const EvaluationSet& set) {
    if (set.asks_last) reserve({1, set.longest()});
    return evaluate(model_, step_.loss(), capacity_, set);
  }

  void reserve(Extent extent) {
    if (extent.batch <= capacity_.batch && extent.steps <= capacity_.steps) return;
    capacity_ = {std::max(config_.batch, extent.batch),
                 std::max(capacity_.steps, round_up(extent.steps, 32))};
    model_.carve(capacity_, config_.segment > 0 ? "--batch, --segment, --d-model or --layers"
                                                : "--batch, --window, --d-model or --layers");
    const TaskInfo& info = task_.info();
    batch_ = Batch(capacity_, info.features, info.real_targets, info.asks_last);
  }

  RunConfig config_;
  const Task& task_;
  SequenceModel<T> model_;
  TrainingStep<T> step_;
  Optimizer<T> optimizer_;
  std::vector<EvaluationSet> validation_;
  DataStream data_;
  Index total_steps_;
  Schedule schedule_;
  Extent extent_;      // of the prepared batch
  Index updates_ = 0;  // made by this process
  Extent capacity_;
  Batch batch_;
  State<T> carried_;  // from one segment of the documents to the next; empty without documents
};

}  // namespace

template <std::floating_point T>
std::unique_ptr<Learner<T>> make_supervised(const RunConfig& config, const Task& task) {
  return std::make_unique<Supervised<T>>(config, task);
}

template std::unique_ptr<Learner<float>> make_supervised<float>(const RunConfig&, const Task&);
template std::unique_ptr<Learner<double>> make_supervised<double>(const RunConfig&, const Task&);

}  // namespace rlt
