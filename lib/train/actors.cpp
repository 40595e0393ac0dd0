#include "train/actors.hpp"

#include <algorithm>

#include "losses/policy.hpp"

namespace rlt {

template <std::floating_point T>
Actors<T>::Actors(Environment& environment, const SequenceModel<T>& model, Index rows,
                  std::uint64_t seed)
    : environment_(environment),
      rows_(rows),
      rng_(Rng(seed).stream("episodes")),
      state_(model.fresh_state(rows, environment.info().longest + 1)) {
  const EnvironmentInfo& info = environment.info();
  require_memory(bytes_of(sizeof(T), rows, 2 + info.longest), "the episodes under way", "--batch");
  const auto count = static_cast<std::size_t>(rows);
  journal_.resize(count * static_cast<std::size_t>(2 + info.longest));
  observations_.resize(count * static_cast<std::size_t>(info.observations));
  starts_.resize(count);
  actions_.resize(count);
  rewards_.resize(count);
  ended_.resize(count);
  earned_.resize(count);
  environment.resize(rows);
  for (Index row = 0; row < rows; ++row) begin(row, 0);
}

template <std::floating_point T>
void Actors<T>::begin(Index row, Index episode) {
  const Rng own =
      rng_.stream(static_cast<std::uint64_t>(row)).stream(static_cast<std::uint64_t>(episode));
  environment_.reset(row, own, observations_.data() + row * environment_.info().observations);
  std::fill_n(journal().row(row), journal().cols, T(0));  // no trace of the episode before
  journal().row(row)[0] = static_cast<T>(episode);
  const auto at = static_cast<std::size_t>(row);
  starts_[at] = 1;
  earned_[at] = 0;
}

template <std::floating_point T>
Matrix<T> Actors<T>::read(SequenceModel<T>& model) {
  return model.forward(
      {.extent = {rows_, 1}, .reals = observations()},
      {.state = &state_, .starts = starts_.data(), .keep = Pass<T>::Keep::nothing});
}

template <std::floating_point T>
const std::vector<int>& Actors<T>::sample(Matrix<const T> outputs) {
  const Index actions = environment_.info().actions;
  for (Index row = 0; row < rows_; ++row) {
    const auto episode = static_cast<std::uint64_t>(journal().row(row)[0]);
    const Rng own = rng_.stream(static_cast<std::uint64_t>(row)).stream(episode).stream("actions");
    actions_[static_cast<std::size_t>(row)] =
        Policy<T>(outputs.row(row), actions).sample(own.uniform(actions_so_far(row)));
  }
  return actions_;
}

// Moves all rows on, and writes the actions into the journal.
template <std::floating_point T>
void Actors<T>::take(std::span<const int> actions) {
  const Matrix<float> seen(observations_.data(), rows_, environment_.info().observations);
  environment_.act(actions, seen, rewards_, ended_);
  for (Index row = 0; row < rows_; ++row) {
    const auto at = static_cast<std::size_t>(row);
    T* const line = journal().row(row);
    line[2 + actions_so_far(row)] = static_cast<T>(actions[at]);
    line[1] += T(1);
    starts_[at] = 0;
    earned_[at] += static_cast<double>(rewards_[at]);
  }
}

template <std::floating_point T>
void Actors<T>::act(Episodes& episodes) {
  take(actions_);
  for (Index row = 0; row < rows_; ++row) {
    const auto at = static_cast<std::size_t>(row);
    if (ended_[at] == 0) continue;
    episodes.add(actions_so_far(row), earned_[at], environment_.succeeded(row));
    begin(row, static_cast<Index>(journal().row(row)[0]) + 1);
  }
}

// All rows act at once, but their episodes are of different lengths: each plays its last action in the last turn, and
// until its first one action 0, in an episode that is thrown away.
template <std::floating_point T>
void Actors<T>::resume() {
  const std::vector<T> saved = journal_;
  const Index width = 2 + environment_.info().longest;
  Index longest = 0;
  for (Index row = 0; row < rows_; ++row) {
    const T* const line = saved.data() + row * width;
    begin(row, static_cast<Index>(line[0]));
    longest = std::max(longest, static_cast<Index>(line[1]));
  }
  for (Index turn = 0; turn < longest; ++turn) {
    for (Index row = 0; row < rows_; ++row) {
      const T* const line = saved.data() + row * width;
      const Index step = turn - (longest - static_cast<Index>(line[1]));
      if (step == 0) begin(row, static_cast<Index>(line[0]));
      actions_[static_cast<std::size_t>(row)] = step < 0 ? 0 : static_cast<int>(line[2 + step]);
    }
    take(actions_);
    for (Index row = 0; row < rows_; ++row) {
      if (ended_[static_cast<std::size_t>(row)] != 0) begin(row, 0);
    }
  }
  for (Index row = 0; row < rows_; ++row) {
    const T* const line = saved.data() + row * width;
    if (line[1] == T(0)) begin(row, static_cast<Index>(line[0]));
  }
}

template class Actors<float>;
template class Actors<double>;

}  // namespace rlt
