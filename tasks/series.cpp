// series: real-valued series of several channels; foretell the next H values of all from the last L.
// Paper: Aaren (arXiv 2405.13956), whose settings are those of Time-Series-Library: L = 96, H = 96, 192, 336, 720.
// Data: the user's CSV file (--data, series_csv.hpp), or generated from a seed (series_source.hpp), where the best
//   forecast is known.
// Splits in time, 70 / 10 / 20 % of the rows. A window belongs to the part that holds all its targets; what it looks
//   back on may reach into the part before. Training windows begin `stride` rows apart, validation and test
//   windows at every row.
// Scale: channels are standardised by mean and deviation of the training part alone (deviation 1 where a channel
//   stands still there), and errors are on that scale. Each window is then normalised by itself
//   (series_window.hpp).
// Label: nothing is asked before the end of a window; its one target are H values of each channel.
// Sampling: none. The sets are fixed (Task::fixed_set).
// departs: Time-Series-Library trains on every window and drops the last incomplete batch of the test set; here
//   training windows may lie apart, so that an epoch is not hours, and every test window counts.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "io/standard_streams.hpp"
#include "tasks/fixed_sets.hpp"
#include "tasks/registry.hpp"
#include "tasks/series_csv.hpp"
#include "tasks/series_source.hpp"
#include "tasks/series_window.hpp"

namespace rlt {
namespace {

/// The default stride gives a training set at most as many.
constexpr Index training_windows = 4000;

class Series final : public FixedSets {
 public:
  explicit Series(const TaskOptions& options) : FixedSets(series_info(options)) {
    const OptionValues chosen =
        complete_options("task-option", info_.name, info_.options, options.options);
    const auto number = [&](const char* name) { return Index{std::stoll(chosen.at(name))}; };
    season_ = number("season");
    shape_ = {.look_back = number("look_back"), .horizon = number("horizon")};
    if (season_ > shape_.look_back) {
      fail(Exit::usage, "--task-option season={}: must be at most look_back={}", season_,
           shape_.look_back);
    }
    if (options.data.empty()) {
      source_.emplace(static_cast<std::uint64_t>(number("data_seed")), number("steps"));
      shape_.channels = SeriesSource::channels;
      cut(source_->values(), source_->steps(), {}, number("stride"));
    } else {
      const SeriesTable table = read_series(
          options.data, chosen.at("missing") == "forward" ? Missing::forward : Missing::error);
      shape_.channels = std::ssize(table.channels);
      cut(table.values, table.rows, table.channels, number("stride"));
    }
    info_.features = shape_.channels;
    info_.real_targets = shape_.real_targets();
    measure_training();
  }

  std::vector<Reference> references(const std::vector<Example>& examples) const override {
    std::vector<Reference> result;
    const auto add = [&](const char* name, const Forecaster& forecaster) {
      result.push_back({name, score_forecasts(examples, shape_, forecaster)});
    };
    add("repeat_last", seasonal_forecaster(shape_, 1));
    add("seasonal_naive", seasonal_forecaster(shape_, season_));
    add("linear", linear_forecaster(sets_.at("train"), shape_));
    if (source_)
      add("oracle", [this](const Example& example, double* z) { ask_oracle(example, z); });
    return result;
  }

 private:
  void cut(std::vector<double> values, Index rows, const std::vector<std::string>& names,
           Index stride) {
    const Index train_end = rows * 7 / 10, test_begin = rows - rows / 5;
    standardise(values, train_end, names);
    const Index count = train_end - shape_.steps() + 1;
    if (stride == 0) stride = std::max<Index>(1, (count + training_windows - 1) / training_windows);
    add_windows("train", values, shape_.look_back, train_end, stride);
    add_windows("valid", values, train_end, test_begin, 1);
    add_windows("test", values, test_begin, rows, 1);
  }

  void standardise(std::vector<double>& values, Index train_end,
                   const std::vector<std::string>& names) {
    const Index channels = shape_.channels;
    const auto rows = static_cast<double>(train_end);
    for (Index c = 0; c < channels; ++c) {
      double sum = 0, squares = 0;
      for (Index t = 0; t < train_end; ++t) sum += values[t * channels + c];
      const double mean = sum / rows;
      for (Index t = 0; t < train_end; ++t) squares += std::pow(values[t * channels + c] - mean, 2);
      double deviation = std::sqrt(squares / rows);
      if (!(deviation > 1e-9 * std::abs(mean))) {
        print_message("rlt: note: channel {} stands still over the training part: not scaled",
                      names[static_cast<std::size_t>(c)]);
        deviation = 1;
      }
      scales_.push_back({mean, deviation});
      for (std::size_t i = static_cast<std::size_t>(c); i < values.size(); i += channels) {
        values[i] = (values[i] - mean) / deviation;
      }
    }
  }

