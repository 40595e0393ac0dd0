#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "tasks/series_source.hpp"
#include "tasks/series_window.hpp"
#include "tasks/task.hpp"
#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

std::unique_ptr<Task> series(const OptionValues& options, const std::string& data = {}) {
  return make_task("series", {.rule = "paper", .data = data, .options = options});
}

/// Of 100 rows, two channels: t and 3 (t mod 4) - 1000.
struct File : test::TemporaryFolder {
  File() {
    std::string text = "date,t,wave\n";
    for (int t = 0; t < 100; ++t) text += fmt::format("{},{},{}\n", t, t, 3 * (t % 4) - 1000);
    write("s.csv", text);
  }
  std::string path() const { return (TemporaryFolder::path() / "s.csv").string(); }
};

/// What the CSV holds at row t and is on the standardised scale.
struct Standardised {
  double mean, deviation;
  explicit Standardised(const std::function<double(int)>& value) {
    double sum = 0, squares = 0;
    for (int t = 0; t < 70; ++t) sum += value(t);
    mean = sum / 70;
    for (int t = 0; t < 70; ++t) squares += (value(t) - mean) * (value(t) - mean);
    deviation = std::sqrt(squares / 70);
  }
  double operator()(double value) const { return (value - mean) / deviation; }
};

double ramp(int t) { return t; }
double wave(int t) { return 3 * (t % 4) - 1000; }

constexpr double float_rounding = 1e-5;  // of numbers around 1, after a few operations

std::map<std::string, Score> by_name(const std::vector<Reference>& references) {
  std::map<std::string, Score> scores;
  for (const Reference& reference : references) scores[reference.name] = reference.score;
  return scores;
}

}  // namespace

TEST_CASE("series: windows of a file lie where the split says, and hold what the file holds") {
  const File file;
  const auto task =
      series({{"look_back", "8"}, {"horizon", "3"}, {"stride", "2"}, {"season", "4"}}, file.path());
  CHECK(task->info().features == 2);
  CHECK(task->info().real_targets == 3 * 2 + 2 * 2);
  CHECK(task->info().training.high == 8);
  CHECK(task->info().outputs.empty());
  // Targets of training lie in rows 8 .. 69, of validation in 70 .. 79, of the test in 80 .. 99.
  const std::map<std::string, std::pair<int, int>> begins = {
      {"train", {8, 2}}, {"valid", {70, 1}}, {"test", {80, 1}}};
  const std::map<std::string, std::size_t> sizes = {{"train", 30}, {"valid", 8}, {"test", 18}};
  const Standardised scale[] = {Standardised(ramp), Standardised(wave)};
  for (const auto& [split, begin] : begins) {
    const std::vector<Example>& set = *task->fixed_set(split);
    REQUIRE(set.size() == sizes.at(split));
    for (std::size_t i = 0; i < set.size(); ++i) {
      const Example& example = set[i];
      REQUIRE(example.tokens == std::vector<int>(8, 0));
      REQUIRE(example.targets == std::vector<int>{not_scored});
      REQUIRE(example.reals.size() == 16);
      REQUIRE(example.real_targets.size() == 10);
      const int now = begin.first + begin.second * static_cast<int>(i);
      for (int c = 0; c < 2; ++c) {
        const auto value = [&](int t) { return scale[c](c == 0 ? ramp(t) : wave(t)); };
        double sum = 0, squares = 0;
        for (int t = now - 8; t < now; ++t) sum += value(t);
        for (int t = now - 8; t < now; ++t) squares += std::pow(value(t) - sum / 8, 2);
        const double deviation = std::sqrt(squares / 8 + 1e-5);
        const auto near = [](double expected) {
          return doctest::Approx(expected).epsilon(float_rounding);
        };
        REQUIRE(example.real_targets[6 + c] == near(sum / 8));
        REQUIRE(example.real_targets[8 + c] == near(deviation));
        for (int h = 0; h < 3; ++h)
          REQUIRE(example.real_targets[h * 2 + c] == near(value(now + h)));
        for (int t = 0; t < 8; ++t) {
          REQUIRE(example.reals[t * 2 + c] == near((value(now - 8 + t) - sum / 8) / deviation));
        }
      }
    }
  }
}

