#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <optional>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "io/file.hpp"
#include "io/progress.hpp"
#include "io/standard_streams.hpp"
#include "train/checkpoint.hpp"
#include "train/data_stream.hpp"
#include "train/divergence.hpp"
#include "train/evaluator.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Trainer {
 public:
  /// Draws every set and takes the memory; writes nothing.
  Trainer(const RunConfig& config, const RunFolder& folder, const TrainOptions& options)
      : config_(config),
        folder_(folder),
        options_(options),
        task_(make_task(config)),
        model_(model_config(config, task_->info())),
        optimizer_(optimizer_config(config), model_.parameters().flat_size()),
        validation_(validation_sets()),
        data_(config, *task_, validation_.front().examples),
        total_steps_(config.steps > 0 ? config.steps : config.epochs * data_.steps_per_epoch()),
        eval_every_(config.eval_every > 0         ? config.eval_every
                    : data_.steps_per_epoch() > 0 ? data_.steps_per_epoch()
                                                  : 300),
        batch_({0, 0}) {
    schedule_ = {.kind = config.schedule,
                 .learning_rate = config.learning_rate,
                 .warmup = config.warmup,
                 .steps = total_steps_};
    model_.parameters().initialize(config.seed);
    if (config.train_size == 0) data_.choose(1);  // fresh strings may turn out impossible
    reserve({config.batch, 32});
    // Cells with a growing state start every segment anew.
    if (config.segment > 0 && cell_info(config.cell).constant_memory) {
      const Index numbers = product(config.batch, model_.state_size(config.segment));
      require_memory(bytes_of(sizeof(T), numbers), "the carried state of a batch",
                     "--batch, --d-model or --layers");
      carried_.resize(static_cast<std::size_t>(numbers));
      model_.initial_state(carried());
    }
  }

  Exit run() {
    if (options_.resume) load();
    open_train_csv();
    if (options_.resume) require_best();
    Progress progress(total_steps_, report(),
                      options_.quiet ? Progress::Volume::quiet : Progress::Volume::normal);
    try {
      train_steps(progress);
    } catch (const Stopped&) {
      save(folder_.last());
      progress.finish();
      throw;
    }
    progress.finish();
    return final_evaluation();
  }

 private:
  // Stopped between two steps, or within an evaluation, which is due then.
  void train_steps(Progress& progress) {
    const double resumed_seconds = state_.wall_seconds;
    const double began = uptime();
    while (true) {
      if (state_.validation_due) validate(progress);
      if (state_.step == total_steps_ || finished()) return;
      check_stop();
      step();
      state_.wall_seconds = resumed_seconds + uptime() - began;
      progress.update(report());
      const bool last = state_.step == total_steps_;
      if (state_.step % config_.log_every == 0 || last) log();
      state_.validation_due = state_.step % eval_every_ == 0 || last;
    }
  }

  void load() {
    folder_.require_own(folder_.last());
    load_checkpoint(folder_.last(), model_.parameters(), &optimizer_, state_, carried());
    if (state_.step <= total_steps_) return;
    fail(Exit::failed, "'{}': stands at step {}, but the run has only {}", folder_.last().string(),
         state_.step, total_steps_);
  }

  // Cuts what came after the checkpoint that the run goes on from; everything before must be there.
  void open_train_csv() {
    const std::filesystem::path path = folder_.train_csv();
    if (options_.resume && !file_exists(path)) {
      fail(Exit::failed, "'{}' is missing, with the rows up to step {}; --force starts over",
           path.string(), state_.step);
    }
    Index rows = 0;
    train_csv_.emplace(CsvFile::open(path, train_columns(), [&](Index step) {
      const bool before = step <= state_.step;
      rows += before ? 1 : 0;
      return before;
    }));
    const bool last_logged = state_.step == total_steps_ && state_.step % config_.log_every != 0;
    const Index expected = state_.step / config_.log_every + (last_logged ? 1 : 0);
    if (rows == expected) return;
    fail(Exit::failed, "'{}' has {} rows up to step {}, expected {}; --force starts over",
         path.string(), rows, state_.step, expected);
  }

  // last.safetensors is written first: a process killed in between left the best weights there alone.
  void require_best() {
    if (state_.best_step == 0) return;
    if (state_.best_step == state_.step) return save(folder_.best());
    folder_.require_own(folder_.best());
    const Index found = checkpoint_state(folder_.best()).step;
    if (found == state_.best_step) return;
    fail(Exit::failed, "'{}' is of step {}, but the best step was {}; --force starts over",
         folder_.best().string(), found, state_.best_step);
  }

  // Bin 0 alone, or bins 0 and 1 under the paper's protocol; the valid set of the user's own data.
  std::vector<EvaluationSet> validation_sets() const {
    std::vector<EvaluationSet> sets;
    if (task_->fixed_set("valid") != nullptr) {
      sets.push_back(fixed_set(config_, *task_, "valid"));
      return sets;
    }
    sets.push_back(bin_set(config_, *task_, 0, config_.eval_sequences, config_.eval_seed));
    if (config_.protocol == "paper") {
      sets.push_back(bin_set(config_, *task_, 1, config_.eval_sequences, config_.eval_seed));
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
    const Extent extent = data_.choose(state_.step + 1);  // may be stopped
    ++state_.step;
    ++updates_;
    reserve(extent);
    data_.fill(batch_);
    const Dropout dropout{
        config_.dropout,
        Rng(config_.seed).stream("dropout").stream(static_cast<std::uint64_t>(state_.step))};
    const Score score = model_.train(batch_, dropout, carried());
    const double norm = clip_gradients(model_.parameters(), config_.clip);
    const double clipped = config_.clip > 0 ? std::min(config_.clip, norm) : norm;
    state_.gradient_norm = norm;
    const double loss = score.loss / static_cast<double>(std::max<Index>(1, score.tokens));
    if (!std::isfinite(loss) || !std::isfinite(norm) ||
        squares_overflow<T>(config_.optimizer, clipped)) {
      report_divergence(model_, extent, loss, state_, updates_ == 1);
    }
    state_.last_loss = loss;
    optimizer_.update(model_.parameters(), state_.step, schedule_.at(state_.step));
    state_.interval += score;
    state_.tokens += score.tokens;
    state_.sequences += score.sequences;
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
    // Worse than any other, and comparable.
    if (!std::isfinite(loss)) loss = std::numeric_limits<double>::infinity();
    state_.validation_due = false;
    state_.solved_in_a_row = accuracy == 1 ? state_.solved_in_a_row + 1 : 0;
    const bool gain = accuracy > state_.best_metric ||
                      (accuracy == state_.best_metric && loss < state_.best_loss);
    ++state_.evaluations_without_gain;
    if (gain) {
      state_.best_metric = accuracy;
      state_.best_loss = loss;
      state_.best_step = state_.step;
      state_.evaluations_without_gain = 0;
    }
    save(folder_.last());
    if (gain) save(folder_.best());
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
    save_checkpoint(path, model_.parameters(), &optimizer_, state_, to_facts(config_), carried());
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
    if (task_->fixed_set("train") != nullptr) {
      if (task_->fixed_set("test") != nullptr) sets.push_back(fixed_set(config_, *task_, "test"));
    } else {
      for (Index bin = std::ssize(sets); bin <= 2; ++bin) {
        sets.push_back(bin_set(config_, *task_, bin, config_.eval_sequences, config_.eval_seed));
      }
    }
    std::vector<std::vector<CsvCell>> rows;  // written together: a stop leaves none of them
    for (const EvaluationSet& set : sets) {
      const Score score = evaluate(model_, capacity_, set);
      rows.push_back(eval_row(config_, set, score, model_.parameters().count(),
                              model_.state_size(set.longest()), best.step, "best"));
    }
    CsvFile csv = CsvFile::open(folder_.eval_csv(), eval_columns(), [](Index) { return false; });
    for (const std::vector<CsvCell>& row : rows) csv.append(row);
    csv.flush();
    if (best.best_metric >= options_.require) return Exit::done;
    print_message("validation accuracy {:.4f} is below --require {}", best.best_metric,
                  options_.require);
    return Exit::no;
  }

  RunConfig config_;
  const RunFolder& folder_;
  TrainOptions options_;
  std::unique_ptr<Task> task_;
  SequenceModel<T> model_;
  Optimizer<T> optimizer_;
  std::vector<EvaluationSet> validation_;
  DataStream data_;
  Index total_steps_;
  Index eval_every_;
  Schedule schedule_;
  TrainingState state_;
  Index updates_ = 0;  // begun by this process
  Extent capacity_;
  Batch batch_;
  std::vector<T> carried_;
  std::optional<CsvFile> train_csv_;
};

