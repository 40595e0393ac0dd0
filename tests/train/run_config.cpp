#include "train/run_config.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"
#include "train/settings.hpp"

using namespace rlt;
using test::error_of;

namespace {

/// Own data for both tasks that read them.
struct Own : test::TemporaryFolder {
  Own() {
    write("train.src", "a b a\nb\nb\n");
    write("train.tgt", "1 0 1\n0\n0\n");
    write("valid.src", "b a\n");
    write("valid.tgt", "0 1\n");
    write("text", std::string(200, 'x'));
  }
  RunConfig config(const std::string& task) const {
    RunConfig config;
    config.task = task;
    config.data = (task == "text" ? path() / "text" : path()).string();
    return config;
  }
};

}  // namespace

TEST_CASE("run config: windows are two plain numbers that no product overflows") {
  for (const char* const window :
       {"2-9223372036854775807", "2-1000000001", "010-20", "2-0x10", "2-", "-5", "2--5", "+2-5",
        "2-5-8", "2", "2 - 5", "2-99999999999999999999"}) {
    CAPTURE(window);
    RunConfig config;
    config.window = window;
    CHECK(error_of([&] { complete(config); }).starts_with("2: --window "));
  }
}

TEST_CASE(
    "run config: of an option that is given twice the last one counts, and no other is written") {
  RunConfig config;
  config.cell = "deltanet";
  config.cell_options = {"beta_max=1", "feature_map=dpfp", "beta_max=2"};
  complete(config);
  CHECK(config.cell_options == std::vector<std::string>{"feature_map=dpfp", "beta_max=2"});
  CHECK(option_summary(config) == "beta_max=2;feature_map=dpfp");
}

TEST_CASE("run config: own data are neither fresh nor, but for documents, cut; others take none") {
  const Own own;
  RunConfig config = own.config("file");
  config.train_size = 0;
  CHECK(error_of([&] { complete(config); }).starts_with("2: --train-size 0: task file"));
  config = own.config("file");
  config.segment = 9;
  CHECK(error_of([&] { complete(config); }).starts_with("2: --segment 9: file"));
  config = own.config("text");
  complete(config);
  CHECK(config.segment == 256);
  config = own.config("parity");
  CHECK(error_of([&] { complete(config); }) ==
        "2: --data " + config.data + ": task parity makes its strings and reads no data");
  config.task = "file";
  config.data.clear();
  CHECK(error_of([&] { complete(config); }).starts_with("2: --task file: needs --data FOLDER"));
}

TEST_CASE("run config: all of an own training set is used unless --train-size says less") {
  const Own own;
  RunConfig config = own.config("file");
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
  const Own own;
  RunConfig config = own.config("text");
  config.data = std::filesystem::relative(config.data).string();
  complete(config);
  CHECK(std::filesystem::path(config.data).is_absolute());
  CHECK(std::filesystem::equivalent(config.data, own.path() / "text"));
}

TEST_CASE(
    "run config: norm, tied embeddings and output scale reach the model; older runs have none") {
  const Own own;
  RunConfig config = own.config("text");
  config.d_model = 16;
  const std::unique_ptr<Task> task = complete(config);
  ModelConfig model = model_config(config, task->info());
  CHECK(model.layers[0].norm == NormForm::layer);
  CHECK(!model.heads[0].tied);
  CHECK(model.heads[0].scale == 1);
  config.norm = "rms";
  config.tied_embeddings = "on";
  config.output_scale = "rsqrt";
  model = model_config(from_facts(to_facts(config)), task->info());
  CHECK(model.layers[0].norm == NormForm::rms);
  CHECK(model.heads[0].tied);
  CHECK(model.heads[0].scale == 0.25);

  std::map<std::string, std::string> facts = to_facts(config);
  for (const char* const name : {"norm", "tied-embeddings", "output-scale"}) facts.erase(name);
  model = model_config(from_facts(facts), task->info());
  CHECK(model.layers[0].norm == NormForm::layer);
  CHECK(!model.heads[0].tied);
  CHECK(model.heads[0].scale == 1);
}

TEST_CASE("run config: transformer_xl reads segments as long as its window") {
  const Own own;
  RunConfig config = own.config("text");
  config.cell = "transformer_xl";
  config.cell_options = {"window=48"};
  complete(config);
  CHECK(config.segment == 48);
  config.segment = 96;
  CHECK(error_of([&] { complete(config); }).find("--segment 96") != std::string::npos);
  config.cell = "sliding_window";
  CHECK_NOTHROW(complete(config));
  CHECK(config.segment == 96);
}

TEST_CASE("run config: embeddings are tied only where inputs and outputs are the same symbols") {
  const Own own;
  RunConfig config = own.config("file");
  config.tied_embeddings = "on";
  CHECK(error_of([&] { complete(config); }).find("--tied-embeddings on") != std::string::npos);
}
