// Labelled series as sets of examples, from the files of archives.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/series_csv.hpp"
#include "tasks/task.hpp"

namespace rlt {

struct ClassSets {
  Index channels = 0;
  std::vector<std::string> classes;
  std::map<std::string, std::vector<Example>> sets;  // train, valid, test
};

/// A series (T, channels), its class asked at the end.
Example labelled_series(std::vector<float> values, Index channels, int label);

inline constexpr std::string_view ts_training_file = "_TRAIN.ts", ts_test_file = "_TEST.ts";

/// The pair NAME_TRAIN.ts and NAME_TEST.ts beside it. Every fifth series of each class of the training file, in its
/// order, is held out for validation: such files are often sorted by class. Error(failed), beside what read_ts says:
/// nothing is held out, or the test file has other dimensions or a class that the training file does not name.
ClassSets read_ts_pair(const std::filesystem::path& training_file, Missing missing);

/// What is one step of an image.
enum class ImageStep { row, pixel };

/// FOLDER/train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each plain
/// or .gz. Values are divided by 255; the last sixth of the training images is for validation. Error(failed), beside
/// what read_idx says: labels and images differ in number, test images in size, or a test label is new.
ClassSets read_idx_folder(const std::filesystem::path& folder, ImageStep step);

}  // namespace rlt