/// The folder of a run from before its first step to its end: nothing is written before `begin`.
class Record {
 public:
  Record(const RunConfig& config, const RunFolder& folder, const TrainOptions& options)
      : config_(config), folder_(folder), options_(options), start_(utc_time()) {
    if (!options.resume) return;
    folder.go_on();
    write(std::nullopt);
  }

  void begin() {
    if (!options_.resume) folder_.begin(config_);
    write(std::nullopt);
    begun_ = true;
  }

  void end(Exit exit) {
    // A run that could not begin says why, unless it was never possible or an older one is there.
    const RunFolder::State state = folder_.state();
    const bool vacant = state == RunFolder::State::absent || state == RunFolder::State::begun;
    if (!begun_ && !options_.resume) {
      if (exit == Exit::usage || !vacant) return;
      folder_.begin(config_);
    }
    write(exit);
    if (exit == Exit::done || exit == Exit::no) folder_.finish();
  }

  /// The same while an exception is under way, which must reach the user whatever the disk says.
  void end_failed(Exit exit) {
    try {
      end(exit);
    } catch (const Error&) {
      return;
    }
  }

 private:
  void write(std::optional<Exit> exit) const {
    folder_.write_meta(config_, options_.command_line, start_, exit);
  }

  const RunConfig& config_;
  const RunFolder& folder_;
  const TrainOptions& options_;
  std::string start_;
  bool begun_ = false;
};

template <std::floating_point T>
Exit train_in(const RunConfig& config, const RunFolder& folder, const TrainOptions& options,
              Record& record) {
  Trainer<T> trainer(config, folder, options);
  record.begin();
  return trainer.run();
}

}  // namespace

Exit train(const RunConfig& config, const RunFolder& folder, const TrainOptions& options) {
  Record record(config, folder, options);
  Exit exit = Exit::failed;
  try {
    exit = config.precision == "double" ? train_in<double>(config, folder, options, record)
                                        : train_in<float>(config, folder, options, record);
  } catch (const Stopped& stop) {
    exit = stop.exit;
    if (!options.quiet) print_message("stopped; --resume goes on");
  } catch (const std::exception& error) {
    record.end_failed(exit_of(error));
    throw;
  }
  record.end(exit);
  return exit;
}

const std::vector<std::string>& train_columns() {
  static const std::vector<std::string> columns = {
      "task",   "cell",          "seed", "step",           "sequences",         "tokens",
      "wall_s", "learning_rate", "loss", "token_accuracy", "sequence_accuracy", "gradient_norm"};
  return columns;
}

}  // namespace rlt
