#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "losses/event_mixture.hpp"
#include "tasks/point_process.hpp"
#include "tasks/task.hpp"
#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

std::unique_ptr<Task> drawn(OptionValues options) {
  return make_task("events", {.rule = "paper", .data = {}, .options = std::move(options)});
}

const Score& reference(const std::vector<Reference>& all, const std::string& name) {
  for (const Reference& one : all) {
    if (one.name == name) return one.score;
  }
  FAIL(name);
  return all.front().score;
}

const std::vector<Example>& set_of(const Task& task, const char* split) {
  REQUIRE(task.fixed_set(split) != nullptr);
  return *task.fixed_set(split);
}

/// Five sequences: a, b, ... with the times 10, 11, 13, ...
struct Table : test::TemporaryFolder {
  explicit Table(int sequences, const std::string& last_mark = "x") {
    std::string text = "sequence,time,mark\n";
    for (int i = 0; i < sequences; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      text += name + ",10,x\n" + name + ",11,y\n" + name + ",13," + last_mark + "\n";
    }
    write("events.csv", text);
  }
  std::string file() const { return (path() / "events.csv").string(); }
  std::unique_ptr<Task> task(OptionValues options = {}, const Symbols& symbols = {}) const {
    return make_task(
        "events",
        {.rule = "paper", .data = file(), .options = std::move(options), .symbols = symbols});
  }
};

}  // namespace

TEST_CASE("events: sets have the sizes asked, and positions what TaskInfo says") {
  for (const std::string process : {"hawkes", "poisson", "renewal", "delayed"}) {
    for (const std::string time : {"plain", "sinusoidal"}) {
      CAPTURE(process);
      const auto task = drawn({{"process", process}, {"time", time}, {"sequences", "10"}});
      const TaskInfo& info = task->info();
      CHECK(info.likelihood == Likelihood::events);
      CHECK(info.features == (time == "plain" ? 2 : 34));
      CHECK(info.real_targets == 2);
      CHECK(info.outputs.size() == (process == "hawkes" || process == "delayed" ? 5 : 1));
      CHECK(set_of(*task, "train").size() == 10);
      CHECK(set_of(*task, "valid").size() == 2);
      CHECK(set_of(*task, "test").size() == 2);
      double events = 0;
      for (const Example& example : set_of(*task, "train")) {
        const std::size_t length = example.tokens.size();
        REQUIRE(length > 0);
        events += static_cast<double>(length);
        REQUIRE(example.targets.size() == length);
        REQUIRE(example.reals.size() == length * static_cast<std::size_t>(info.features));
        REQUIRE(example.real_targets.size() == 2 * length);
        for (std::size_t i = 0; i < length; ++i) {
          const bool last = i + 1 == length;
          const float* const x = example.reals.data() + i * static_cast<std::size_t>(info.features);
          CHECK((example.tokens[i] >= 0 && example.tokens[i] < std::ssize(info.inputs)));
          CHECK(example.targets[i] == (last ? not_scored : example.tokens[i + 1]));
          CHECK(example.real_targets[2 * i + 1] == (last ? 0 : 1));
          if (!last) CHECK(example.real_targets[2 * i] == x[info.features]);
          CHECK(x[1] == doctest::Approx(std::log(std::max(x[0], 1e-4F))).epsilon(1e-5));
        }
      }
      CHECK(events / 10 ==
            doctest::Approx(60).epsilon(0.5));  // ten sequences of a bursting process
    }
  }
}

TEST_CASE(
    "events: the time of a sequence adds up to the horizon, and its waves are those of that time") {
  const auto task = drawn({{"process", "poisson"}, {"sequences", "5"}, {"events", "20"}});
  for (const Example& example : set_of(*task, "train")) {
    double time = 0;
    for (std::size_t i = 0; i < example.tokens.size(); ++i) {
      const float* const x = example.reals.data() + 34 * i;
      time += x[0];
      CHECK(std::abs(x[2] - std::sin(2 * time)) < 1e-4);  // floats near 20 were added
      CHECK(std::abs(x[3] - std::cos(2 * time)) < 1e-4);
      CHECK(std::abs(x[8] - std::sin(std::pow(2, -0.5) * time)) < 1e-4);
    }
    CHECK(time + example.real_targets[example.real_targets.size() - 2] ==
          doctest::Approx(20).epsilon(1e-5));
  }
}