  /// The windows whose targets lie in rows [from, to).
  void add_windows(const char* split, const std::vector<double>& values, Index from, Index to,
                   Index stride) {
    from = std::max(from, shape_.look_back);
    const Index count = (to - from - shape_.horizon) / stride + 1;
    if (to - from < shape_.horizon) {
      fail(Exit::failed,
           "task series: {} rows give no {} window of look_back {} and horizon {}: its targets "
           "need {} "
           "rows, the split leaves {}",
           std::ssize(values) / shape_.channels, split, shape_.look_back, shape_.horizon,
           shape_.horizon, std::max<Index>(to - from, 0));
    }
    require_memory(bytes_of(sizeof(float), count, shape_.inputs() + shape_.real_targets()),
                   fmt::format("{} {} windows", count, split),
                   "--task-option horizon, look_back or stride");
    std::vector<Example>& set = sets_[split];
    set.reserve(static_cast<std::size_t>(count));
    for (Index now = from; now + shape_.horizon <= to; now += stride) {
      set.push_back(
          series_window(values.data() + (now - shape_.look_back) * shape_.channels, shape_));
      if (source_) begins_[fingerprint(set.back())] = now;
    }
  }

  /// Means and deviations of a window: with noise in the series, no two have the same.
  std::vector<float> fingerprint(const Example& example) const {
    return {example.real_targets.begin() + shape_.numbers(), example.real_targets.end()};
  }

  void ask_oracle(const Example& example, double* z) const {
    const std::vector<float> window = fingerprint(example);
    const auto begin = begins_.find(window);
    if (begin == begins_.end()) fail(Exit::failed, "task series: a window of another series");
    const std::vector<double> forecast = source_->forecast(begin->second, shape_.horizon);
    for (std::size_t i = 0; i < forecast.size(); ++i) {
      const std::size_t c = i % scales_.size();
      const double y = (forecast[i] - scales_[c].mean) / scales_[c].deviation;
      z[i] = (y - window[c]) / window[scales_.size() + c];
    }
  }

  struct Scale {
    double mean, deviation;
  };

  WindowShape shape_;
  Index season_;
  std::vector<Scale> scales_;  // by channel, of the training part
  std::optional<SeriesSource> source_;
  std::map<std::vector<float>, Index> begins_;  // of generated windows: where their targets begin
};

}  // namespace

TaskInfo series_info(const TaskOptions& options) {
  const auto whole = [](const char* name, const char* value, const char* help, double low,
                        double high) {
    return Option{.name = name,
                  .value = value,
                  .help = help,
                  .choices = {},
                  .low = low,
                  .high = high,
                  .whole = true};
  };
  TaskInfo info;
  info.name = "series";
  info.summary = "the next values of real-valued series, many steps at once";
  info.source =
      options.data.empty() ? "generated; setting of Aaren, arXiv 2405.13956" : options.data;
  info.rule = options.rule;
  info.label = "at the end of a window the next values of every channel";
  info.length_unit = "steps";
  info.data = "FILE.csv with a column date and a column of numbers for each channel";
  info.makes_own_sets = true;
  info.asks_last = true;
  info.likelihood = Likelihood::forecast;
  info.features = SeriesSource::channels;  // of a file as many as it has
  info.options = {
      whole("look_back", "96", "steps that a window shows", 2, 10'000),
      whole("horizon", "96", "steps that are foretold", 1, 10'000),
      whole("stride", "0", "rows between training windows; 0: the least that gives at most 4000", 0,
            1'000'000),
      whole("season", "24", "steps that the reference seasonal_naive repeats", 1, 10'000),
      {.name = "missing",
       .value = "error",
       .help = "what a missing value in a file is: an error, or the last value carried forward",
       .choices = {"error", "forward"}},
      whole("data_seed", "0", "of generated series", 0, 1'000'000'000),
      whole("steps", "10000", "length of generated series", 10, 1'000'000)};
  const OptionValues chosen =
      complete_options("task-option", info.name, info.options, options.options);
  const auto number = [&](const char* name) { return Index{std::stoll(chosen.at(name))}; };
  info.training = {number("look_back"), number("look_back")};
  info.real_targets = (number("horizon") + 2) * info.features;
  return info;
}

std::unique_ptr<Task> make_series(const TaskOptions& options) {
  return std::make_unique<Series>(options);
}

}  // namespace rlt
