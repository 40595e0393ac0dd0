#include "tensor/arena.hpp"

#include <cstring>
#include <new>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include "base/error.hpp"

namespace rlt {

void Arena::Free::operator()(std::byte* block) const {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
#endif
  ::operator delete (block, std::align_val_t{memory_alignment});
}

void Arena::allocate() {
  const std::size_t bytes = std::max<std::size_t>(peak_, memory_alignment);
  block_ = {static_cast<std::byte*>(::operator new (bytes, std::align_val_t{memory_alignment})),
            Free{bytes}};
  base_ = block_.get();
  std::memset(base_, 0, bytes);
  used_ = 0;
}

void Arena::hand_out(std::byte* end) {
  if (used_ > peak_)
    fail(Exit::failed, "internal error: an arena hands out more than was measured");
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(end, guard_);
#else
  static_cast<void>(end);
#endif
}

}  // namespace rlt
