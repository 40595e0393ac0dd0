#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tasks/task.hpp"
#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

std::unique_ptr<Task> series_class(const OptionValues& options, const std::string& data = {},
                                   const Symbols& symbols = {}) {
  return make_task("series_class",
                   {.rule = "paper", .data = data, .options = options, .symbols = symbols});
}

struct Folder : test::TemporaryFolder {
  std::string at(const std::string& name) const { return (path() / name).string(); }
  std::string error(const OptionValues& options = {}) const {
    return error_of([&] { series_class(options, path().string()); });
  }
};

const std::string two_classes = "@classLabel true up down\n@data\n";

/// Series 0 .. 11 of two values: the first `ups` of class up, then down.
std::string archive(int ups) {
  std::string text = two_classes;
  for (int i = 0; i < 12; ++i) text += fmt::format("{},0:{}\n", i, i < ups ? "up" : "down");
  return text;
}

struct Archive : Folder {
  Archive() {
    write("P_TRAIN.ts", archive(6));
    write("P_TEST.ts", "@classLabel true down up\n@data\n7,8,9:up\n");
  }
};

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

/// Seven training and two test images of 2 rows and 3 columns; pixel k of image i is 10 i + k.
struct Images : Folder {
  Images() {
    for (const std::string part : {"train", "t10k"}) {
      const int count = part == "train" ? 7 : 2;
      std::string images = bytes({0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 3});
      std::string labels = bytes({0, 0, 8, 1, 0, 0, 0, count});
      for (int i = 0; i < count; ++i) {
        for (int k = 0; k < 6; ++k) images += static_cast<char>(10 * i + k);
        labels += static_cast<char>(i % 4);
      }
      write(part + "-images-idx3-ubyte", images);
      write(part + "-labels-idx1-ubyte", labels);
    }
  }
};

void check_facts(const Task& task) {
  const TaskInfo& info = task.info();
  for (const char* split : {"train", "valid", "test"}) {
    REQUIRE(task.fixed_set(split) != nullptr);
    for (const Example& example : *task.fixed_set(split)) {
      REQUIRE(!example.tokens.empty());
      REQUIRE(example.reals.size() == example.tokens.size() * info.features);
      REQUIRE(example.targets.size() == 1);
      REQUIRE(example.targets[0] >= 0);
      REQUIRE(example.targets[0] < std::ssize(info.outputs));
    }
  }
}

}  // namespace

TEST_CASE("series_class: generated sets have the sizes asked for and share nothing") {
  for (const char* family : {"energy", "order"}) {
    const auto task = series_class(
        {{"family", family}, {"length", "31"}, {"channels", "3"}, {"sequences", "500"}});
    check_facts(*task);
    CHECK(task->info().features == 3);
    CHECK(task->info().training.low == 31);
    CHECK(task->info().asks_last);
    CHECK(task->fixed_set("train")->size() == 500);
    CHECK(task->fixed_set("valid")->size() == 100);
    CHECK(task->fixed_set("test")->size() == 100);
    std::set<std::vector<float>> seen;
    Index ones = 0;
    for (const char* split : {"train", "valid", "test"}) {
      for (const Example& example : *task->fixed_set(split)) {
        seen.insert(example.reals);
        ones += example.targets[0];
      }
    }
    CHECK(seen.size() == 700);
    CHECK(std::abs(ones - 350) < 60);  // 4.5 deviations
    const auto again = series_class({{"family", family}, {"length", "31"}, {"channels", "3"}});
    CHECK(again->fixed_set("train")->at(499).reals == task->fixed_set("train")->at(499).reals);
    const auto other =
        series_class({{"family", family}, {"length", "31"}, {"channels", "3"}, {"data_seed", "1"}});
    CHECK(other->fixed_set("train")->at(0).reals != task->fixed_set("train")->at(0).reals);
  }
}

TEST_CASE("series_class: energy is told by the mean square, order is not") {
  for (const std::string family : {"energy", "order"}) {
    const auto task = series_class({{"family", family}});
    Index right = 0;
    for (const Example& example : *task->fixed_set("train")) {
      double squares = 0;
      for (const float value : example.reals) squares += value * value;
      // Between the variances of the two classes: ln(1.5625) / (1 - 1 / 1.5625)
      right += (squares > 1.24 * 100) == (example.targets[0] == 1) ? 1 : 0;
    }
    CAPTURE(family);
    CAPTURE(right);
    if (family == "energy") CHECK(right > 0.9 * 2000);
    if (family == "order") CHECK(std::abs(right - 1000) < 100);  // 4.5 deviations
  }
}

TEST_CASE("series_class: a pair of .ts files, found by folder or by name") {
  const Archive folder;
  for (const std::string& data : {folder.path().string(), folder.at("P_TRAIN.ts")}) {
    const auto task = series_class({}, data);
    check_facts(*task);
    CHECK(task->info().outputs == std::vector<std::string>{"up", "down"});
    CHECK(task->info().features == 1);
    // The fifth of each class is held out.
    REQUIRE(task->fixed_set("train")->size() == 10);
    REQUIRE(task->fixed_set("valid")->size() == 2);
    CHECK(task->fixed_set("valid")->at(0).reals == std::vector<float>{4, 0});
    CHECK(task->fixed_set("valid")->at(0).targets == std::vector<int>{0});
    CHECK(task->fixed_set("valid")->at(1).reals == std::vector<float>{10, 0});
    CHECK(task->fixed_set("valid")->at(1).targets == std::vector<int>{1});
    // The test file names classes in another order, and has another length.
    REQUIRE(task->fixed_set("test")->size() == 1);
    CHECK(task->fixed_set("test")->at(0).reals == std::vector<float>{7, 8, 9});
    CHECK(task->fixed_set("test")->at(0).targets == std::vector<int>{0});
  }
}

