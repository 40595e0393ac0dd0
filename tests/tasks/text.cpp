#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "tasks/task.hpp"
#include "tests/support/message.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/slow_labels.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

std::unique_ptr<Task> text_task(const std::filesystem::path& data, const OptionValues& options = {},
                                const Symbols& symbols = {}) {
  return make_task(
      "text", {.rule = "paper", .data = data.string(), .options = options, .symbols = symbols});
}

std::string repeated(const std::string& text, int count) {
  std::string result;
  while (count-- > 0) result += text;
  return result;
}

std::string symbols_of(const Task& task, const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += task.info().inputs.at(static_cast<std::size_t>(number));
  return text;
}

/// The characters of the documents of a split, each as it was before it was cut into (token, target).
std::vector<std::string> documents(const Task& task, const char* split) {
  std::vector<std::string> texts;
  for (const Example& example : *task.fixed_set(split)) {
    REQUIRE(example.tokens.size() == example.targets.size());
    REQUIRE(std::equal(example.tokens.begin() + 1, example.tokens.end(), example.targets.begin()));
    texts.push_back(symbols_of(task, example.tokens) + symbols_of(task, {example.targets.back()}));
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("text: a file is cut at 90 and 95 % of its characters, every next one is the target") {
  const test::TemporaryFolder folder;
  folder.write("a", repeated("abcdefghé", 20) + "abcd1efgh2abcdefghi3");  // 200 characters
  const auto task = text_task(folder.path() / "a");
  CHECK(documents(*task, "train") == Texts{repeated("abcdefghé", 20)});
  // what training never shows is the unknown symbol, as input and as class
  CHECK(documents(*task, "valid") == Texts{"abcd<unknown>efgh<unknown>"});
  CHECK(documents(*task, "test") == Texts{"abcdefgh<unknown><unknown>"});
  CHECK(task->info().inputs == Texts{"<unknown>", "a", "b", "c", "d", "e", "f", "g", "h", "é"});
  CHECK(task->info().outputs == task->info().inputs);
  CHECK(task->info().documents);
  CHECK(task->info().quirks.empty());
  CHECK(task->info().training.low == 179);
  CHECK(task->info().training.high == 179);
  CHECK(task->fixed_set("other") == nullptr);

  const auto half = text_task(folder.path() / "a", {{"held_out", "0.5"}});
  CHECK(half->fixed_set("train")->at(0).tokens.size() == 99);
  CHECK(half->fixed_set("valid")->at(0).tokens.size() == 49);
  CHECK(half->fixed_set("test")->at(0).tokens.size() == 49);
}

TEST_CASE("text: folders train, valid and test are the splits, of whole documents") {
  const test::TemporaryFolder folder;
  for (const char* const inner : {"train/deeper", "valid", "test", "plain/train", "plain/valid"}) {
    std::filesystem::create_directories(folder.path() / inner);
  }
  folder.write("train/a", "abab");
  folder.write("train/deeper/b", "bb");
  folder.write("valid/a", "abcabcabc");
  folder.write("test/a", "ba");
  folder.write("test/b", "aa");
  folder.write("other", "zz");  // belongs to no split
  const auto sorted = [](Texts texts) {
    std::ranges::sort(texts);
    return texts;
  };
  const auto task = text_task(folder.path());
  CHECK(sorted(documents(*task, "train")) == Texts{"abab", "bb"});
  CHECK(documents(*task, "valid") == Texts{"ab<unknown>ab<unknown>ab<unknown>"});
  CHECK(sorted(documents(*task, "test")) == Texts{"aa", "ba"});
  CHECK(error_of([&] {
          text_task(folder.path(), {{"held_out", "0.2"}});
        }).find("held_out") != std::string::npos);

  folder.write("plain/train/a", repeated("ab", 100));  // two of the three are a folder as any other
  folder.write("plain/valid/a", repeated("ab", 100));
  CHECK(text_task(folder.path() / "plain")->fixed_set("valid")->at(0).tokens.size() == 19);
}

TEST_CASE("text: no symbol holds white space or anything that does not show") {
  const test::TemporaryFolder folder;
  folder.write("a", repeated("\\ \t\r\n\v\u00a0\u3000\ufeff\u2028n", 20));
  CHECK(text_task(folder.path() / "a")->info().inputs ==
        Texts{"<unknown>", "\\\\", "\\s", "\\t", "\\r", "\\n", "\\u{b}", "\\u{a0}", "\\u{3000}",
              "\\u{feff}", "\\u{2028}", "n"});
}

TEST_CASE("text: a folder gives one document a file, in an order of its own") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "below" / "deep");
  const std::string letters = "abcdefghijklmnopqrst";
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const std::string place = i % 3 == 0 ? "below/deep/" : i % 3 == 1 ? "below/" : "";
    folder.write(place + letters[i], repeated(letters.substr(i, 1), 10));
  }
  const auto task = text_task(folder.path(), {{"held_out", "0.5"}});
  // 100, 50 and 50 characters: 10, 5 and 5 whole documents
  std::string order;
  for (const char* split : {"train", "valid", "test"}) {
    for (const std::string& text : documents(*task, split)) {
      if (std::string(split) == "train") order += text[0];
      CHECK(text.size() % 10 == 0);  // letters; `<unknown>`, 9 letters, comes ten times as well
    }
  }
  CHECK(task->fixed_set("train")->size() == 10);
  CHECK(task->fixed_set("valid")->size() == 5);
  CHECK(task->fixed_set("test")->size() == 5);
  CHECK(!std::is_sorted(order.begin(), order.end()));
  CHECK(task->info().quirks.empty());

  // the order is that of the paths below the folder, wherever the folder lies
  const test::TemporaryFolder other;
  std::filesystem::copy(folder.path(), other.path() / "moved",
                        std::filesystem::copy_options::recursive);
  const auto moved = text_task(other.path() / "moved" / "", {{"held_out", "0.5"}});
  CHECK(documents(*moved, "train") == documents(*task, "train"));
}

