// series_class: real-valued series of one or several channels; at the end, which class?
// Paper: Aaren (arXiv 2405.13956), which classifies ten sets of the UEA archive.
// Data: generated (series_families.hpp): family energy, where order says nothing, or order, where only order tells.
//   Or the user's (--data; class_sets.hpp): FOLDER with one pair NAME_TRAIN.ts and NAME_TEST.ts, as in the UCR and UEA
//   archives, or the path of a NAME_TRAIN.ts; or FOLDER with the four IDX files of MNIST or Fashion-MNIST.
// Label: nothing is asked before the end; outputs are the names of the classes.
// Sampling: none. The sets are fixed (Task::fixed_set); generated validation and test sets have a fifth of
//   `sequences` each.
// departs: Time-Series-Library stops and selects on the test set; here a part of the training file is held out for
//   that.
#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "io/file.hpp"
#include "tasks/class_sets.hpp"
#include "tasks/fixed_sets.hpp"
#include "tasks/idx_file.hpp"
#include "tasks/registry.hpp"
#include "tasks/series_families.hpp"
#include "tasks/vocabulary.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

/// The training file of the pair that `data` names; empty where it is a folder without one.
fs::path ts_file(const std::string& data) {
  if (!is_folder(data)) {
    if (data.ends_with(ts_training_file)) return data;
    fail(Exit::failed, "--data {}: must be a folder, or a file NAME{}", data, ts_training_file);
  }
  std::vector<fs::path> found;
  std::error_code problem;
  fs::directory_iterator entry(data, problem);
  for (; !problem && entry != fs::end(entry); entry.increment(problem)) {
    if (entry->path().string().ends_with(ts_training_file)) found.push_back(entry->path());
  }
  if (problem) fail(Exit::failed, "--data {}: cannot be listed: {}", data, problem.message());
  if (found.size() > 1) {
    fail(Exit::failed, "--data {}: holds {} files *{}; name one of them, such as {}", data,
         found.size(), ts_training_file, std::ranges::min_element(found)->string());
  }
  return found.empty() ? fs::path() : found[0];
}

ClassSets read_sets(const std::string& data, const OptionValues& chosen) {
  const fs::path training = ts_file(data);
  if (training.empty()) {
    const std::string images = "train-images-idx3-ubyte";
    if (!file_exists(idx_path(data, images))) {
      fail(Exit::failed, "--data {}: holds neither a file *{} nor {}[.gz]", data, ts_training_file,
           images);
    }
    return read_idx_folder(data, chosen.at("read") == "rows" ? ImageStep::row : ImageStep::pixel);
  }
  return read_ts_pair(training,
                      chosen.at("missing") == "forward" ? Missing::forward : Missing::error);
}

ClassSets generate_sets(const OptionValues& chosen) {
  const auto number = [&](const char* name) { return Index{std::stoll(chosen.at(name))}; };
  const std::string& family = chosen.at("family");
  const auto series = family == "energy" ? energy_series : order_series;
  const Index length = number("length"), sequences = number("sequences");
  ClassSets result{.channels = number("channels"), .classes = {"0", "1"}, .sets = {}};
  require_memory(bytes_of(2 * sizeof(float), sequences, length, result.channels),
                 "that many series", "--task-option sequences or length");
  const Rng all = Rng(static_cast<std::uint64_t>(number("data_seed"))).stream("series_class");
  for (const std::string split : {"train", "valid", "test"}) {
    const Index size = split == "train" ? sequences : std::max<Index>(1, sequences / 5);
    for (Index i = 0; i < size; ++i) {
      const Rng rng = all.stream(family).stream(split).stream(static_cast<std::uint64_t>(i));
      const int label = static_cast<int>(rng.stream("class").below(0, 2));
      result.sets[split].push_back(labelled_series(
          series(rng.stream("values"), length, result.channels, label), result.channels, label));
    }
  }
  return result;
}

class SeriesClass final : public FixedSets {
 public:
  explicit SeriesClass(const TaskOptions& options) : FixedSets(series_class_info(options)) {
    const OptionValues chosen =
        complete_options("task-option", info_.name, info_.options, options.options);
    ClassSets read = options.data.empty() ? generate_sets(chosen) : read_sets(options.data, chosen);
    info_.features = read.channels;
    info_.outputs = options.symbols.outputs.empty() ? read.classes : options.symbols.outputs;
    const Vocabulary classes(info_.outputs);
    for (const std::string& name : read.classes) {
      if (classes.find(name) >= 0) continue;
      fail(Exit::failed, "--data {}: class '{}' is not among the symbols of the run", options.data,
           name);
    }
    for (auto& [split, examples] : read.sets) {
      for (Example& example : examples) {
        int& label = example.targets[0];
        label = classes.find(read.classes[static_cast<std::size_t>(label)]);
      }
      sets_[split] = std::move(examples);
    }
    measure_training();
  }
};

}  // namespace

TaskInfo series_class_info(const TaskOptions& options) {
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
  const auto word = [](const char* name, const char* help, std::vector<std::string> choices) {
    return Option{.name = name, .value = choices[0], .help = help, .choices = choices};
  };
  TaskInfo info;
  info.name = "series_class";
  info.summary = "the class of real-valued series";
  info.source =
      options.data.empty() ? "generated; setting of Aaren, arXiv 2405.13956" : options.data;
  info.rule = options.rule;
  info.label = "at the end of a series its class";
  info.length_unit = "steps";
  info.data =
      "FOLDER with one NAME_TRAIN.ts and NAME_TEST.ts or the IDX files of MNIST, or NAME_TRAIN.ts";
  info.makes_own_sets = true;
  info.asks_last = true;
  info.options = {
      word("family",
           "what tells generated classes apart: the size of values, or the order of two motifs",
           {"order", "energy"}),
      whole("length", "100", "steps of a generated series", shortest_family_series, 1'000'000),
      whole("channels", "1", "of generated series", 1, 3),
      whole("sequences", "2000",
            "generated training series; a fifth as many to validate and to test", 1, 10'000'000),
      whole("data_seed", "0", "of generated series", 0, 1'000'000'000),
      word("missing",
           "what a missing value in a .ts file is: an error, or the last value carried forward",
           {"error", "forward"}),
      word("read", "a step of an image: a row of pixels, or one pixel", {"rows", "pixels"})};
  const OptionValues chosen =
      complete_options("task-option", info.name, info.options, options.options);
  const auto number = [&](const char* name) { return Index{std::stoll(chosen.at(name))}; };
  info.training = {number("length"), number("length")};
  info.features = number("channels");  // of files as many as they have
  if (options.data.empty()) info.outputs = {"0", "1"};
  return info;
}

std::unique_ptr<Task> make_series_class(const TaskOptions& options) {
  return std::make_unique<SeriesClass>(options);
}

}  // namespace rlt
