#include "tasks/class_sets.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "tasks/idx_file.hpp"
#include "tasks/ts_file.hpp"
#include "tasks/vocabulary.hpp"

namespace rlt {

namespace fs = std::filesystem;

Example labelled_series(std::vector<float> values, Index channels, int label) {
  Example example;
  example.tokens.assign(values.size() / static_cast<std::size_t>(channels), 0);
  example.targets = {label};
  example.reals = std::move(values);
  return example;
}

ClassSets read_ts_pair(const fs::path& training_file, Missing missing) {
  std::string name = training_file.string();
  name.resize(name.size() - ts_training_file.size());
  const fs::path test_file = name.append(ts_test_file);
  TsFile train = read_ts(training_file, missing), test = read_ts(test_file, missing);
  if (train.channels != test.channels) {
    fail(Exit::failed, "{}: {} dimensions, {} has {}", test_file.string(), test.channels,
         training_file.string(), train.channels);
  }
  ClassSets result{.channels = train.channels, .classes = train.classes, .sets = {}};
  std::vector<Index> seen(train.classes.size());
  for (TsSeries& series : train.series) {
    const bool held_out = ++seen[static_cast<std::size_t>(series.label)] % 5 == 0;
    result.sets[held_out ? "valid" : "train"].push_back(
        labelled_series(std::move(series.values), train.channels, series.label));
  }
  if (result.sets["valid"].empty()) {
    fail(Exit::failed, "{}: no class has five series: nothing to hold out for validation",
         training_file.string());
  }
  const Vocabulary classes(train.classes);
  for (TsSeries& series : test.series) {
    const std::string& label = test.classes[static_cast<std::size_t>(series.label)];
    if (classes.find(label) < 0) {
      fail(Exit::failed, "{}:{}: class '{}' is not in @classLabel of {}", test_file.string(),
           series.line, label, training_file.string());
    }
    result.sets["test"].push_back(
        labelled_series(std::move(series.values), test.channels, classes.find(label)));
  }
  return result;
}

namespace {

struct Images {
  fs::path path, labels_path;
  IdxFile pixels, labels;  // (N, rows, columns), (N)

  Images(const fs::path& folder, const std::string& part)
      : path(idx_path(folder, part + "-images-idx3-ubyte")),
        labels_path(idx_path(folder, part + "-labels-idx1-ubyte")),
        pixels(read_idx(path, 3)),
        labels(read_idx(labels_path, 1)) {
    if (labels.sizes[0] == count()) return;
    fail(Exit::failed, "{}: {} labels for the {} images of {}", labels_path.string(),
         labels.sizes[0], count(), path.string());
  }

  Index count() const { return pixels.sizes[0]; }
  Index size() const { return pixels.sizes[1] * pixels.sizes[2]; }
  Index columns() const { return pixels.sizes[2]; }

  std::vector<Example> examples(Index channels) const {
    require_memory(bytes_of(sizeof(float), count(), size() + size() / channels),
                   path.filename().string(), "the files");
    std::vector<Example> result;
    result.reserve(static_cast<std::size_t>(count()));
    for (Index i = 0; i < count(); ++i) {
      std::vector<float> values(static_cast<std::size_t>(size()));
      for (Index k = 0; k < size(); ++k) {
        values[static_cast<std::size_t>(k)] = static_cast<float>(pixels[i * size() + k]) / 255;
      }
      result.push_back(labelled_series(std::move(values), channels, labels[i]));
    }
    return result;
  }
};

}  // namespace

ClassSets read_idx_folder(const fs::path& folder, ImageStep step) {
  const Images train(folder, "train"), test(folder, "t10k");
  const Index held_out = train.count() / 6;
  if (held_out == 0) {
    fail(Exit::failed, "{}: {} images: six or more are needed", train.path.string(), train.count());
  }
  if (!std::equal(test.pixels.sizes.begin() + 1, test.pixels.sizes.end(),
                  train.pixels.sizes.begin() + 1)) {
    fail(Exit::failed, "{}: images of {} x {}, {} has {} x {}", test.path.string(),
         test.pixels.sizes[1], test.pixels.sizes[2], train.path.string(), train.pixels.sizes[1],
         train.pixels.sizes[2]);
  }
  int highest = 0;
  for (Index i = 0; i < train.count(); ++i) highest = std::max(highest, train.labels[i]);
  for (Index i = 0; i < test.count(); ++i) {
    if (test.labels[i] <= highest) continue;
    fail(Exit::failed, "{}: offset {}: label {}, those of training end at {}",
         test.labels_path.string(), 8 + i, test.labels[i], highest);
  }
  ClassSets result;
  result.channels = step == ImageStep::row ? train.columns() : 1;
  for (int label = 0; label <= highest; ++label) result.classes.push_back(std::to_string(label));
  std::vector<Example> examples = train.examples(result.channels);
  const auto cut = examples.end() - held_out;
  result.sets["valid"].assign(std::move_iterator(cut), std::move_iterator(examples.end()));
  examples.erase(cut, examples.end());
  result.sets["train"] = std::move(examples);
  result.sets["test"] = test.examples(result.channels);
  return result;
}

}  // namespace rlt