TEST_CASE("text: a document across a border becomes two, a piece of one character none") {
  const test::TemporaryFolder folder;
  folder.write("a", repeated("x", 60));
  folder.write("b", repeated("y", 60));
  const auto cut = text_task(folder.path());
  const Texts train = documents(*cut, "train");
  REQUIRE(train.size() == 2);
  const bool a_first = train[0] == repeated("x", 60);
  const std::string first = a_first ? "x" : "y", second = a_first ? "y" : "x";
  CHECK(train == Texts{repeated(first, 60), repeated(second, 48)});
  CHECK(documents(*cut, "valid") == Texts{repeated(second, 6)});
  CHECK(documents(*cut, "test") == Texts{repeated(second, 6)});

  // 59 of 120 held out: training ends one character into the second document
  const auto just_past = text_task(folder.path(), {{"held_out", "0.4916667"}});
  CHECK(documents(*just_past, "train") == Texts{repeated(first, 60)});
  CHECK(just_past->info().inputs == Texts{"<unknown>", first, second});  // it was seen all the same
  CHECK(documents(*just_past, "valid") == Texts{repeated(second, 29)});
  CHECK(documents(*just_past, "test") == Texts{repeated(second, 30)});
}

TEST_CASE("text: the symbols of a run keep their numbers, all others are unknown") {
  const test::TemporaryFolder folder;
  folder.write("a", repeated("ab \\s\n", 20));
  const TaskInfo run = text_task(folder.path() / "a")->info();
  const Symbols symbols{run.inputs, run.outputs};
  folder.write("a", repeated("\n\\ new b\\sa", 20));
  const auto again = text_task(folder.path() / "a", {}, symbols);
  CHECK(again->info().inputs == symbols.inputs);
  CHECK(again->info().outputs == symbols.outputs);
  CHECK(documents(*again, "train")
            .at(0)
            .starts_with("\\n\\\\\\s<unknown><unknown><unknown>\\sb\\\\sa"));
  CHECK(text_task(folder.path() / "a")->info().inputs != symbols.inputs);
}

