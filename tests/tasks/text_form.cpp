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
  const TextForm form = text_form(task->info(), examples);
  folder.write("set.src", form.src);
  folder.write("set.tgt", form.tgt);
  Vocabulary inputs, outputs;
  for (const std::string& symbol : task->info().inputs) inputs.add(symbol);
  for (const std::string& symbol : task->info().outputs) outputs.add(symbol);
  const auto again = read_text_form(folder.path() / "set.src", folder.path() / "set.tgt", inputs,
                                    outputs, NewSymbols::not_in_training);
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

TEST_CASE("text form: what has no word is an error") {
  const auto task = make_task("parity", {});
  CHECK(error_of([&] {
          text_form(task->info(), {{{1, 0}, {0, not_scored}}});
        }) == "1: task parity: the text form has no word for positions that are not scored");
}

TEST_CASE("text form: lines end as on Unix or Windows, with blanks before; others are named") {
  const test::TemporaryFolder folder;
  const auto read = [&](const std::string& src) {
    folder.write("own.src", src);
    folder.write("own.tgt", "0 1\n1 0\n");
    Vocabulary inputs, outputs;
    std::string symbols;
    const std::string error = error_of([&] {
      read_text_form(folder.path() / "own.src", folder.path() / "own.tgt", inputs, outputs,
                     NewSymbols::add);
    });
    for (const std::string& symbol : inputs.symbols()) symbols += symbol + ",";
    return error == "no error" ? symbols : error;
  };
  CHECK(read("a b\nb a\n") == "a,b,");
  CHECK(read("a b\nb a") == "a,b,");
  CHECK(read("a\t b \r\nb a  \r\n\r\n \n") == "a,b,");
  CHECK(read("\ufeffa b\nb a\n") == "a,b,");
  CHECK(read("a b\rb a\r") == "1: " + (folder.path() / "own.src").string() +
                                  ":1: a carriage return inside the line: lines must end in LF or "
                                  "CR LF");
}
