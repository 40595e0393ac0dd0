// Memory of a model: `carve` functions run once over a measuring arena (addresses null, sizes counted)
// and once over a bound one. The same function does both, so measure and use cannot drift apart.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/size.hpp"

namespace rlt {

inline constexpr std::size_t memory_alignment = 64;  // one cache line, one AVX-512 register

#if defined(__SANITIZE_ADDRESS__)
inline constexpr std::size_t guard_bytes = memory_alignment;
#else
inline constexpr std::size_t guard_bytes = 0;
#endif

/// Hands out aligned pieces of one block, or counts them while there is no block.
class Arena {
 public:
  /// guarded: in the sanitizer build whoever touches the `guard_bytes` behind a piece is stopped. Not for arenas
  /// that are rewound, whose pieces lie over one another.
  enum class Guards { none, guarded };
  explicit Arena(Guards guards = Guards::none)
      : guard_(guards == Guards::guarded ? guard_bytes : 0) {}

  /// `counts` multiplied; write them apart, so that no product overflows unseen.
  template <typename T, std::integral... Counts>
  T* take(Counts... counts) {
    const std::size_t bytes = sum_of(bytes_of(sizeof(T), counts...), memory_alignment - 1) /
                              memory_alignment * memory_alignment;
    std::byte* const address = base_ == nullptr ? nullptr : base_ + used_;
    used_ = sum_of(used_, sum_of(bytes, guard_));
    if (address != nullptr) hand_out(address + bytes);
    peak_ = std::max(peak_, used_);
    return reinterpret_cast<T*>(address);
  }
  /// Layers that do not run at the same time may share scratch: mark before one carves, rewind after.
  std::size_t mark() const { return used_; }
  void rewind(std::size_t mark) { used_ = mark; }

  std::size_t peak() const { return peak_; }
  /// Check with require_memory before. Gives the arena `peak()` bytes of zeroed memory and starts again from its beginning.
  void allocate();

 private:
  struct Free {
    std::size_t bytes;
    void operator()(std::byte* block) const;
  };
  /// Poisons the guard behind a piece that ends at `end`. Error: the bound run took more than the measured one.
  void hand_out(std::byte* end);

  std::size_t guard_;
  std::unique_ptr<std::byte, Free> block_{nullptr, Free{0}};
  std::byte* base_ = nullptr;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
};

/// `tape` keeps what backward needs from forward, of all layers side by side. `scratch` is needed only while
/// one layer runs, so that layers share it.
struct Workspace {
  Arena tape{Arena::Guards::guarded};
  Arena scratch;

  /// `carve` has run with the same thread_count(): there is scratch for so many.
  void allocate() {
    tape.allocate();
    scratch.allocate();
    threads_ = thread_count();
  }
  /// Error when there are more threads now: they would write into one another's scratch.
  void require_threads() const {
    if (thread_count() <= threads_) return;
    fail(Exit::failed, "internal error: {} threads, but scratch for {}", thread_count(), threads_);
  }
  std::size_t bytes() const { return sum_of(tape.peak(), scratch.peak()); }

 private:
  int threads_ = 0;
};

/// Gives back at its end what was taken from the scratch arena during its life. A layer takes its buffers first
/// and lets its sub-layers carve inside the same scope, after them: both are in use at once.
class ScratchScope {
 public:
  explicit ScratchScope(Workspace& workspace) : arena_(workspace.scratch), mark_(arena_.mark()) {}
  ~ScratchScope() { arena_.rewind(mark_); }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;

 private:
  Arena& arena_;
  std::size_t mark_;
};

}  // namespace rlt
