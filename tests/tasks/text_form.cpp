#include "tasks/text_form.hpp"

#include <doctest/doctest.h>

#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"
#include "train/dataset.hpp"

using namespace rlt;
using test::error_of;

TEST_CASE("text form: what is written is read back, with the vocabulary in order of appearance") {
  const test::TemporaryFolder folder;
  const auto task = make_task("shuffle2", {});
  const auto examples = evaluation_set(*task, {3, 21}, 37, 1);
  write_text_form(folder.path() / "set", task->info(), examples);
  CHECK(!std::filesystem::exists(folder.path() / "set.src.part"));
  Vocabulary inputs, outputs;
  for (const std::string& symbol : task->info().inputs) inputs.add(symbol);
  for (const std::string& symbol : task->info().outputs) outputs.add(symbol);
  const auto again = read_text_form(folder.path() / "set.src", folder.path() / "set.tgt", inputs,
                                    outputs, NewSymbols::refuse);
  CHECK(data_hash(again) == data_hash(examples));

  folder.write("own.src", "x  y\tx\r\ny\n\n");
  folder.write("own.tgt", "_ 7 _\n7\n");
  Vocabulary own_inputs, own_outputs;
  const auto own = read_text_form(folder.path() / "own.src", folder.path() / "own.tgt", own_inputs,
                                  own_outputs, NewSymbols::add);
  REQUIRE(own.size() == 2);
  CHECK(own[0].tokens == std::vector<int>{0, 1, 0});
  CHECK(own[0].targets == std::vector<int>{0, 1, 0});
  CHECK(own[1].tokens == std::vector<int>{1});
  CHECK(own_outputs.symbols() == std::vector<std::string>{"_", "7"});
}

TEST_CASE("text form: writing where nothing can be written, or what has no word, is an error") {
  const test::TemporaryFolder folder;
  const auto task = make_task("parity", {});
  const std::string base = (folder.path() / "nowhere" / "set").string();
  CHECK(error_of([&] { write_text_form(base, task->info(), {}); }) ==
        "1: cannot write '" + base + ".src': No such file or directory");
  CHECK(error_of([&] {
          write_text_form(folder.path() / "set", task->info(), {{{1, 0}, {0, not_scored}}});
        }) == "1: task parity: the text form has no word for positions that are not scored");
}
