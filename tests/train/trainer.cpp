#include "train/trainer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <utility>

#include "io/file.hpp"
#include "io/safetensors.hpp"
#include "support/message.hpp"
#include "support/one_thread.hpp"
#include "support/temporary_folder.hpp"
#include "train/stop.hpp"
#include "train/train_csv.hpp"

using namespace rlt;
namespace fs = std::filesystem;

namespace {

RunConfig tiny(const std::string& task) {
  RunConfig config;
  config.task = task;
  config.cell = "deltanet";
  config.d_model = 8;
  config.heads = 2;
  config.layers = 1;
  config.ff = 1;
  config.dropout = 0.1;
  config.batch = 4;
  config.train_size = 10;
  config.epochs = 3;
  config.eval_sequences = 7;
  config.eval_every = 4;
  config.log_every = 3;
  config.patience = 0;
  return config;
}

/// Own data, which need no drawing: ten strings to train on, seven to validate.
RunConfig on_own_data(const test::TemporaryFolder& folder) {
  const auto write = [&](const std::string& split, int count) {
    std::string source, target;
    for (int i = 0; i < count; ++i) {
      for (int t = 0; t < 2 + i % 5; ++t) {
        source += (i * 7 + t * 3) % 4 < 2 ? "a " : "b ";
        target += (i + t) % 3 == 0 ? "x " : "y ";
      }
      source += '\n';
      target += '\n';
    }
    folder.write(split + ".src", source);
    folder.write(split + ".tgt", target);
  };
  write("train", 10);
  write("valid", 7);
  write("test", 5);
  RunConfig config = tiny("file");
  config.data = folder.path().string();
  config.eval_sequences = RunConfig().eval_sequences;  // own sets are as they are
  complete(config);
  return config;
}

RunConfig completed(RunConfig config) {
  complete(config);
  return config;
}

/// Trains as `rlt train --resume` does.
Exit train_on(const RunConfig& config, const fs::path& path) {
  const test::OneThread one_thread;
  const RunFolder folder(path);
  const FolderLock lock = folder.lock();
  const std::unique_ptr<Task> task = make_task(config);
  return train(config, *task, folder,
               {.resume = folder.state() == RunFolder::State::interrupted,
                .quiet = true,
                .command_line = "test"});
}

/// Everything that a run leaves, as text, without the time that it took.
std::string left_by(const RunFolder& folder) {
  std::string all;
  for (const fs::path& path : {folder.last(), folder.best()}) {
    const Safetensors file(path);
    for (const TensorView& tensor : file.tensors()) {
      all += tensor.name;
      all.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    }
    const TrainingState state = checkpoint_state(path);
    all += fmt::format("step {} tokens {} best {} at {} without gain {} interval {} {}\n",
                       state.step, state.tokens, state.best_loss, state.best_step,
                       state.evaluations_without_gain, state.interval.loss, state.interval.tokens);
  }
  std::istringstream rows(read_file(folder.train_csv()));
  for (std::string row; std::getline(rows, row);) {
    std::istringstream cells(row);
    std::string cell;
    for (int column = 0; std::getline(cells, cell, ','); ++column) {
      if (train_columns()[static_cast<std::size_t>(column)].name != "wall_s") all += cell + ' ';
    }
    all += '\n';
  }
  return all + read_file(folder.eval_csv());
}

}  // namespace

TEST_CASE("training: stopped at any look at the clock and gone on with, it ends in the same bits") {
  const test::TemporaryFolder data;
  const test::TemporaryFolder folder;
  const RunConfig config = on_own_data(data);
  double looks = 0;
  const StopRequests::Clock counter = [&] { return ++looks; };
  const RunFolder whole(folder.path() / "whole");
  {
    const StopRequests stops(1e9, counter);
    REQUIRE(train_on(config, whole.path()) == Exit::done);
  }
  const std::string expected = left_by(whole);
  const Index total = checkpoint_state(whole.last()).step;
  REQUIRE(total == 9);
  int before_any_step = 0, validations_due = 0, final_evaluations = 0;
  for (double at = 1; at<looks; at += looks> 60 ? 2 : 1) {
    CAPTURE(at);
    const double all_looks = std::exchange(looks, 0.0);
    const RunFolder parts(folder.path() / fmt::format("parts-{}", at));
    {
      const StopRequests stops(at, counter);
      REQUIRE(train_on(config, parts.path()) == Exit::stopped);
    }
    looks = all_looks;
    CHECK(read_file(parts.meta()).find("\"exit\": 75") != std::string::npos);
    CHECK_FALSE(fs::exists(parts.eval_csv()));
    if (!fs::exists(parts.last())) {
      ++before_any_step;
    } else {
      const TrainingState state = checkpoint_state(parts.last());
      validations_due += state.validation_due ? 1 : 0;
      final_evaluations += state.step == total && !state.validation_due ? 1 : 0;
    }
    REQUIRE(train_on(config, parts.path()) == Exit::done);
    CHECK(left_by(parts) == expected);
  }
  CHECK(before_any_step > 0);
  CHECK(validations_due > 0);
  CHECK(final_evaluations > 0);
}

