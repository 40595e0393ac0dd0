// Which value of the states the steps of a pass read, and which steps make the next one. Blocks are W steps, counted
// from the start of a document, over the borders of segments: the step that fills a block makes an update.
//
// Values have numbers: first that with which each sequence enters the pass, then the initial value of those that start
// anew inside, then what the updates make. An update needs what its source is: so they come in waves, the first of every
// sequence, then the second, and the values that a wave makes lie side by side.
#pragma once

#include <cstdint>

#include "mixing/cell.hpp"

namespace rlt {

class BlockPlan {
 public:
  struct Update {
    Index sequence;
    Index end;     // the step behind its block
    Index nulls;   // among the 2 W keys that the states read: steps before the document
    Index source;  // the value before
    Index target;  // the value that it makes
  };

  explicit BlockPlan(Index window) : window_(window) {}

  Index most_updates(Extent largest) const {
    return product(largest.batch, divide_up(largest.steps, window_));
  }
  Index most_entries(Extent largest) const { return product(Index{2}, largest.batch); }
  void carve(Workspace& workspace, Extent largest);

  /// What a start inside a block does: it opens a block of its own, or leaves the border where it is, so that the blocks
  /// of all sequences end together.
  enum class Start { opens_block, keeps_block };

  /// starts (B, T): the step of the last start, negative where there is none; counts (B): steps in the unfinished
  /// block that each sequence carries.
  void make(Extent extent, const Index* starts, const Index* counts, Start start);

  /// Values that no update of the pass makes.
  Index entries() const { return entries_; }
  Index values() const { return entries_ + wave_first_[waves_]; }
  /// The sequence that starts anew inside with value `entry` >= B.
  bool starts_anew(Index entry) const { return entry >= extent_.batch; }
  Index waves() const { return waves_; }
  Index first_update(Index wave) const { return wave_first_[wave]; }
  Index updates(Index wave) const { return wave_first_[wave + 1] - wave_first_[wave]; }
  const Update& update(Index index) const { return updates_[index]; }
  /// Whether a step or an update of the pass reads what the wave makes.
  bool is_read(Index wave) const;

  /// The value that step t of sequence b reads.
  Index read_by(Index b, Index t) const { return read_by_[b * extent_.steps + t]; }
  /// With what a sequence leaves the pass.
  Index last(Index b) const { return last_[b]; }
  Index count(Index b) const { return counts_[b]; }

 private:
  template <typename OnStart, typename OnStep, typename OnBlock>
  Index walk(Index b, Index count, const OnStart& on_start, const OnStep& on_step,
             const OnBlock& on_block) const;

  Index window_;
  Extent extent_;
  Start start_ = Start::opens_block;
  const Index* starts_ = nullptr;
  Index entries_ = 0;
  Index waves_ = 0;
  // tape
  Index* fresh_ = nullptr;       // (B) the value of starts inside
  Index* wave_first_ = nullptr;  // (waves + 1) its first update
  Index* wave_next_ = nullptr;   // (waves)
  Update* updates_ = nullptr;
  Index* read_by_ = nullptr;      // (B, T)
  std::uint8_t* read_ = nullptr;  // (values)
  Index* last_ = nullptr;         // (B)
  Index* counts_ = nullptr;       // (B)
};

}  // namespace rlt