TEST_CASE("series: references on a ramp and a wave err as computed by hand") {
  const File file;
  const auto task = series({{"look_back", "8"}, {"horizon", "3"}, {"season", "4"}}, file.path());
  const std::vector<Example>& test = *task->fixed_set("test");
  const auto scores = by_name(task->references(test));
  CHECK(scores.size() == 3);
  for (const auto& [name, score] : scores) {
    CAPTURE(name);
    CHECK(score.tokens == 18);
    CHECK(score.sequences == 18);
    CHECK(score.numbers == 18 * 6);
    CHECK(score.loss == doctest::Approx(score.squared_error / 6));
  }
  // Repeating the last value misses the ramp by 1, 2, 3 steps.
  const double ramp_unit = Standardised(ramp).deviation, wave_unit = Standardised(wave).deviation;
  double squares = 18 * (1 + 4 + 9) / (ramp_unit * ramp_unit);
  for (int now = 80; now < 98; ++now) {
    for (int h = 0; h < 3; ++h) squares += std::pow((wave(now + h) - wave(now - 1)) / wave_unit, 2);
  }
  CHECK(scores.at("repeat_last").squared_error == doctest::Approx(squares).epsilon(1e-4));
  // The values of four steps ago: the wave is met, the ramp missed by 4 steps each.
  CHECK(scores.at("seasonal_naive").squared_error ==
        doctest::Approx(18 * 3 * 16 / (ramp_unit * ramp_unit)).epsilon(1e-4));
  CHECK(scores.at("seasonal_naive").absolute_error ==
        doctest::Approx(18 * 3 * 4 / ramp_unit).epsilon(1e-4));
  // Both channels are linear recursions, the same map foretells both.
  CHECK(scores.at("linear").squared_error < 1e-4 * scores.at("seasonal_naive").squared_error);
  // Half the windows count half.
  const auto half = by_name(task->references({test.begin(), test.begin() + 9}));
  CHECK(half.at("seasonal_naive").squared_error ==
        doctest::Approx(scores.at("seasonal_naive").squared_error / 2).epsilon(1e-4));
}

TEST_CASE("series: the linear reference has the least squares on its training windows") {
  const auto task =
      series({{"look_back", "12"}, {"horizon", "2"}, {"steps", "300"}, {"season", "1"}});
  const std::vector<Example>& train = *task->fixed_set("train");
  const WindowShape shape{12, 2, SeriesSource::channels};
  const Forecaster fitted = linear_forecaster(train, shape);
  // In units of the windows, which the fit weighs alike.
  const auto squares = [&](Index place, double change) {
    std::vector<double> z(static_cast<std::size_t>(shape.numbers()));
    double sum = 0;
    for (const Example& example : train) {
      fitted(example, z.data());
      for (Index i = 0; i < shape.numbers(); ++i) {
        const Index c = i % shape.channels;
        const float* const window = example.real_targets.data() + shape.numbers();
        const double wanted = (example.real_targets[i] - window[c]) / window[shape.channels + c];
        const double moved = i < shape.channels ? change * example.reals[place * shape.channels + c]
                                                : 0;  // another weight for h = 0
        sum += std::pow(z[i] + moved - wanted, 2);
      }
    }
    return sum;
  };
  const double least = squares(0, 0);
  for (Index place = 0; place < 12; ++place) {
    CHECK(squares(place, 0.01) > least);
    CHECK(squares(place, -0.01) > least);
  }
}

