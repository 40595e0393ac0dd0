#include <doctest/doctest.h>

#include <list>

#include "tasks/task.hpp"
#include "tests/support/message.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/temporary_folder.hpp"
#include "train/dataset.hpp"

using namespace rlt;
using test::error_of;

namespace {

/// A folder with a good train and valid set; tests then overwrite one file.
struct Folder : test::TemporaryFolder {
  Folder() {
    write("train.src", "a b a\nb\nb\n");
    write("train.tgt", "1 0 1\n0\n0\n");
    write("valid.src", "b a\n");
    write("valid.tgt", "0 1\n");
  }
  std::unique_ptr<Task> task(const Symbols& symbols = {}) const {
    return make_task("file",
                     {.rule = "paper", .data = path().string(), .options = {}, .symbols = symbols});
  }
  Symbols symbols() const {
    const auto read = task();
    return {read->info().inputs, read->info().outputs};
  }
  std::string error() const {
    return error_of([&] { task(); });
  }
  std::string at(const char* name) const { return (path() / name).string(); }
};

}  // namespace

TEST_CASE("file: fixed sets come back as they are, duplicates included") {
  const Folder folder;
  const auto task = folder.task();
  REQUIRE(task->fixed_set("train") != nullptr);
  REQUIRE(task->fixed_set("valid") != nullptr);
  CHECK(task->fixed_set("test") == nullptr);
  CHECK(task->fixed_set("train")->size() == 3);
  CHECK(task->fixed_set("valid")->at(0).tokens == std::vector<int>{1, 0});
  CHECK(task->fixed_set("valid")->at(0).targets == std::vector<int>{1, 0});  // 1 came first
  CHECK(task->info().outputs == std::vector<std::string>{"1", "0"});
  CHECK(task->info().training.low == 1);
  CHECK(task->info().training.high == 3);
  CHECK(training_set(*task, {1, 3}, 2, 1, {}).size() == 2);
  CHECK(training_set(*task, {1, 3}, 999, 1, {}).size() == 3);
  folder.write("test.src", "a a a a\n");
  folder.write("test.tgt", "1 1 1 1\n");
  CHECK(folder.task()->fixed_set("test")->at(0).tokens.size() == 4);
}

TEST_CASE("file: the official names do as well") {
  const Folder folder;
  for (const char* end : {".src", ".tgt"}) {
    for (const std::string split : {"train", "valid"}) {
      std::filesystem::rename(folder.path() / (split + end), folder.path() / (split + "_50" + end));
    }
  }
  CHECK(folder.task()->fixed_set("train")->size() == 3);
}

TEST_CASE("file: errors name file and line") {
  const auto broken = [](const char* name, const char* text, const std::string& message) {
    const Folder folder;
    folder.write(name, text);
    CHECK(folder.error() == "1: " + folder.at(name) + message);
  };
  broken("valid.src", "b c\n", ":1: 'c' does not occur in the training set");
  broken("valid.tgt", "0 2\n", ":1: '2' does not occur in the training set");
  broken("train.src", "a b a\n \nb\n", ":2: blank line");
  broken("train.src", "", ": holds no sequence");
  const Folder folder;
  folder.write("train.tgt", "1 0 1\n0 0\n0\n");
  CHECK(folder.error() == "1: " + folder.at("train.tgt") + ":2: 2 classes for the 1 symbols of " +
                              folder.at("train.src"));
}

TEST_CASE("file: a file in another encoding is named with its line") {
  const Folder folder;
  folder.write("valid.src", "b a\n\xE9\n");
  CHECK(folder.error().starts_with("1: " + folder.at("valid.src") + ":2: byte 0xe9 at offset 4 "));
  folder.write("train.tgt", std::string("\xFF\xFE\x31\0", 4));
  CHECK(folder.error().starts_with("1: " + folder.at("train.tgt") + ":1: UTF-16 text, not UTF-8"));
}

TEST_CASE("file: the symbols of a run keep their numbers, and there are no others") {
  const Folder folder;
  const Symbols symbols = folder.symbols();
  folder.write("train.src", "b\na b\n");
  folder.write("train.tgt", "0\n1 0\n");
  const auto again = folder.task(symbols);
  CHECK(again->info().inputs == symbols.inputs);
  CHECK(again->info().outputs == symbols.outputs);
  CHECK(again->fixed_set("train")->at(0).tokens == std::vector<int>{1});
  CHECK(folder.symbols().inputs != symbols.inputs);
  folder.write("valid.tgt", "0 2\n");
  CHECK(error_of([&] { folder.task(symbols); }) ==
        "1: " + folder.at("valid.tgt") + ":1: '2' is not among the symbols of the run");
}

TEST_CASE("file: pipes are read once") {
  const Folder folder;
  std::list<test::Pipe> pipes;
  for (const char* name : {"train.src", "train.tgt", "valid.src", "valid.tgt"}) {
    std::filesystem::remove(folder.at(name));
    pipes.emplace_back(folder.at(name), "a b\n");
  }
  const auto task = folder.task();
  CHECK(task->fixed_set("train")->size() == 1);
  CHECK(task->fixed_set("valid")->size() == 1);
}

TEST_CASE("file: missing or unpaired files are errors") {
  const Folder folder;
  std::filesystem::remove(folder.path() / "valid.tgt");
  CHECK(folder.error() ==
        "1: cannot read '" + folder.at("valid.tgt") + "': No such file or directory");
  std::filesystem::remove(folder.path() / "valid.src");
  CHECK(folder.error() ==
        "1: --data " + folder.path().string() + ": holds neither valid.src nor valid_50.src");
  folder.write("valid.src", "a\nb\n");
  folder.write("valid.tgt", "1\n");
  CHECK(folder.error() == "1: " + folder.at("valid.src") + " has 2 lines, " +
                              folder.at("valid.tgt") + " has 1: they must pair up");
  CHECK(error_of([] {
          make_task("file", {.rule = "paper", .data = "/no/such/folder", .options = {}});
        }) == "1: --data /no/such/folder: no such file or folder");
  CHECK(error_of([&] {
          make_task("file", {.rule = "paper", .data = folder.at("valid.src"), .options = {}});
        }) == "1: --data " + folder.at("valid.src") + ": must be a folder");
  CHECK(error_of([] { make_task("file", {}); }).starts_with("2: --task file: needs --data"));
}

TEST_CASE("file: nothing can be drawn") {
  const Folder folder;
  const auto task = folder.task();
  Draws draws(Rng(1));
  Example example;
  CHECK(error_of([&] { task->draw(draws, {1, 3}, example); }).starts_with("2: task file"));
  CHECK(error_of([&] { task->draw_exact(draws, 3, example); }).starts_with("2: task file"));
}
