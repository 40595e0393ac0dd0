#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <span>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "io/progress.hpp"
#include "train/checkpoint.hpp"
#include "train/data_identity.hpp"
#include "train/data_stream.hpp"
#include "train/evaluator.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Trainer {
 public:
  Trainer(const RunConfig& config, const Task& task, const RunFolder& folder,
          const TrainOptions& options)
      : config_(config),
        folder_(folder),
        options_(options),
        task_(task),
        model_(model_config(config, task.info())),
        facts_(to_facts(config)),
        optimizer_(optimizer_config(config), model_.parameters().flat_size()),
        validation_(validation_sets()),
        data_(config, task, validation_.front().examples),
        total_steps_(config.steps > 0 ? config.steps : config.epochs * data_.steps_per_epoch()),
        eval_every_(config.eval_every > 0         ? config.eval_every
                    : data_.steps_per_epoch() > 0 ? data_.steps_per_epoch()
                                                  : 300),
        batch_({0, 0}) {
    facts_.merge(to_facts(identity_of(task)));
    schedule_ = {.kind = config.schedule,
                 .learning_rate = config.learning_rate,
                 .warmup = config.warmup,
                 .steps = total_steps_};
    model_.parameters().initialize(config.seed);
    reserve({config.batch, 32});
    // Cells with a growing state start every segment anew.
    if (config.segment > 0 && cell_info(config.cell).constant_memory) {
      const Index numbers = product(config.batch, model_.state_size(config.segment));
      require_memory(bytes_of(sizeof(T), numbers), "the carried state of a batch",
                     "--batch, --d-model or --layers");
      carried_.resize(static_cast<std::size_t>(numbers));
      model_.initial_state(carried());
    }
    if (options.resume) {
      load_checkpoint(folder.last(), model_.parameters(), &optimizer_, state_, carried());
    }
    const Index resumed = state_.step;
    train_csv_.emplace(CsvFile::open(folder.train_csv(), train_columns(),
                                     [resumed](Index step) { return step <= resumed; }));
  }

  Exit run() {
    Progress progress(total_steps_, report(),
                      options_.quiet ? Progress::Volume::quiet : Progress::Volume::normal);
    const double resumed_seconds = state_.wall_seconds;
    const double began = uptime();
    Exit exit = Exit::done;
    while (state_.step < total_steps_ && !finished()) {
      step();
      state_.wall_seconds = resumed_seconds + uptime() - began;
      progress.update(report());
      const bool last = state_.step == total_steps_;
      if (state_.step % config_.log_every == 0 || last) log();
      if (state_.step % eval_every_ == 0 || last) {
        validate(progress);
        save(folder_.last());
      }
      exit = requested_stop();
      if (options_.time_limit > 0 && uptime() >= options_.time_limit) exit = Exit::stopped;
      if (exit != Exit::done && state_.step < total_steps_ && !finished()) {
        save(folder_.last());
        progress.finish();
        return exit;
      }
    }
    progress.finish();
    return final_evaluation();
  }

 private:
  static const std::vector<std::string>& train_columns() {
    static const std::vector<std::string> columns = {
        "task",   "cell",          "seed", "step",           "sequences",         "tokens",
        "wall_s", "learning_rate", "loss", "token_accuracy", "sequence_accuracy", "gradient_norm"};
    return columns;
  }

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

  /// The state that goes from one segment of the documents to the next; null without documents.
  Matrix<T> carried() {
    if (carried_.empty()) return {nullptr, 0, 0};
    return {carried_.data(), config_.batch, std::ssize(carried_) / config_.batch};
  }

  void reserve(Extent extent) {
    if (extent.batch <= capacity_.batch && extent.steps <= capacity_.steps) return;
    capacity_ = {std::max(config_.batch, extent.batch),
                 std::max(capacity_.steps, round_up(extent.steps, 32))};
    model_.carve(capacity_, config_.segment > 0 ? "--batch, --segment, --d-model or --layers"
                                                : "--batch, --window, --d-model or --layers");
    batch_ = Batch(capacity_);
  }

  void step() {
    ++state_.step;
    const Extent extent = data_.choose(state_.step);
    reserve(extent);
    data_.fill(batch_);
    const Dropout dropout{
        config_.dropout,
        Rng(config_.seed).stream("dropout").stream(static_cast<std::uint64_t>(state_.step))};
    const Score score = model_.train(batch_, dropout, carried());
    state_.gradient_norm = clip_gradients(model_.parameters(), config_.clip);
    const double loss = score.loss / static_cast<double>(std::max<Index>(1, score.tokens));
    if (!std::isfinite(loss) || !std::isfinite(state_.gradient_norm)) diverged(extent.steps, loss);
    state_.last_loss = loss;
    optimizer_.update(model_.parameters(), state_.step, schedule_.at(state_.step));
    state_.interval += score;
    state_.tokens += score.tokens;
    state_.sequences += score.sequences;
  }

  [[noreturn]] void diverged(Index length, double loss) {
    std::string where = "the loss";
    for (const Parameter<T>& parameter : model_.parameters().all()) {
      const std::span<const T> gradient(parameter.gradient,
                                        static_cast<std::size_t>(parameter.count()));
      if (std::ranges::all_of(gradient, [](T g) { return std::isfinite(g); })) continue;
      where = "the gradient of " + parameter.name;
      break;
    }
    fail(Exit::diverged,
         "diverged at step {} (sequences of {} tokens): loss {}, not finite first in {}; "
         "last finite loss {}. Try a smaller --lr or --clip 1",
         state_.step, length, loss, where, state_.last_loss);
  }

  void log() {
    const Score& score = state_.interval;
    const double tokens = static_cast<double>(std::max<Index>(1, score.tokens));
    train_csv_->append({config_.task, config_.cell, config_.seed, state_.step, state_.sequences,
                        state_.tokens, state_.wall_seconds, schedule_.at(state_.step),
                        score.loss / tokens, static_cast<double>(score.tokens_correct) / tokens,
                        static_cast<double>(score.sequences_correct) /
                            static_cast<double>(std::max<Index>(1, score.sequences)),
                        state_.gradient_norm});
    state_.interval = {};
  }

  void validate(Progress& progress) {
    double accuracy = 0;
    double loss = 0;
    std::string line = fmt::format("step {}", state_.step);
    for (const EvaluationSet& set : validation_) {
      const Score score = evaluate(model_, capacity_, set);
      const double right =
          static_cast<double>(score.sequences_correct) / static_cast<double>(score.sequences);
      const double nats = score.loss / static_cast<double>(std::max<Index>(1, score.tokens));
      // Documents are never right as a whole: their loss decides.
      if (!set.documents) accuracy += right / static_cast<double>(validation_.size());
      loss += nats;
      line += set.documents
                  ? fmt::format("  {} {:.4f} bits a token", set.split, nats / std::numbers::ln2)
                  : fmt::format("  {} {:.2f} %", set.split, 100 * right);
    }
    state_.solved_in_a_row = accuracy == 1 ? state_.solved_in_a_row + 1 : 0;
    const bool gain = accuracy > state_.best_metric ||
                      (accuracy == state_.best_metric && loss < state_.best_loss);
    ++state_.evaluations_without_gain;
    if (gain) {
      state_.best_metric = accuracy;
      state_.best_loss = loss;
      state_.best_step = state_.step;
      state_.evaluations_without_gain = 0;
      save(folder_.best());
    }
    progress.message(fmt::format("{}  loss {:.2e}  {:.1f} s{}", line, loss, state_.wall_seconds,
                                 gain ? "  best" : ""));
  }

  // The paper stops as soon as all its bins are solved. Without a look at longer strings, the honest
  // protocol waits until bin 0 is solved three times in a row. Both stop without gain.
  bool finished() const {
    if (state_.solved_in_a_row >= (config_.protocol == "paper" ? 1 : 3)) return true;
    return config_.patience > 0 && state_.evaluations_without_gain >= config_.patience;
  }

  void save(const std::filesystem::path& path) {
    train_csv_->flush();
    save_checkpoint(path, model_.parameters(), &optimizer_, state_, facts_, carried());
  }

  ProgressReport report() const {
    ProgressReport now;
    now.step = state_.step;
    now.tokens = state_.tokens;
    now.loss = state_.last_loss;
    return now;
  }

  Exit final_evaluation() {
    TrainingState best;
    load_checkpoint<T>(folder_.best(), model_.parameters(), nullptr, best);
    std::vector<EvaluationSet> sets = validation_;
    if (task_.fixed_set("train") != nullptr) {
      if (task_.fixed_set("test") != nullptr) sets.push_back(fixed_set(config_, task_, "test"));
    } else {
      for (Index bin = std::ssize(sets); bin <= 2; ++bin) {
        sets.push_back(bin_set(config_, task_, bin, config_.eval_sequences, config_.eval_seed));
      }
    }
    CsvFile csv = CsvFile::open(folder_.eval_csv(), eval_columns(), [](Index) { return false; });
    for (const EvaluationSet& set : sets) {
      const Score score = evaluate(model_, capacity_, set);
      csv.append(eval_row(config_, set, score, model_.parameters().count(),
                          model_.state_size(set.longest()), best.step, "best"));
    }
    csv.flush();
    return best.best_metric < options_.require ? Exit::no : Exit::done;
  }

  RunConfig config_;
  const RunFolder& folder_;
  TrainOptions options_;
  const Task& task_;
  SequenceModel<T> model_;
  Facts facts_;  // what checkpoints say of the run
  Optimizer<T> optimizer_;
  std::vector<EvaluationSet> validation_;
  DataStream data_;
  Index total_steps_;
  Index eval_every_;
  Schedule schedule_;
  TrainingState state_;
  Extent capacity_;
  Batch batch_;
  std::vector<T> carried_;
  std::optional<CsvFile> train_csv_;
};

}  // namespace

Exit train(const RunConfig& config, const Task& task, const RunFolder& folder,
           const TrainOptions& options) {
  catch_stop_signals();
  const std::string start = utc_time();
  folder.write_meta(config, options.command_line, start, "", "");
  try {
    const Exit exit = config.precision == "double"
                          ? Trainer<double>(config, task, folder, options).run()
                          : Trainer<float>(config, task, folder, options).run();
    const std::string code = std::to_string(static_cast<int>(exit));
    folder.write_meta(config, options.command_line, start, utc_time(), code);
    if (exit == Exit::done || exit == Exit::no) folder.finish();
    return exit;
  } catch (const std::exception& error) {
    const std::string code = std::to_string(static_cast<int>(exit_of(error)));
    folder.write_meta(config, options.command_line, start, utc_time(), code);
    throw;
  }
}

}  // namespace rlt
