#include "train/play.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "losses/policy.hpp"
#include "tasks/trajectory.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

Rng rng_of(std::uint64_t seed, Index episode) {
  return Rng(seed).stream("played").stream(static_cast<std::uint64_t>(episode));
}

template <typename T>
int choose(const T* logits, Index actions, Choice choice, const Rng& episode, Index step) {
  if (choice == Choice::greedy) {
    return static_cast<int>(std::max_element(logits, logits + actions) - logits);
  }
  return Policy<T>(logits, actions).sample(episode.stream("actions").uniform(step));
}

}  // namespace

std::string_view to_string(Choice choice) { return choice == Choice::greedy ? "greedy" : "sample"; }

template <std::floating_point T>
Episodes play(SequenceModel<T>& model, Environment& environment, Index count, Index rows,
              std::uint64_t seed, Choice choice) {
  const EnvironmentInfo& info = environment.info();
  rows = std::min(rows, count);
  environment.resize(rows);
  State<T> state = model.fresh_state(rows, info.longest + 1);
  const auto all = static_cast<std::size_t>(rows);
  std::vector<float> observations(all * static_cast<std::size_t>(info.observations));
  const Matrix<float> seen(observations.data(), rows, info.observations);
  std::vector<std::uint8_t> starts(all), ended(all);
  std::vector<int> actions(all);
  std::vector<float> rewards(all);
  std::vector<Index> episode(all), steps(all);
  std::vector<double> earned(all);
  Index begun = 0;
  const auto begin = [&](Index row) {
    const auto at = static_cast<std::size_t>(row);
    episode[at] = begun++;
    steps[at] = 0;
    earned[at] = 0;
    starts[at] = 1;
    environment.reset(row, rng_of(seed, episode[at]), seen.row(row));
  };
  for (Index row = 0; row < rows; ++row) begin(row);
  // Summed in the order of episodes, whatever their lengths and the rows.
  std::vector<Episodes> results(static_cast<std::size_t>(count));
  for (Index done = 0; done < count;) {
    check_stop();
    const Matrix<T> outputs =
        model.forward({.extent = {rows, 1}, .reals = seen},
                      {.state = &state, .starts = starts.data(), .keep = Pass<T>::Keep::nothing});
    for (Index row = 0; row < rows; ++row) {
      const auto at = static_cast<std::size_t>(row);
      actions[at] =
          choose(outputs.row(row), info.actions, choice, rng_of(seed, episode[at]), steps[at]);
    }
    environment.act(actions, seen, rewards, ended);
    for (Index row = 0; row < rows; ++row) {
      const auto at = static_cast<std::size_t>(row);
      starts[at] = 0;
      ++steps[at];
      earned[at] += static_cast<double>(rewards[at]);
      if (ended[at] == 0) continue;
      if (episode[at] < count) {
        results[static_cast<std::size_t>(episode[at])].add(steps[at], earned[at],
                                                           environment.succeeded(row));
        ++done;
      }
      begin(row);
    }
  }
  Episodes sum;
  for (const Episodes& result : results) sum += result;
  return sum;
}

double expert_return(Environment& environment, Index count, std::uint64_t seed) {
  if (!has_expert(environment.info())) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (Index episode = 0; episode < count; ++episode) {
    check_stop();
    sum += play_behaviour(environment, rng_of(seed, episode), 0).earned();
  }
  return sum / static_cast<double>(count);
}

template <std::floating_point T>
std::vector<Turn> play_one(SequenceModel<T>& model, Environment& environment, std::uint64_t seed,
                           Choice choice) {
  const EnvironmentInfo& info = environment.info();
  environment.resize(1);
  State<T> state = model.fresh_state(1, info.longest + 1);
  std::vector<float> observations(static_cast<std::size_t>(info.observations));
  const Matrix<float> seen(observations.data(), 1, info.observations);
  const Rng episode = rng_of(seed, 0);
  environment.reset(0, episode, observations.data());
  std::vector<Turn> turns;
  std::uint8_t ended = 0;
  for (Index step = 0; ended == 0; ++step) {
    const std::uint8_t start = step == 0 ? 1 : 0;
    const Matrix<T> outputs =
        model.forward({.extent = {1, 1}, .reals = seen},
                      {.state = &state, .starts = &start, .keep = Pass<T>::Keep::nothing});
    const Policy<T> policy(outputs.data, info.actions);
    Turn turn{.picture = environment.picture(0), .policy = {}};
    for (Index action = 0; action < info.actions; ++action) {
      turn.policy.push_back(std::exp(policy.log_p(action)));
    }
    if (outputs.cols > info.actions) turn.value = static_cast<double>(outputs.data[info.actions]);
    turn.action = choose(outputs.data, info.actions, choice, episode, step);
    float reward = 0;
    environment.act({&turn.action, 1}, seen, {&reward, 1}, {&ended, 1});
    turn.reward = static_cast<double>(reward);
    turns.push_back(std::move(turn));
  }
  return turns;
}

template Episodes play<float>(SequenceModel<float>&, Environment&, Index, Index, std::uint64_t,
                              Choice);
template Episodes play<double>(SequenceModel<double>&, Environment&, Index, Index, std::uint64_t,
                               Choice);
template std::vector<Turn> play_one<float>(SequenceModel<float>&, Environment&, std::uint64_t,
                                           Choice);
template std::vector<Turn> play_one<double>(SequenceModel<double>&, Environment&, std::uint64_t,
                                            Choice);

}  // namespace rlt
