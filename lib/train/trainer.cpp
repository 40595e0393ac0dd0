#include "train/trainer.hpp"

#include <optional>

#include "io/standard_streams.hpp"
#include "train/data_identity.hpp"
#include "train/learners/imitate.hpp"
#include "train/learners/on_policy.hpp"
#include "train/learners/return_conditioned.hpp"
#include "train/learners/supervised.hpp"
#include "train/loop.hpp"
#include "train/settings.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

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
Exit train_in(const RunConfig& config, const Task& task, const RunFolder& folder,
              const TrainOptions& options, Record& record) {
  const std::unique_ptr<Learner<T>> learner = make_supervised<T>(config, task);
  Facts facts = to_facts(config);
  facts.merge(to_facts(identity_of(task)));
  record.begin();
  return run_loop(*learner, config, facts, folder, options);
}

/// An environment, and what was recorded in it.
struct Acting {
  Environment& environment;
  const std::vector<Trajectory>& recorded;
};

template <std::floating_point T>
std::unique_ptr<Learner<T>> make_learner(const RunConfig& config, const Acting& acting) {
  if (config.learner == "imitate") return make_imitate<T>(config, acting.environment);
  if (config.learner == "return_conditioned") {
    return make_return_conditioned<T>(config, acting.environment, acting.recorded);
  }
  return make_on_policy<T>(config, acting.environment);
}

template <std::floating_point T>
Exit train_in(const RunConfig& config, const Acting& acting, const RunFolder& folder,
              const TrainOptions& options, Record& record) {
  const std::unique_ptr<Learner<T>> learner = make_learner<T>(config, acting);
  Facts facts = to_facts(config);
  if (!acting.recorded.empty()) facts.merge(to_facts(identity_of(acting.recorded)));
  record.begin();
  return run_loop(*learner, config, facts, folder, options);
}

/// `source`: a task or Acting.
template <typename Source>
Exit train_from(const RunConfig& config, Source& source, const RunFolder& folder,
                const TrainOptions& options) {
  Record record(config, folder, options);
  Exit exit = Exit::failed;
  try {
    exit = config.precision == "double" ? train_in<double>(config, source, folder, options, record)
                                        : train_in<float>(config, source, folder, options, record);
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

}  // namespace

Exit train(const RunConfig& config, const Task& task, const RunFolder& folder,
           const TrainOptions& options) {
  return train_from(config, task, folder, options);
}

Exit train(const RunConfig& config, Environment& environment, const RunFolder& folder,
           const TrainOptions& options, const std::vector<Trajectory>& recorded) {
  const Acting acting{environment, recorded};
  return train_from(config, acting, folder, options);
}

}  // namespace rlt
