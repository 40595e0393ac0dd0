#include "train/idle_settings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rlt;

namespace {

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

TEST_CASE("idle settings: settings that another one leaves without effect are known") {
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
  config.cell = "lstm";
  CHECK(is_idle(config, "norm"));
  config.cell = "deltanet";
  CHECK_FALSE(is_idle(config, "norm"));
  config.cell_options = {"dpfp_nu=2"};
  CHECK(is_idle(config, "cell-option"));
  config.cell_options = {"dpfp_nu=2", "feature_map=dpfp"};
  CHECK_FALSE(is_idle(config, "cell-option"));
}

TEST_CASE("idle settings: --env-steps, where --steps says otherwise") {
  RunConfig config;
  config.task = "tmaze";
  config.learner = "a2c";
  config.cell = "gru";
  config.env_steps = 100'000;
  complete_acting(config);
  CHECK(config.steps == acting_updates(config));
  CHECK_FALSE(is_idle(config, "env-steps"));
  config.steps += 1;
  CHECK(is_idle(config, "env-steps"));
}

TEST_CASE(
    "idle settings: what only drawn strings have means nothing to own data, nor acting to "
    "strings") {
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
