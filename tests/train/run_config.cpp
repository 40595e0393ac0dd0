#include "train/run_config.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/message.hpp"
#include "train/run_folder.hpp"

using namespace rlt;
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
    if (!seed && !real && !std::holds_alternative<Index*>(setting.value)) continue;
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
    CHECK(error_of_setting(setting.name, to_text(setting)) == "no error");
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
