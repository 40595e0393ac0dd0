// Learners in environments: they stop and go on in the middle of episodes, and learn.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/parallel.hpp"
#include "io/file.hpp"
#include "io/safetensors.hpp"
#include "support/one_thread.hpp"
#include "support/temporary_folder.hpp"
#include "tasks/behaviour.hpp"
#include "tasks/trajectories_csv.hpp"
#include "train/stop.hpp"
#include "train/train_csv.hpp"
#include "train/trainer.hpp"

using namespace rlt;
namespace fs = std::filesystem;

namespace {

/// Episodes in the corridor that all runs here act in.
const std::string& recorded_file() {
  static const test::TemporaryFolder folder;
  static const std::string file = (folder.path() / "recorded.csv").string();
  if (!fs::exists(file)) {
    const auto environment = make_environment("tmaze", {{"corridor", "4"}, {"limit", "30"}});
    folder.write("recorded.csv",
                 trajectories_csv(record(*environment, "medium", 30, 1), environment->info()));
  }
  return file;
}

RunConfig config_of(const std::string& learner, const std::string& cell, Index steps) {
  RunConfig config;
  config.task = "tmaze";
  config.task_options = {"corridor=4", "limit=30"};
  config.learner = learner;
  if (learner == "return_conditioned") config.data = recorded_file();
  config.cell = cell;
  config.d_model = 8;
  config.heads = 2;
  config.ff = 1;
  config.layers = 1;
  config.hidden = 5;
  config.batch = 4;
  config.rollout = 13;
  config.minibatches = 2;
  config.steps = steps;
  config.eval_every = 2;
  config.eval_sequences = 6;
  config.log_every = 2;
  config.patience = 0;
  complete_acting(config);
  return config;
}

Exit train_in(const RunConfig& config, const fs::path& path, bool resume = false) {
  RunConfig own = config;
  const std::unique_ptr<Environment> environment = complete_acting(own);
  const RunFolder folder(path);
  const FolderLock lock = folder.lock();
  return train(own, *environment, folder, {.resume = resume, .quiet = true, .command_line = "test"},
               recorded_episodes(own, environment->info()));
}

/// All that a run leaves but the time that it took.
std::string left_by(const RunConfig& config, const RunFolder& folder) {
  std::string all;
  for (const fs::path& path : {folder.last(), folder.best()}) {
    const Safetensors file(path);
    for (const TensorView& tensor : file.tensors()) {
      all += tensor.name;
      all.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    }
  }
  std::istringstream rows(read_file(folder.train_csv()));
  const std::vector<TrainColumn> columns = train_columns(config.learner);
  for (std::string row; std::getline(rows, row);) {
    std::istringstream cells(row);
    std::string cell;
    for (std::size_t column = 0; std::getline(cells, cell, ','); ++column) {
      const std::string_view name = columns[column].name;
      if (name != "wall_s" && name != "steps_per_s") all += cell + ' ';
    }
    all += '\n';
  }
  return all + read_file(folder.eval_csv());
}

std::string trained(const RunConfig& config, double stop_at = 0) {
  const test::TemporaryFolder folder;
  const RunFolder place(folder.path() / "run");
  if (stop_at > 0) {
    double looks = 0;
    const StopRequests requests(stop_at, [&] { return ++looks; });
    if (train_in(config, place.path()) == Exit::done) return left_by(config, place);
  }
  const bool resume = place.state() == RunFolder::State::interrupted;
  REQUIRE(train_in(config, place.path(), resume) == Exit::done);
  return left_by(config, place);
}

/// Share of greedy episodes with the right turn, of the checkpoint that was selected.
double success_of(const RunConfig& config) {
  const test::OneThread one_thread;
  const test::TemporaryFolder folder;
  const RunFolder place(folder.path() / "run");
  REQUIRE(train_in(config, place.path()) == Exit::done);
  return checkpoint_state(place.best()).best_metric;
}

}  // namespace

TEST_CASE("acting: a run stopped in the middle of episodes goes on in the same bits") {
  const test::OneThread one_thread;
  for (const std::string learner : {"a2c", "ppo", "imitate", "return_conditioned"}) {
    for (const std::string cell : {"lstm", "deltanet", "transformer"}) {
      CAPTURE(learner);
      CAPTURE(cell);
      const RunConfig config = config_of(learner, cell, 6);
      const std::string whole = trained(config);
      for (const double at : {3.0, 4.0, 5.0, 8.0, 20.0}) {
        CAPTURE(at);
        const std::string parts = trained(config, at);
        const auto [ours, theirs] = std::ranges::mismatch(parts, whole);
        const auto place = ours - parts.begin();
        const auto size = whole.size();
        CAPTURE(place);
        CAPTURE(size);
        CHECK((parts == whole));
      }
    }
  }
}

TEST_CASE("acting: 1, 2 and 3 threads train the same bits") {
  const int before = thread_count();
  for (const char* learner : {"a2c", "ppo", "imitate", "return_conditioned"}) {
    CAPTURE(learner);
    std::string first;
    for (const int threads : {1, 2, 3}) {
      set_thread_count(threads);
      const std::string left = trained(config_of(learner, "rdn", 4));
      if (threads == 1) first = left;
      CHECK(left == first);
    }
  }
  set_thread_count(before);
}

TEST_CASE("acting: imitation learns a short corridor's turn, which no policy without memory can") {
  RunConfig config = config_of("imitate", "lstm", 400);
  config.d_model = 24;
  config.batch = 32;
  config.learning_rate = 5e-3;
  config.eval_every = 50;
  config.eval_sequences = 64;
  CHECK(success_of(config) == 1);
}

TEST_CASE("acting: rewards alone teach the turn of a short corridor") {
  for (const char* learner : {"a2c", "ppo"}) {
    CAPTURE(learner);
    RunConfig config = config_of(learner, "lstm", 400);
    config.d_model = 24;
    config.hidden = 24;
    config.batch = 8;
    config.rollout = 32;
    config.learning_rate = 3e-3;
    config.entropy = 0.01;
    config.clip = 0.5;
    config.beta2 = 0.999;
    config.eval_every = 10;
    CHECK(success_of(config) > 0.9);
  }
}