TEST_CASE("series_class: the classes of a run keep their numbers, and there are no others") {
  const Archive folder;
  const auto task = series_class({}, folder.path().string(), {{}, {"down", "left", "up"}});
  CHECK(task->info().outputs == std::vector<std::string>{"down", "left", "up"});
  CHECK(task->fixed_set("test")->at(0).targets == std::vector<int>{2});
  CHECK(error_of([&] {
          series_class({}, folder.path().string(), {{}, {"down", "left"}});
        }) ==
        "1: --data " + folder.path().string() + ": class 'up' is not among the symbols of the run");
}

TEST_CASE("series_class: pairs of .ts files that do not fit are named") {
  const Archive folder;
  folder.write("P_TEST.ts", "@classLabel true down left\n@data\n1:down\n1:left\n");
  CHECK(folder.error() == "1: " + folder.at("P_TEST.ts") +
                              ":4: class 'left' is not in @classLabel of " +
                              folder.at("P_TRAIN.ts"));
  folder.write("P_TEST.ts", two_classes + "1:2:up\n");
  CHECK(folder.error() ==
        "1: " + folder.at("P_TEST.ts") + ": 2 dimensions, " + folder.at("P_TRAIN.ts") + " has 1");
  std::filesystem::remove(folder.at("P_TEST.ts"));
  CHECK(folder.error().starts_with("1: cannot read '" + folder.at("P_TEST.ts") + "'"));
  folder.write("P_TEST.ts", two_classes + "1:up\n");
  folder.write("P_TRAIN.ts", two_classes + "1:up\n1:down\n1:up\n1:up\n");
  CHECK(folder.error() == "1: " + folder.at("P_TRAIN.ts") +
                              ": no class has five series: nothing to hold out for validation");
  folder.write("Q_TRAIN.ts", archive(6));
  CHECK(folder.error() == "1: --data " + folder.path().string() +
                              ": holds 2 files *_TRAIN.ts; name one of them, such as " +
                              folder.at("P_TRAIN.ts"));
  CHECK(error_of([&] { series_class({}, folder.at("P_TEST.ts")); }) ==
        "1: --data " + folder.at("P_TEST.ts") + ": must be a folder, or a file NAME_TRAIN.ts");
}

TEST_CASE("series_class: images are read by rows or by pixels") {
  const Images folder;
  const auto rows = series_class({}, folder.path().string());
  const auto pixels = series_class({{"read", "pixels"}}, folder.path().string());
  check_facts(*rows);
  check_facts(*pixels);
  CHECK(rows->info().features == 3);
  CHECK(pixels->info().features == 1);
  CHECK(rows->info().training.high == 2);
  CHECK(pixels->info().training.high == 6);
  CHECK(rows->info().outputs == std::vector<std::string>{"0", "1", "2", "3"});
  CHECK(rows->fixed_set("train")->size() == 6);
  REQUIRE(rows->fixed_set("valid")->size() == 1);
  REQUIRE(rows->fixed_set("test")->size() == 2);
  const Example& last = rows->fixed_set("valid")->at(0);
  CHECK(last.targets == std::vector<int>{2});
  REQUIRE(last.reals.size() == 6);
  for (int k = 0; k < 6; ++k) CHECK(last.reals[k] == static_cast<float>(60 + k) / 255);
  CHECK(pixels->fixed_set("valid")->at(0).reals == last.reals);
  CHECK(rows->fixed_set("test")->at(1).targets == std::vector<int>{1});
  CHECK(rows->fixed_set("test")->at(1).reals[0] == 10.0F / 255);
}

TEST_CASE("series_class: images and labels that do not fit are named") {
  const Images folder;
  const std::string labels = folder.at("t10k-labels-idx1-ubyte");
  folder.write("t10k-labels-idx1-ubyte", bytes({0, 0, 8, 1, 0, 0, 0, 2, 0, 5}));
  CHECK(folder.error() == "1: " + labels + ": offset 9: label 5, those of training end at 3");
  folder.write("t10k-labels-idx1-ubyte", bytes({0, 0, 8, 1, 0, 0, 0, 1, 0}));
  CHECK(folder.error() ==
        "1: " + labels + ": 1 labels for the 2 images of " + folder.at("t10k-images-idx3-ubyte"));
  folder.write("t10k-labels-idx1-ubyte", bytes({0, 0, 8, 1, 0, 0, 0, 1, 0}));
  folder.write("t10k-images-idx3-ubyte",
               bytes({0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6}));
  CHECK(folder.error() == "1: " + folder.at("t10k-images-idx3-ubyte") + ": images of 3 x 2, " +
                              folder.at("train-images-idx3-ubyte") + " has 2 x 3");
  folder.write("train-images-idx3-ubyte",
               bytes({0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1}));
  folder.write("train-labels-idx1-ubyte", bytes({0, 0, 8, 1, 0, 0, 0, 1, 0}));
  CHECK(folder.error() ==
        "1: " + folder.at("train-images-idx3-ubyte") + ": 1 images: six or more are needed");
  const Folder empty;
  CHECK(empty.error() == "1: --data " + empty.path().string() +
                             ": holds neither a file *_TRAIN.ts nor train-images-idx3-ubyte[.gz]");
}
