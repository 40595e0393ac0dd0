#include "train/applicable.hpp"

#include <doctest/doctest.h>

#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

struct Own : test::TemporaryFolder {
  Own() {
    write("train.src", "a b a\nb\nb\n");
    write("train.tgt", "1 0 1\n0\n0\n");
    write("valid.src", "b a\n");
    write("valid.tgt", "0 1\n");
    write("text", std::string(200, 'x'));
  }
  /// The message of `complete` for the task with one setting changed.
  std::string error(const std::string& task, const std::string& name,
                    const std::string& value) const {
    RunConfig config;
    config.task = task;
    if (task == "file") config.data = path().string();
    if (task == "text") config.data = (path() / "text").string();
    for (const Setting& setting : settings(config)) {
      if (setting.name == name) set_from_text(setting, "--" + name, value);
    }
    return error_of([&] { complete(config); });
  }
};

}  // namespace

TEST_CASE("applicable: what only drawn strings have is refused with own data") {
  const Own own;
  for (const auto& [name, value] : {std::pair{"rule", "honest"},
                                    {"window", "2-5"},
                                    {"protocol", "paper"},
                                    {"eval-sequences", "5"},
                                    {"eval-seed", "2"}}) {
    for (const std::string task : {"file", "text"}) {
      CHECK(own.error(task, name, value) == fmt::format("2: --{} {}: does not apply to task {}, "
                                                        "whose sets are your own, not drawn",
                                                        name, value, task));
    }
    CHECK(own.error("parity", name, value) == "no error");
  }
}

TEST_CASE("applicable: documents have no training sequences to count or sort, others no segments") {
  const Own own;
  CHECK(own.error("text", "train-size", "10").starts_with("2: --train-size 10: does not apply"));
  CHECK(own.error("text", "bucket", "4").starts_with("2: --bucket 4: does not apply"));
  CHECK(own.error("file", "bucket", "4") == "no error");
  CHECK(own.error("file", "train-size", "2") == "no error");
  CHECK(own.error("file", "train-size", "0").starts_with("2: --train-size 0: task file"));
  CHECK(own.error("file", "segment", "9").starts_with("2: --segment 9: does not apply"));
  CHECK(own.error("parity", "segment", "9").starts_with("2: --segment 9: does not apply"));
  CHECK(own.error("text", "segment", "9") == "no error");
}

TEST_CASE("applicable: data are refused by tasks that draw, and asked for by those that do not") {
  const Own own;
  CHECK(own.error("parity", "data", "x") ==
        "2: --data x: task parity draws its strings and reads no data");
  CHECK(own.error("file", "data", "").starts_with("2: --task file: needs --data FOLDER"));
}

TEST_CASE("run config: all of an own training set is used unless --train-size says less") {
  const Own own;
  RunConfig config;
  config.task = "file";
  config.data = own.path().string();
  const std::unique_ptr<Task> task = complete(config);
  CHECK(!config.train_size.has_value());
  CHECK(training_size(config, *task) == 3);
  config.train_size = 2;
  CHECK(training_size(config, *task) == 2);
  config.train_size = 99;
  CHECK(training_size(config, *task) == 3);
  RunConfig drawn;
  complete(drawn);
  CHECK(drawn.train_size == 10000);
}

TEST_CASE("run config: the path of own data is absolute once it is resolved") {
  RunConfig config;
  config.task = "text";
  const Own own;
  config.data = std::filesystem::relative(own.path() / "text").string();
  complete(config);
  CHECK(std::filesystem::path(config.data).is_absolute());
  CHECK(std::filesystem::equivalent(config.data, own.path() / "text"));
}