TEST_CASE("text: subwords stand behind the characters, and a run's cut its text again") {
  const test::TemporaryFolder folder;
  const std::string text = repeated("the \\u{61} theme\n", 40);
  folder.write("a", text);
  const auto task = text_task(folder.path() / "a", {{"merges", "3"}});
  const Texts& symbols = task->info().inputs;
  REQUIRE(symbols.size() >= 4);
  CHECK(Texts(symbols.end() - 3, symbols.end()) == Texts{"th", "the", "\\sthe"});
  const auto plain = text_task(folder.path() / "a");
  CHECK(documents(*task, "train") == documents(*plain, "train"));
  CHECK(documents(*task, "valid") == documents(*plain, "valid"));
  CHECK(task->fixed_set("train")->at(0).tokens.size() <
        plain->fixed_set("train")->at(0).tokens.size());
  // As the run: the names of its symbols are enough.
  const auto again = text_task(folder.path() / "a", {{"merges", "3"}}, {symbols, symbols});
  for (const char* split : {"train", "valid", "test"}) {
    CHECK(again->fixed_set(split)->at(0).tokens == task->fixed_set(split)->at(0).tokens);
  }
}

TEST_CASE("text: the bytes of a set are those of all symbols that are predicted") {
  const test::TemporaryFolder folder;
  folder.write("a", repeated("é\u20aca ", 100));  // 7 bytes, 4 characters
  const auto task = text_task(folder.path() / "a");
  CHECK(task->predicted_bytes("train") == 7 * 90 - 2);
  CHECK(task->predicted_bytes("valid") == 7 * 5 - 2);
  const auto merged = text_task(folder.path() / "a", {{"merges", "2"}});
  CHECK(merged->fixed_set("train")->at(0).tokens.size() < 200);
  CHECK(merged->predicted_bytes("train") < 7 * 90 - 2);
  CHECK(merged->predicted_bytes("train") >= 7 * 90 - 7);
  CHECK(
      make_task("parity", {.rule = "paper", .data = {}, .options = {}})->predicted_bytes("train") ==
      0);
}

TEST_CASE("text: a byte-order mark is no character") {
  const test::TemporaryFolder folder;
  folder.write("below.txt", "\ufeff" + repeated("ab", 50));
  const Texts expected{"<unknown>", "a", "b"};
  CHECK(text_task(folder.path() / "below.txt")->info().inputs == expected);
  CHECK(text_task(folder.path())->info().inputs == expected);
}

TEST_CASE("text: links to files are documents, a file that several names lead to is one") {
  const test::TemporaryFolder elsewhere, folder;
  elsewhere.write("one", repeated("x", 100));
  elsewhere.write("two", repeated("y", 100));
  namespace fs = std::filesystem;
  fs::create_directory(folder.path() / "below");
  const fs::path names[] = {"b", "below/c", "a"};
  for (const fs::path& name : names)
    fs::create_symlink(elsewhere.path() / "one", folder.path() / name);
  fs::create_symlink(elsewhere.path() / "two", folder.path() / "d");
  const auto count = [&] {
    const auto task = text_task(folder.path(), {{"held_out", "0.002"}});
    Index characters = 0;
    for (const char* split : {"train", "valid", "test"}) {
      for (const Example& example : *task->fixed_set(split))
        characters += 1 + std::ssize(example.tokens);
    }
    return characters;
  };
  CHECK(error_of([&] {
          text_task(folder.path(), {{"held_out", "0.002"}});
        }).find("200 characters") != std::string::npos);
  elsewhere.write("two", repeated("y", 3900));
  CHECK(count() == 4000);
  // Links that lead nowhere, round in a circle, to the parent or to another folder do no harm.
  fs::create_symlink("nowhere", folder.path() / "dangling");
  fs::create_symlink("circle", folder.path() / "circle");
  fs::create_symlink("..", folder.path() / "parent");
  fs::create_symlink(folder.path(), folder.path() / "self");
  fs::create_symlink(elsewhere.path(), folder.path() / "other");
  CHECK(count() == 4000);
  // A link beside its file adds nothing.
  folder.write("file", repeated("z", 100));
  fs::create_symlink("file", folder.path() / "link");
  CHECK(count() == 4100);
}

TEST_CASE("text: a pipe is read once") {
  const test::TemporaryFolder folder;
  const test::Pipe pipe(folder.path() / "pipe", repeated("ab", 50));
  const auto task = text_task(folder.path() / "pipe");
  CHECK(task->fixed_set("train")->at(0).tokens.size() == 89);
}