TEST_CASE("training: a stop is heeded while sets are drawn and while baselines are") {
  const test::TemporaryFolder folder;
  RunConfig config = tiny("parity");
  config.window = "2-12";
  complete(config);
  double looks = 0;
  const StopRequests::Clock counter = [&] { return ++looks; };
  {
    const StopRequests stops(1e9, counter);
    REQUIRE(train_on(config, folder.path() / "whole") == Exit::done);
  }
  // The sets alone take as many looks as strings; for the baselines thousands are drawn.
  for (const double at : {1.0, 10.0, std::floor(looks / 2), looks - 1}) {
    CAPTURE(at);
    const double all_looks = std::exchange(looks, 0.0);
    const fs::path path = folder.path() / fmt::format("parts-{}", at);
    {
      const StopRequests stops(at, counter);
      CHECK(train_on(config, path) == Exit::stopped);
      CHECK(looks == at);
    }
    looks = all_looks;
    CHECK(fs::exists(RunFolder(path).last()) == (at > 10));
    CHECK_FALSE(fs::exists(RunFolder(path).eval_csv()));
  }
}

TEST_CASE("training: what is impossible is found before anything is written") {
  const test::TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  RunConfig config = tiny("parity");
  config.window = "2-4";
  const std::string too_few = "2: task parity (paper rule), window [2, 4]: ";
  CHECK(test::error_of([&] { train_on(completed(config), run); }).starts_with(too_few));
  CHECK_FALSE(fs::exists(run));
  config.train_size = 0;  // fresh strings: all of them are in the validation set
  config.steps = 3;
  config.eval_sequences = 1000;
  CHECK(test::error_of([&] { train_on(completed(config), run); }).starts_with(too_few));
  CHECK_FALSE(fs::exists(run));
}

TEST_CASE("training: a checkpoint that cannot be of this run is refused at once") {
  const test::TemporaryFolder data;
  const test::TemporaryFolder folder;
  RunConfig config = on_own_data(data);
  config.learning_rate = 0;  // the first evaluation stays the best
  const RunFolder run(folder.path() / "run");
  REQUIRE(train_on(config, run.path()) == Exit::done);
  REQUIRE(checkpoint_state(run.last()).best_step == 4);
  fs::remove(run.done());
  const auto error_with = [&](const fs::path& file, const auto& change) {
    const std::string good = read_file(file);
    change();
    const std::string message = test::error_of([&] { train_on(config, run.path()); });
    write_file(file, good);
    CHECK(read_file(run.meta()).find("\"exit\": 1") != std::string::npos);
    return message;
  };
  const std::string last = run.last().string(), best = run.best().string();
  const std::string rows = run.train_csv().string();

  // The same weights under other settings, and of a run that goes further.
  RunConfig longer = config;
  longer.epochs = 5;
  const RunFolder other(folder.path() / "other");
  REQUIRE(train_on(longer, other.path()) == Exit::done);
  CHECK(error_with(run.last(), [&] { write_file(run.last(), read_file(other.last())); }) ==
        "1: '" + last + "' belongs to another run: it says epochs = 5, but '" +
            run.config().string() + "' says epochs = 3");
  const Safetensors file(other.last());
  Facts facts = file.metadata();
  facts["epochs"] = "3";
  CHECK(error_with(run.last(), [&] {
          write_safetensors(run.last(), file.tensors(), facts, Checksum::with);
        }) == "1: '" + last + "': stands at step 15, but the run has only 9");

  CHECK(error_with(run.best(), [&] { fs::remove(run.best()); }) ==
        "1: '" + best + "' is missing: it was removed, or the run has not come so far");
  CHECK(error_with(run.best(), [&] {
          fs::copy_file(run.last(), run.best(), fs::copy_options::overwrite_existing);
        }) == "1: '" + best + "' is of step 9, but the best step was 4; --force starts over");
  CHECK(error_with(run.train_csv(), [&] { fs::remove(run.train_csv()); }) ==
        "1: '" + rows + "' is missing, with the rows up to step 9; --force starts over");
  CHECK(error_with(run.train_csv(), [&] {
          const std::string text = read_file(run.train_csv());
          write_file(run.train_csv(), text.substr(0, text.rfind('\n', text.size() - 2) + 1));
        }) == "1: '" + rows + "' has 2 rows up to step 9, expected 3; --force starts over");
  CHECK(train_on(config, run.path()) == Exit::done);
}
