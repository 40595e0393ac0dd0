#include "train/data_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "train/dataset.hpp"

namespace rlt {
namespace {

constexpr const char* vocabulary_key = "vocabulary";
constexpr const char* hashes_key = "data_hash";
constexpr const char* returns_key = "data_returns";

/// The fact as JSON, converted; `empty` when the checkpoint has none.
template <typename Value, typename Convert>
Value parsed(const Facts& facts, const char* key, Convert&& convert) {
  const auto found = facts.find(key);
  if (found == facts.end()) return {};
  try {
    return convert(nlohmann::json::parse(found->second));
  } catch (const nlohmann::json::exception&) {
    fail(Exit::failed, "the checkpoint's '{}' is damaged", key);
  }
}

}  // namespace

DataIdentity identity_of(const Task& task) {
  DataIdentity identity{.symbols = {task.info().inputs, task.info().outputs}, .hashes = {}};
  for (const char* split : {"train", "valid", "test"}) {
    if (const std::vector<Example>* const set = task.fixed_set(split)) {
      identity.hashes[split] = data_hash(*set);
    }
  }
  return identity;
}

DataIdentity identity_of(const std::vector<Trajectory>& recorded) {
  if (recorded.empty()) return {};
  std::vector<Example> examples;
  Returns returns{std::ssize(recorded), 0, recorded.front().earned()};
  for (const Trajectory& trajectory : recorded) {
    examples.push_back({.tokens = {},
                        .targets = trajectory.actions,
                        .reals = trajectory.observations,
                        .real_targets = trajectory.rewards});
    returns.mean += trajectory.earned() / static_cast<double>(recorded.size());
    returns.best = std::max(returns.best, trajectory.earned());
  }
  return {.symbols = {}, .hashes = {{"train", data_hash(examples)}}, .returns = returns};
}

Facts to_facts(const DataIdentity& identity) {
  Facts facts;
  facts[vocabulary_key] =
      nlohmann::json{{"inputs", identity.symbols.inputs}, {"classes", identity.symbols.outputs}}
          .dump();
  if (!identity.hashes.empty()) facts[hashes_key] = nlohmann::json(identity.hashes).dump();
  if (identity.returns) {
    facts[returns_key] = nlohmann::json{{"episodes", identity.returns->episodes},
                                        {"mean", identity.returns->mean},
                                        {"best", identity.returns->best}}
                             .dump();
  }
  return facts;
}

DataIdentity data_identity(const Facts& facts) {
  DataIdentity identity;
  identity.symbols = parsed<Symbols>(facts, vocabulary_key, [](const nlohmann::json& json) {
    return Symbols{json.at("inputs").get<std::vector<std::string>>(),
                   json.at("classes").get<std::vector<std::string>>()};
  });
  identity.hashes = parsed<std::map<std::string, std::string>>(
      facts, hashes_key,
      [](const nlohmann::json& json) { return json.get<std::map<std::string, std::string>>(); });
  identity.returns =
      parsed<std::optional<Returns>>(facts, returns_key, [](const nlohmann::json& json) {
        return Returns{json.at("episodes").get<Index>(), json.at("mean").get<double>(),
                       json.at("best").get<double>()};
      });
  return identity;
}

Facts without_data_identity(Facts facts) {
  facts.erase(vocabulary_key);
  facts.erase(hashes_key);
  facts.erase(returns_key);
  return facts;
}

std::vector<std::string> changes(const DataIdentity& run, const DataIdentity& now) {
  const auto told = [](const DataIdentity& identity, const std::string& split) {
    const auto found = identity.hashes.find(split);
    return found == identity.hashes.end() ? "none" : found->second;
  };
  std::vector<std::string> lines;
  for (const std::string split : {"train", "valid", "test"}) {
    const std::string before = told(run, split), after = told(now, split);
    if (before == after) continue;
    lines.push_back(fmt::format("{} set is not that of the run: data hash {}, the run had {}",
                                split, after, before));
  }
  return lines;
}

}  // namespace rlt
