// echo: say the symbol seen `delay` steps ago. The smallest environment that asks for memory.
// Observation: (4) one of four symbols, one-hot, uniform and independent at every step.
// Action: one of the four symbols. Reward: 1 / steps when it is the symbol seen `delay` steps before the
//   latest, 0 otherwise, and 0 for the first `delay` actions, which nothing can answer.
// An episode has `steps` + `delay` actions. Returns: best 1, random 1/4.
#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "tasks/environment_registry.hpp"

namespace rlt {
namespace {

constexpr Index symbols = 4;
constexpr Index steps = 16;
constexpr Index longest_delay = 8;

class Echo final : public Environment {
 public:
  explicit Echo(Index delay) : delay_(delay) {
    info_ = {.name = "echo",
             .summary = "say the symbol seen some steps ago",
             .source = "ours",
             .observations = symbols,
             .actions = symbols,
             .longest = steps + delay,
             .best_return = 1,
             .random_return = 1.0 / symbols,
             .knows_best_action = true,
             .options = options()};
  }

  static std::vector<Option> options() {
    return {{.name = "delay",
             .value = "1",
             .help = "steps between symbol and answer",
             .choices = {},
             .low = 0,
             .high = longest_delay,
             .whole = true}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override { episodes_.assign(static_cast<std::size_t>(rows), {}); }

  void reset(Index row, const Rng& episode, float* observation) override {
    episodes_[static_cast<std::size_t>(row)] = {episode, 0};
    show(row, observation);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    for (std::size_t row = 0; row < episodes_.size(); ++row) {
      Episode& episode = episodes_[row];
      const bool right = actions[row] == best_action(static_cast<Index>(row));
      rewards[row] = right ? 1.0F / steps : 0.0F;
      ended[row] = ++episode.step == info_.longest ? 1 : 0;
      show(static_cast<Index>(row), observations.row(static_cast<Index>(row)));
    }
  }

  int best_action(Index row) const override {
    const Episode& episode = episodes_[static_cast<std::size_t>(row)];
    return episode.step < delay_ ? -1 : static_cast<int>(symbol(episode, episode.step - delay_));
  }

 private:
  struct Episode {
    Rng rng{0};
    Index step = 0;
  };

  static Index symbol(const Episode& episode, Index step) {
    return episode.rng.below(step, symbols);
  }
  void show(Index row, float* observation) const {
    const Episode& episode = episodes_[static_cast<std::size_t>(row)];
    std::fill_n(observation, symbols, 0.0F);
    observation[symbol(episode, episode.step)] = 1;
  }

  Index delay_;
  EnvironmentInfo info_;
  std::vector<Episode> episodes_;
};

}  // namespace

std::unique_ptr<Environment> make_echo(const OptionValues& options) {
  const OptionValues complete = complete_options("task-option", "echo", Echo::options(), options);
  return std::make_unique<Echo>(std::stoll(complete.at("delay")));
}

}  // namespace rlt
