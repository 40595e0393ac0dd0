#include "train/evaluator.hpp"

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

namespace {

rlt::RunConfig reading(const std::string& cell, const std::string& data) {
  rlt::RunConfig config;
  config.task = "text";
  config.cell = cell;
  config.data = data;
  config.segment = 4;
  rlt::complete(config);
  return config;
}

}  // namespace

TEST_CASE("evaluation: attention reads documents in segments, other cells read them whole") {
  const rlt::test::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 50; ++i) text += "abcd";
  folder.write("a", text);  // the last 10 of 200 characters are the test
  const std::string data = (folder.path() / "a").string();

  const rlt::RunConfig attention = reading("transformer", data);
  const rlt::RunConfig recurrent = reading("rdn", data);
  const std::unique_ptr<rlt::Task> task = make_task(attention);
  const rlt::EvaluationSet cut = fixed_set(attention, *task, "test");
  const rlt::EvaluationSet whole = fixed_set(recurrent, *task, "test");

  REQUIRE(cut.strings().size() == 3);  // 9 tokens with a next one
  CHECK(cut.strings().back().tokens.size() == 1);
  CHECK(cut.longest() == 4);
  CHECK(whole.strings().size() == 1);
  CHECK(whole.longest() == 9);
  CHECK(cut.length_max == 9);
  CHECK(cut.hash == whole.hash);
}