TEST_CASE("series: the oracle of generated series errs as its formula says, and nobody less") {
  const auto task = series({{"horizon", "24"}, {"steps", "6000"}, {"data_seed", "2"}});
  CHECK(task->fixed_set("train")->size() == 4081 / 2 + 1);  // 4200 - 96 - 24 + 1, every second
  for (const char* split : {"valid", "test"}) {
    const std::vector<Example>& set = *task->fixed_set(split);
    const auto scores = by_name(task->references(set));
    REQUIRE(scores.size() == 4);
    const double oracle = scores.at("oracle").loss;
    CHECK(oracle < scores.at("linear").loss);
    CHECK(scores.at("linear").loss < scores.at("seasonal_naive").loss);
    CHECK(scores.at("seasonal_naive").loss < scores.at("repeat_last").loss);
    // On the standardised scale; variances of the training part, and levels that stand for 336 steps, make it vary.
    const SeriesSource source(2, 6000);
    double expected = 0;
    for (Index c = 0; c < SeriesSource::channels; ++c) {
      double sum = 0, squares = 0;
      for (Index t = 0; t < 4200; ++t) sum += source.values()[t * SeriesSource::channels + c];
      for (Index t = 0; t < 4200; ++t) {
        squares += std::pow(source.values()[t * SeriesSource::channels + c] - sum / 4200, 2);
      }
      for (Index h = 0; h < 24; ++h) expected += source.forecast_error(c, h) / (squares / 4200);
    }
    expected /= 24 * SeriesSource::channels;
    CHECK(oracle / static_cast<double>(set.size()) == doctest::Approx(expected).epsilon(0.1));
  }
}

TEST_CASE("series: the same options give the same windows, another seed others") {
  const OptionValues options = {{"steps", "400"}, {"horizon", "5"}};
  CHECK(series(options)->fixed_set("test")->at(3).reals ==
        series(options)->fixed_set("test")->at(3).reals);
  OptionValues other = options;
  other["data_seed"] = "1";
  CHECK(series(options)->fixed_set("test")->at(3).reals !=
        series(other)->fixed_set("test")->at(3).reals);
}

TEST_CASE("series: a channel that stands still is no division by zero") {
  const File file;
  std::string text = "date,still,moves\n";
  for (int t = 0; t < 100; ++t) text += fmt::format("{},7.1,{}\n", t, t % 3);
  file.write("s.csv", text);
  const auto task = series({{"look_back", "8"}, {"horizon", "3"}, {"season", "3"}}, file.path());
  for (const Example& example : *task->fixed_set("test")) {
    for (int t = 0; t < 8; ++t) REQUIRE(std::abs(example.reals[t * 2]) < 1e-9);
    REQUIRE(example.real_targets[8] == doctest::Approx(std::sqrt(1e-5)));
  }
  for (const auto& [name, score] : by_name(task->references(*task->fixed_set("test")))) {
    CAPTURE(name);
    CHECK(std::isfinite(score.loss));
  }
}

TEST_CASE("series: what cannot be is refused") {
  const File file;
  CHECK(error_of([&] {
          series({{"season", "97"}});
        }) == "2: --task-option season=97: must be at most look_back=96");
  CHECK(error_of([&] {
          series({{"look_back", "8"}, {"horizon", "11"}, {"season", "1"}}, file.path());
        }) ==
        "1: task series: 100 rows give no valid window of look_back 8 and horizon 11: its targets "
        "need 11 rows, the split leaves 10");
  CHECK(error_of([&] {
          series({}, file.path());
        }).starts_with("1: task series: 100 rows give no train window"));
  CHECK(error_of([&] { series({}, "/no/such.csv"); }) ==
        "1: --data /no/such.csv: no such file or folder");
  CHECK(error_of([&] {
          series({{"horizon", "0"}});
        }) == "2: --task-option horizon=0: series takes a whole number from 1 to 10000");
  const auto task = series({{"steps", "400"}, {"horizon", "5"}});
  std::vector<Example> foreign = *task->fixed_set("test");
  foreign[0].real_targets.back() += 1;
  CHECK(error_of([&] { task->references(foreign); }) ==
        "1: task series: a window of another series");
}
