#include "mixing/block_plan.hpp"

#include <algorithm>

namespace rlt {

void BlockPlan::carve(Workspace& workspace, Extent largest) {
  const Index waves = divide_up(largest.steps, window_);
  const Index updates = most_updates(largest);
  fresh_ = workspace.tape.take<Index>(largest.batch);
  wave_first_ = workspace.tape.take<Index>(waves + 1);
  wave_next_ = workspace.tape.take<Index>(waves);
  updates_ = workspace.tape.take<Update>(updates);
  read_by_ = workspace.tape.take<Index>(largest.rows());
  read_ = workspace.tape.take<std::uint8_t>(most_entries(largest) + updates);
  last_ = workspace.tape.take<Index>(largest.batch);
  counts_ = workspace.tape.take<Index>(largest.batch);
}

// on_start() where a step behind the first starts anew, on_step(t), on_block(t) behind the last step of a block.
// Returns how many steps the unfinished block has in the end.
template <typename OnStart, typename OnStep, typename OnBlock>
Index BlockPlan::walk(Index b, Index count, const OnStart& on_start, const OnStep& on_step,
                      const OnBlock& on_block) const {
  for (Index t = 0; t < extent_.steps; ++t) {
    if (t > 0 && starts_[b * extent_.steps + t] == t) {
      if (start_ == Start::opens_block) count = 0;
      on_start();
    }
    on_step(t);
    if (++count < window_) continue;
    count = 0;
    on_block(t);
  }
  return count;
}

void BlockPlan::make(Extent extent, const Index* starts, const Index* counts, Start start) {
  extent_ = extent;
  start_ = start;
  starts_ = starts;
  entries_ = extent.batch;
  waves_ = 0;
  // How many updates a wave has, and which sequences start anew inside.
  std::fill_n(wave_next_, divide_up(extent.steps, window_), Index{0});
  for (Index b = 0; b < extent.batch; ++b) {
    Index wave = 0;
    bool anew = false;
    walk(
        b, counts[b], [&] { anew = true; }, [](Index) {}, [&](Index) { ++wave_next_[wave++]; });
    waves_ = std::max(waves_, wave);
    fresh_[b] = anew ? entries_++ : -1;
  }
  wave_first_[0] = 0;
  for (Index wave = 0; wave < waves_; ++wave) {
    wave_first_[wave + 1] = wave_first_[wave] + wave_next_[wave];
    wave_next_[wave] = wave_first_[wave];
  }
  std::fill_n(read_, values(), std::uint8_t{0});
  for (Index b = 0; b < extent.batch; ++b) {
    Index wave = 0;
    Index value = b;
    const auto on_step = [&](Index t) {
      read_by_[b * extent.steps + t] = value;
      read_[value] = 1;
    };
    const auto on_block = [&](Index t) {
      const Index index = wave_next_[wave++]++;
      const Index end = t + 1;
      const Index nulls =
          std::clamp<Index>(starts[b * extent.steps + t] - (end - 2 * window_), 0, 2 * window_);
      updates_[index] = {b, end, nulls, value, entries_ + index};
      read_[value] = 1;
      value = entries_ + index;
    };
    counts_[b] = walk(
        b, counts[b], [&] { value = fresh_[b]; }, on_step, on_block);
    last_[b] = value;
  }
}

bool BlockPlan::is_read(Index wave) const {
  const std::uint8_t* const first = read_ + entries_ + first_update(wave);
  return std::any_of(first, first + updates(wave), [](std::uint8_t read) { return read != 0; });
}

}  // namespace rlt
