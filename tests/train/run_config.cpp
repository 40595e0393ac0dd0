#include "train/run_config.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "nn/init.hpp"
#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"
#include "train/data_identity.hpp"
#include "train/run_folder.hpp"

using namespace rlt;
namespace fs = std::filesystem;
using test::error_of;

namespace {

std::string error_of_setting(const std::string& name, const std::string& text) {
  RunConfig config;
  for (const Setting& setting : settings(config)) {
    if (setting.name == name) {
      return error_of([&] { set_from_text(setting, "RLT_X", text); });
    }
  }
  return "no such setting";
}

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

std::vector<std::string> idle_names(const RunConfig& config) {
  std::vector<std::string> names;
  for (const IdleSetting& idle : idle_settings(config)) names.push_back(idle.name);
  return names;
}

bool is_idle(const RunConfig& config, const std::string& name) {
  const std::vector<std::string> names = idle_names(config);
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

TEST_CASE("run config: no setting takes a number that is none, or one beyond its range") {
  RunConfig config;
  for (const Setting& setting : settings(config)) {
    const bool seed = std::holds_alternative<std::uint64_t*>(setting.value);
    const bool real = std::holds_alternative<double*>(setting.value);
    if (!seed && !real && !std::holds_alternative<Index*>(setting.value) &&
        !std::holds_alternative<std::optional<Index>*>(setting.value)) {
      continue;
    }
    CAPTURE(setting.name);
    CHECK((seed || setting.high > setting.low));
    std::vector<std::string> bad = {"",   "-1",  "010", "0x10",   "+5",
                                    "5 ", "nan", "inf", "1e4000", "18446744073709551616"};
    if (!real) bad.insert(bad.end(), {"1e3", "1.5"});
    if (!seed) bad.insert(bad.end(), {"9223372036854775807", "4611686018427387904"});
    for (const std::string& text : bad) {
      // The largest clip is beyond them.
      if (setting.name == "clip" && text.find_first_not_of("0123456789") == std::string::npos &&
          !text.empty() && text[0] != '0')
        continue;
      CAPTURE(text);
      CHECK(error_of_setting(setting.name, text).starts_with("2: RLT_X "));
    }
    if (has_value(setting)) {
      CHECK(error_of_setting(setting.name, to_text(setting)) == "no error");
    }
  }
}

TEST_CASE("run config: a number out of range names the range, a word the nearest") {
  CHECK(error_of_setting("batch", "0") == "2: RLT_X 0: must be a whole number from 1 to 1000000");
  CHECK(error_of_setting("dropout", "1") == "2: RLT_X 1: must be a number from 0 to 0.9999999");
  CHECK(error_of_setting("optimizer", "adm") == "2: RLT_X adm: unknown; did you mean 'adam'?");
  RunConfig config;
  config.batch = 0;
  CHECK(error_of([&] { complete(config); }) ==
        "2: --batch 0: must be a whole number from 1 to 1000000");
}

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

TEST_CASE("run config: every seed of 64 bits goes through facts and config.toml and stays itself") {
  for (const std::uint64_t seed :
       {std::uint64_t{0}, std::uint64_t{9223372036854775807U}, std::uint64_t{9223372036854775808U},
        std::uint64_t{18446744073709551615U}}) {
    CAPTURE(seed);
    RunConfig config;
    config.seed = seed;
    config.eval_seed = seed;
    CHECK(from_facts(to_facts(config)).seed == seed);
    CHECK(from_facts(to_facts(config)).eval_seed == seed);
    // TOML's integers end at 2^63 - 1.
    const bool fits = seed <= 9223372036854775807U;
    const std::string value = fits ? fmt::format("{}", seed) : fmt::format("\"{}\"", seed);
    CHECK(config_text(config).find("\nseed = " + value + "\n") != std::string::npos);
  }
}

TEST_CASE("run config: facts of a checkpoint that are no values are named as the checkpoint's") {
  auto facts = to_facts(RunConfig());
  facts["batch"] = "-32";
  CHECK(error_of([&] { from_facts(facts); }) ==
        "1: the checkpoint is spoiled: its batch -32: must be a whole number from 1 to 1000000");
}

TEST_CASE("run config: a setting that a checkpoint does not have yet has its default") {
  RunConfig config;
  config.batch = 7;
  config.clip = 5;
  config.patience = 3;
  auto facts = to_facts(config);
  facts.erase("clip");
  facts.erase("patience");
  const RunConfig read = from_facts(facts);
  CHECK(read.batch == 7);
  CHECK(read.clip == RunConfig().clip);
  CHECK(read.patience == RunConfig().patience);
}

TEST_CASE("run config: a setting of a checkpoint that is unknown here is named") {
  auto facts = to_facts(RunConfig());
  facts["decay-of-tomorrow"] = "0.5";
  CHECK(error_of([&] { from_facts(facts); }) ==
        "1: the checkpoint has the setting decay-of-tomorrow = 0.5, which this version does not "
        "know: was it written by a later one?");
}

TEST_CASE("run config: what else a checkpoint says is no setting") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  ParameterSet<float> parameters;
  parameters.add("w", {2}, init::constant(1));
  parameters.allocate();
  RunConfig config;
  config.batch = 7;
  const auto saved = [&](const Facts& more) {
    Facts facts = to_facts(config);
    facts.merge(to_facts(DataIdentity{{{"a"}, {"b"}}, {{"train", "abc"}}}));
    facts.insert(more.begin(), more.end());
    save_checkpoint<float>(path, parameters, nullptr, {}, facts);
  };
  saved({});
  CHECK(checkpoint_config(path).batch == 7);
  saved({{"stats", "5"}});
  CHECK(error_of([&] {
          checkpoint_config(path);
        }).starts_with("1: '" + path.string() + "': the checkpoint has the setting stats = 5,"));
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

TEST_CASE("run config: settings that another one leaves without effect are known") {
  RunConfig config;
  CHECK(is_idle(config, "momentum"));
  CHECK(is_idle(config, "weight-decay"));
  CHECK_FALSE(is_idle(config, "beta1"));
  CHECK_FALSE(is_idle(config, "epochs"));
  CHECK_FALSE(is_idle(config, "bucket"));
  config.optimizer = "adamw";
  CHECK_FALSE(is_idle(config, "weight-decay"));
  config.optimizer = "sgd";
  for (const char* const name : {"weight-decay", "beta1", "beta2", "epsilon"}) {
    CAPTURE(name);
    CHECK(is_idle(config, name));
  }
  CHECK_FALSE(is_idle(config, "momentum"));
  config.optimizer = "adafactor";
  CHECK_FALSE(is_idle(config, "beta1"));
  for (const char* const name : {"weight-decay", "beta2", "epsilon", "momentum"}) {
    CAPTURE(name);
    CHECK(is_idle(config, name));
  }
  config.steps = 5;
  CHECK(is_idle(config, "epochs"));
  config.train_size = 0;
  CHECK(is_idle(config, "bucket"));
  config.cell = "deltanet";
  config.cell_options = {"dpfp_nu=2"};
  CHECK(is_idle(config, "cell-option"));
  config.cell_options = {"dpfp_nu=2", "feature_map=dpfp"};
  CHECK_FALSE(is_idle(config, "cell-option"));
}

TEST_CASE(
    "run config: what only drawn strings have means nothing to own data, nor acting to strings") {
  const std::vector<std::string> acting = {
      "env-steps",  "rollout", "gamma",       "lambda",     "entropy", "value-coefficient",
      "ratio-clip", "passes",  "minibatches", "real-input", "hidden"};
  // beside those
  const auto names = [&](const char* task) {
    std::vector<std::string> found;
    RunConfig config;
    config.task = task;
    for (const IdleSetting& setting : inapplicable_settings(config)) found.push_back(setting.name);
    CHECK(std::equal(acting.begin(), acting.end(), found.begin()));
    found.erase(found.begin(), found.begin() + std::ssize(acting));
    return found;
  };
  const std::vector<std::string> drawn = {"rule", "window", "protocol", "eval-sequences",
                                          "eval-seed"};
  CHECK(names("file") == drawn);
  std::vector<std::string> documents = drawn;
  documents.insert(documents.end(), {"train-size", "bucket"});
  CHECK(names("text") == documents);
  CHECK(names("parity").empty());
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

TEST_CASE("run config: a training set without a size stays one in facts and config.toml") {
  RunConfig config;
  CHECK(!to_facts(config).contains("train-size"));
  CHECK(!from_facts(to_facts(config)).train_size.has_value());
  CHECK(config_text(config).find("train-size") == std::string::npos);
  config.train_size = 7;
  CHECK(from_facts(to_facts(config)).train_size == 7);
  CHECK(config_text(config).find("\ntrain-size = 7\n") != std::string::npos);
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
