#include "train/loop.hpp"

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.hpp"
#include "io/file.hpp"
#include "io/progress.hpp"
#include "io/standard_streams.hpp"
#include "train/eval_csv.hpp"
#include "train/stop.hpp"
#include "train/train_csv.hpp"

namespace rlt {
namespace {

template <std::floating_point T>
class Loop {
 public:
  Loop(Learner<T>& learner, const RunConfig& config, const Facts& facts, const RunFolder& folder,
       const TrainOptions& options)
      : learner_(learner), config_(config), facts_(facts), folder_(folder), options_(options) {
    if (options.resume) load();
    train_csv_.emplace(open_train_csv());
    if (options.resume) require_best();
  }

  Exit run() {
    Progress progress(learner_.total_steps(), report(),
                      options_.quiet ? Progress::Volume::quiet : Progress::Volume::normal);
    try {
      train(progress);
    } catch (const Stopped&) {
      save(folder_.last());
      progress.finish();
      throw;
    }
    progress.finish();
    return evaluate_best();
  }

 private:
  // Stopped between two steps, or within a validation, which is due then.
  void train(Progress& progress) {
    const double resumed_seconds = state_.wall_seconds;
    const double began = uptime();
    while (true) {
      if (state_.validation_due) validate(progress);
      if (state_.step == learner_.total_steps() || finished()) return;
      check_stop();
      learner_.prepare(state_.step + 1);
      ++state_.step;
      learner_.update(state_);
      state_.wall_seconds = resumed_seconds + uptime() - began;
      progress.update(report());
      const bool last = state_.step == learner_.total_steps();
      if (state_.step % config_.log_every == 0 || last) log();
      state_.validation_due = state_.step % learner_.steps_between_validations() == 0 || last;
    }
  }

  void load() {
    folder_.require_own(folder_.last());
    load_checkpoint(folder_.last(), learner_.model().parameters(), &learner_.optimizer(), state_,
                    learner_.carried());
    learner_.resume();
    if (state_.step <= learner_.total_steps()) return;
    fail(Exit::failed, "'{}': stands at step {}, but the run has only {}", folder_.last().string(),
         state_.step, learner_.total_steps());
  }

  // Cuts what came after the checkpoint that the run goes on from; everything before must be there.
  CsvFile open_train_csv() const {
    const std::filesystem::path path = folder_.train_csv();
    if (options_.resume && !file_exists(path)) {
      fail(Exit::failed, "'{}' is missing, with the rows up to step {}; --force starts over",
           path.string(), state_.step);
    }
    Index rows = 0;
    CsvFile csv = CsvFile::open(path, train_header(config_.learner), [&](Index step) {
      const bool before = step <= state_.step;
      rows += before ? 1 : 0;
      return before;
    });
    const bool last_logged =
        state_.step == learner_.total_steps() && state_.step % config_.log_every != 0;
    const Index expected = state_.step / config_.log_every + (last_logged ? 1 : 0);
    if (rows == expected) return csv;
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

  void log() {
    train_csv_->append(train_cells({.config = config_,
                                    .state = state_,
                                    .learning_rate = learner_.learning_rate(state_.step)}));
    state_.interval = {};
    state_.episodes = {};
  }

  void validate(Progress& progress) {
    const Validation now = learner_.validate(state_);
    // A loss that is not finite is worse than any other, and comparable.
    const double loss =
        std::isfinite(now.loss) ? now.loss : std::numeric_limits<double>::infinity();
    state_.validation_due = false;
    state_.solved_in_a_row = now.metric == 1 ? state_.solved_in_a_row + 1 : 0;
    const bool gain = now.metric > state_.best_metric ||
                      (now.metric == state_.best_metric && loss < state_.best_loss);
    ++state_.evaluations_without_gain;
    if (gain) {
      state_.best_metric = now.metric;
      state_.best_loss = loss;
      state_.best_step = state_.step;
      state_.evaluations_without_gain = 0;
    }
    save(folder_.last());
    if (gain) save(folder_.best());
    progress.message(fmt::format("step {}{}  loss {:.2e}  {:.1f} s{}", state_.step, now.line, loss,
                                 state_.wall_seconds, gain ? "  best" : ""));
  }

  // The paper stops as soon as all its bins are solved. The honest protocol never sees longer strings, so it
  // waits for three solved validations in a row. Both also stop after `patience` validations without gain.
  bool finished() const {
    if (!learner_.stops_early()) return false;
    if (state_.solved_in_a_row >= (config_.protocol == "paper" ? 1 : 3)) return true;
    return config_.patience > 0 && state_.evaluations_without_gain >= config_.patience;
  }

  void save(const std::filesystem::path& path) {
    train_csv_->flush();
    save_checkpoint(path, learner_.model().parameters(), &learner_.optimizer(), state_, facts_,
                    learner_.carried());
  }

  ProgressReport report() const {
    ProgressReport now;
    now.step = state_.step;
    now.tokens = state_.tokens;
    now.loss = state_.last_loss;
    return now;
  }

  Exit evaluate_best() {
    TrainingState best;
    load_checkpoint<T>(folder_.best(), learner_.model().parameters(), nullptr, best);
    // Written together: a stop leaves none of them.
    const std::vector<std::vector<CsvCell>> rows = learner_.evaluate_selected(best.step);
    CsvFile csv = CsvFile::open(folder_.eval_csv(), learner_.evaluation_header(),
                                [](Index) { return false; });
    for (const std::vector<CsvCell>& row : rows) csv.append(row);
    csv.flush();
    if (best.best_metric >= options_.require) return Exit::done;
    print_message("validation accuracy {:.4f} is below --require {}", best.best_metric,
                  options_.require);
    return Exit::no;
  }

  Learner<T>& learner_;
  const RunConfig& config_;
  const Facts& facts_;
  const RunFolder& folder_;
  const TrainOptions& options_;
  TrainingState state_;
  std::optional<CsvFile> train_csv_;
};

}  // namespace

template <std::floating_point T>
Exit run_loop(Learner<T>& learner, const RunConfig& config, const Facts& facts,
              const RunFolder& folder, const TrainOptions& options) {
  return Loop<T>(learner, config, facts, folder, options).run();
}

template Exit run_loop<float>(Learner<float>&, const RunConfig&, const Facts&, const RunFolder&,
                              const TrainOptions&);
template Exit run_loop<double>(Learner<double>&, const RunConfig&, const Facts&, const RunFolder&,
                               const TrainOptions&);

}  // namespace rlt