TEST_CASE("events: sets depend on the seed of the data, and smaller ones are beginnings") {
  const auto small = drawn({{"sequences", "5"}}), large = drawn({{"sequences", "10"}});
  const auto other = drawn({{"sequences", "5"}, {"data_seed", "2"}});
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(set_of(*small, "train")[i].reals == set_of(*large, "train")[i].reals);
    CHECK(set_of(*small, "train")[i].reals != set_of(*other, "train")[i].reals);
  }
  CHECK(set_of(*small, "train")[0].reals != set_of(*small, "valid")[0].reals);
  CHECK(set_of(*small, "valid")[0].reals != set_of(*small, "test")[0].reals);
}

TEST_CASE("events: the oracle is the likelihood of the process in the unit of time") {
  for (const std::string process : {"hawkes", "renewal"}) {
    CAPTURE(process);
    const auto task = drawn({{"process", process}, {"sequences", "5"}, {"time", "plain"}});
    const auto law = make_point_process(process);
    double rate = 0;
    for (const double one : law->rates()) rate += one;
    const std::vector<Example>& examples = set_of(*task, "train");
    double time = 0, mark = 0;
    Index seen = 0;
    for (const Example& example : examples) {
      std::vector<Event> events;
      double now = 0;
      for (std::size_t i = 0; i < example.tokens.size(); ++i) {
        now += example.reals[2 * i] / rate;
        events.push_back({now, example.tokens[i]});
      }
      // the first event is given, not asked
      const EventLoss all = loss_of(*law, events, 60 / rate);
      const EventLoss first = loss_of(*law->begin(), events[0].time, events[0].mark);
      time += all.time - first.time + static_cast<double>(events.size() - 1) * std::log(rate);
      mark += all.mark - first.mark;
      seen += std::ssize(events) - 1;
    }
    const Score score = reference(task->references(examples), "oracle");
    CHECK(score.time_loss == doctest::Approx(time).epsilon(1e-5));
    CHECK(score.loss == doctest::Approx(time + mark).epsilon(1e-5));
    CHECK(score.tokens == seen);
    CHECK(score.numbers == seen);
    CHECK(score.sequences == 5);
  }
}

TEST_CASE("events: who knows the process loses less than one who counts, and errs less") {
  for (const std::string process : {"hawkes", "poisson", "renewal", "delayed"}) {
    CAPTURE(process);
    const auto task = drawn({{"process", process}, {"sequences", "250"}});
    const std::vector<Reference> all = task->references(set_of(*task, "test"));
    const Score& oracle = reference(all, "oracle");
    const Score& constant = reference(all, "poisson");
    CHECK(oracle.tokens == constant.tokens);
    CHECK(oracle.loss < constant.loss);
    CHECK(oracle.time_loss < constant.time_loss);
    CHECK(oracle.squared_error < constant.squared_error);
    CHECK(oracle.tokens_correct >= constant.tokens_correct);
    if (process == "renewal") {
      // entropy of the gap: mu + log(sigma sqrt(2 pi e)), less what horizons cut; the mean is 1 throughout
      const double entropy = -0.245 + std::log(0.7) + 1.4189385;
      CHECK(oracle.loss_per_token() == doctest::Approx(entropy).epsilon(0.05));
      CHECK(oracle.tokens_correct == oracle.tokens);
    }
  }
}

