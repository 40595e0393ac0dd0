#include "train/settings.hpp"

#include <doctest/doctest.h>

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

}  // namespace

TEST_CASE("settings: no setting takes a number that is none, or one beyond its range") {
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

TEST_CASE("settings: a number out of range names the range, a word the nearest") {
  CHECK(error_of_setting("batch", "0") == "2: RLT_X 0: must be a whole number from 1 to 1000000");
  CHECK(error_of_setting("dropout", "1") == "2: RLT_X 1: must be a number from 0 to 0.9999999");
  CHECK(error_of_setting("optimizer", "adm") == "2: RLT_X adm: unknown; did you mean 'adam'?");
  RunConfig config;
  config.batch = 0;
  CHECK(error_of([&] { complete(config); }) ==
        "2: --batch 0: must be a whole number from 1 to 1000000");
}

TEST_CASE("settings: every seed of 64 bits goes through facts and config.toml and stays itself") {
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

TEST_CASE("settings: facts of a checkpoint that are no values are named as the checkpoint's") {
  auto facts = to_facts(RunConfig());
  facts["batch"] = "-32";
  CHECK(error_of([&] { from_facts(facts); }) ==
        "1: the checkpoint is spoiled: its batch -32: must be a whole number from 1 to 1000000");
}

TEST_CASE("settings: a setting that a checkpoint does not have yet has its default") {
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

TEST_CASE("settings: a setting of a checkpoint that is unknown here is named") {
  auto facts = to_facts(RunConfig());
  facts["decay-of-tomorrow"] = "0.5";
  CHECK(error_of([&] { from_facts(facts); }) ==
        "1: the checkpoint has the setting decay-of-tomorrow = 0.5, which this version does not "
        "know: was it written by a later one?");
}

TEST_CASE("settings: what else a checkpoint says is no setting") {
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

TEST_CASE("settings: a training set without a size stays one in facts and config.toml") {
  RunConfig config;
  CHECK(!to_facts(config).contains("train-size"));
  CHECK(!from_facts(to_facts(config)).train_size.has_value());
  CHECK(config_text(config).find("train-size") == std::string::npos);
  config.train_size = 7;
  CHECK(from_facts(to_facts(config)).train_size == 7);
  CHECK(config_text(config).find("\ntrain-size = 7\n") != std::string::npos);
}
