// What an environment is: a batch of independent episodes that answer actions with observations and rewards.
// One .cpp per environment; the list is environments.def.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.hpp"
#include "base/option.hpp"
#include "base/rng.hpp"
#include "tensor/matrix.hpp"

namespace rlt {

/// The facts that a learner and a reader need.
struct EnvironmentInfo {
  std::string name;
  std::string summary;       // one line
  std::string source;        // paper and arXiv number
  Index observations = 0;    // numbers that an agent sees at each step
  Index actions = 0;         // it chooses one of
  Index longest = 0;         // steps after which an episode has ended at the latest
  double best_return = 0;    // no episode earns more
  double random_return = 0;  // mean return of uniform actions
  double random_error = 0;   // its standard error where it was measured; 0: computed
  /// Mean return of the best policy that acts on the latest observation alone, where it is known.
  double memoryless_return = std::numeric_limits<double>::quiet_NaN();
  std::string success = {};        // what succeeded() says of an episode; empty: it says nothing
  bool knows_best_action = false;  // best_action() tells it wherever a memory could find it
  std::string expert = {};         // who expert_action() is, where that is not best_action()
  std::string size_option = {};    // the one that `rlt eval --lengths` varies; empty: none
  Index size = 0;                  // its value
  std::vector<Option> options;     // `--task-option`s that it knows
};

/// Rows know nothing of each other: an episode is a function of its generator and the actions taken.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual const EnvironmentInfo& info() const = 0;

  /// Room for `rows` episodes at once; all must be reset before they act.
  virtual void resize(Index rows) = 0;
  /// Begins an episode in `row` and writes its first observation (observations).
  virtual void reset(Index row, const Rng& episode, float* observation) = 0;
  /// One step of every row: observations (rows, observations) after it, rewards (rows), ended (rows): 1 where
  /// the episode is over; such a row must be reset before it acts again.
  virtual void act(std::span<const int> actions, Matrix<float> observations,
                   std::span<float> rewards, std::span<std::uint8_t> ended) = 0;

  /// What a policy that knows all that is hidden does next in `row`, whose episode goes on: the target of a
  /// learner that imitates. -1: no action is better than the others, or none is known to be, or none that a
  /// memory of what was seen could find.
  virtual int best_action(Index /*row*/) const { return -1; }
  /// What a good policy does next there, for recorded episodes and as what scores are held against; -1: any action
  /// is as good, or there is no such policy (has_expert).
  virtual int expert_action(Index row) const { return best_action(row); }
  /// Whether the episode that has just ended in `row`, not reset yet, was a success as info().success says.
  virtual bool succeeded(Index /*row*/) const { return false; }
  /// What an onlooker sees of `row`, in one line; empty where nothing is drawn.
  virtual std::string picture(Index /*row*/) const { return {}; }
};

inline bool has_expert(const EnvironmentInfo& info) {
  return info.knows_best_action || !info.expert.empty();
}

using MakeEnvironment = std::unique_ptr<Environment> (*)(const OptionValues& options);

struct EnvironmentEntry {
  std::string_view name;
  MakeEnvironment make;
};

/// All environments in the order of environments.def.
const std::vector<EnvironmentEntry>& all_environments();

/// The environment of that name; Error(usage) with the nearest name when unknown, or when it does not take
/// the options. Missing options have their defaults.
std::unique_ptr<Environment> make_environment(std::string_view name, const OptionValues& options);

}  // namespace rlt