TEST_CASE("text: files of a folder that are no text are skipped") {
  const test::TemporaryFolder folder;
  folder.write("good", repeated("some text\n", 10));
  folder.write("binary", std::string("so\0me", 5));
  folder.write("latin", "caf\xE9 au lait");
  folder.write("empty", "");
  folder.write("single", "x");
  std::filesystem::create_symlink("good", folder.path() / "link");
  const auto task = text_task(folder.path());
  CHECK(task->fixed_set("train")->size() == 1);
  CHECK(task->fixed_set("train")->at(0).tokens.size() == 89);
}

TEST_CASE("text: errors say where and what") {
  const test::TemporaryFolder folder;
  const auto error = [&](const std::string& name, const std::string& text) {
    folder.write(name, text);
    return error_of([&] { text_task(folder.path() / name); });
  };
  const std::string a = (folder.path() / "a").string();
  CHECK(error("a", "one\ntwö\nthr\xC3 e\n") ==
        "1: " + a + ":3: byte 0xc3 at offset 12 is not UTF-8 text");
  CHECK(error("a", std::string("one\n\0two", 8)) ==
        "1: " + a + ":2: byte 0x00 at offset 4 is not UTF-8 text");
  CHECK(error("a", repeated("x", 40)) == "no error");
  const std::string needed =
      "training, validation and test need two neighbouring characters each; one document of 40 "
      "will do";
  CHECK(error("a", repeated("x", 29)) ==
        "1: --data " + a + ": too little text, 29 characters: " + needed);
  CHECK(error("a", "") == "1: --data " + a + ": too little text, 0 characters: " + needed);
  std::filesystem::create_directories(folder.path() / "none");
  const std::string none = (folder.path() / "none").string();
  CHECK(error_of([&] { text_task(none); }) ==
        "1: --data " + none + ": too little text, 0 characters: " + needed);
  CHECK(error_of([] { text_task("/no/such/text"); }) ==
        "1: --data /no/such/text: no such file or folder");
  CHECK(error_of([] { make_task("text", {}); }) ==
        "2: --task text: needs --data FILE or FOLDER of UTF-8 text");
  CHECK(error_of([&] {
          text_task(folder.path(), {{"held_out", "0.6"}});
        }) == "2: --task-option held_out=0.6: text takes a number from 0.002 to 0.5");
}

TEST_CASE("text: as little text as the error asks for is enough, whatever is held out") {
  const test::TemporaryFolder folder;
  folder.write("a", "x");
  for (const char* held_out : {"0.002", "0.0137", "0.07", "0.1", "0.3", "0.37", "0.45", "0.5"}) {
    CAPTURE(held_out);
    folder.write("a", "x");
    const std::string error = error_of([&] {
      text_task(folder.path() / "a", {{"held_out", held_out}});
    });
    const std::string before = "one document of ";
    const int needed = std::stoi(error.substr(error.find(before) + before.size()));
    folder.write("a", repeated("x", needed));
    CHECK(error_of([&] {
            text_task(folder.path() / "a", {{"held_out", held_out}});
          }) == "no error");
  }
}

TEST_CASE("text: nothing can be drawn") {
  const test::TemporaryFolder folder;
  folder.write("a", repeated("text", 20));
  const auto task = text_task(folder.path() / "a");
  Draws draws(Rng(1));
  Example example;
  CHECK(error_of([&] { task->draw(draws, {1, 3}, example); }).starts_with("2: task text"));
  CHECK(error_of([&] { task->draw_exact(draws, 3, example); }).starts_with("2: task text"));
  CHECK(task->possible_length(9) == 0);
}

TEST_CASE("text: ten million characters load in about ten times the time of one million") {
  const auto clocks_of = [](int lines) {  // of this process, whatever else runs
    const test::TemporaryFolder folder;
    folder.write("a", repeated("ten bytes\n", lines));
    const std::clock_t start = std::clock();
    const auto task = text_task(folder.path() / "a");
    const std::clock_t taken = std::clock() - start;
    CHECK(task->fixed_set("train")->at(0).tokens.size() == 9 * static_cast<std::size_t>(lines) - 1);
    return taken;
  };
  const std::clock_t one_million = clocks_of(100'000);
  CHECK(clocks_of(1'000'000) < 30 * one_million);  // by the square: 100 times
}