TEST_CASE("events: both references count what the loss counts") {
  const auto task = drawn({{"sequences", "20"}});
  const std::vector<Example>& examples = set_of(*task, "test");
  for (const Reference& one : task->references(examples)) {
    Index scored = 0;
    for (const Example& example : examples) {
      const auto length = static_cast<Index>(example.tokens.size());
      const Targets targets{.extent = {1, length},
                            .classes = example.targets.data(),
                            .reals = {example.real_targets.data(), length, 2}};
      scored += EventMixture<float>(5).scored(targets);
    }
    CHECK(one.score.tokens == scored);
    CHECK(one.score.sequences == std::ssize(examples));
  }
}

TEST_CASE("events: the constant rate by hand") {
  const Table table(5);
  const auto task = table.task();
  // one unit is the mean gap 1.5: waits 2/3 and 4/3; rate 1; x follows and y follows, as often
  const std::vector<Reference> all = task->references(set_of(*task, "valid"));
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == "poisson");
  CHECK(all[0].score.tokens == 2);
  CHECK(all[0].score.tokens_correct == 1);
  CHECK(all[0].score.time_loss == doctest::Approx(2).epsilon(1e-6));
  CHECK(all[0].score.loss == doctest::Approx(2 + 2 * std::log(2.0)).epsilon(1e-6));
  CHECK(all[0].score.squared_error == doctest::Approx(2.0 / 9).epsilon(1e-6));
}

TEST_CASE("events: one's own data are split by sequence, and the last event is only foretold") {
  const Table table(10);
  const auto task = table.task({{"time", "plain"}});
  CHECK(set_of(*task, "train").size() == 6);
  CHECK(set_of(*task, "valid").size() == 2);
  CHECK(set_of(*task, "test").size() == 2);
  CHECK(task->info().inputs == std::vector<std::string>{"x", "y"});
  CHECK(task->info().quirks == "the unit of time is 1.5");
  const Example& example = set_of(*task, "train")[0];
  CHECK(example.tokens == std::vector<int>{0, 1});
  CHECK(example.targets == std::vector<int>{1, 0});
  const std::vector<float> wanted = {1 / 1.5F, 1, 2 / 1.5F, 1};
  CHECK(example.real_targets == wanted);
  CHECK(example.reals[0] == 0);
  CHECK(example.reals[1] == doctest::Approx(std::log(1e-4)));
  CHECK(example.reals[2] == 1 / 1.5F);
  CHECK(set_of(*Table(3).task(), "train").size() == 1);
  const Table two(2);
  CHECK(error_of([&] { two.task(); }) ==
        "1: " + two.file() +
            ": 2 sequences; training, validation and test need one each, so that there must be "
            "three");
}

TEST_CASE("events: the facts tell the unit of time before anything is drawn") {
  CHECK(task_info("events", {}).quirks == drawn({{"sequences", "1"}})->info().quirks);
  const TaskOptions poisson{.data = {}, .options = {{"process", "poisson"}}};
  CHECK(task_info("events", poisson).quirks == "the unit of time is 1");
}

TEST_CASE("events: the symbols of a run keep their numbers") {
  const Table table(5);
  const Symbols symbols{{"y", "x"}, {"y", "x"}};
  CHECK(set_of(*table.task({}, symbols), "train")[0].tokens == std::vector<int>{1, 0});
  const Table wider(5, "z");
  CHECK(error_of([&] {
          wider.task({}, symbols);
        }).ends_with(":4: column 'mark': 'z' is not among the symbols of the run"));
}

TEST_CASE("events: what draws has no meaning for one's own data, and nothing can be drawn") {
  const Table table(5);
  CHECK(error_of([&] { table.task({{"process", "hawkes"}}); }).starts_with("2: "));
  CHECK(error_of([] {
          make_task("events", {.rule = "paper", .data = "/no/file", .options = {}});
        }).starts_with("1: --data /no/file: no such file"));
  const auto task = drawn({{"sequences", "1"}});
  Draws draws(Rng(1));
  Example example;
  CHECK(error_of([&] { task->draw(draws, {1, 3}, example); }).starts_with("2: task events"));
}
