#include "tensor/arena.hpp"

#include <cstring>
#include <new>

namespace rlt {

void Arena::Free::operator()(std::byte* block) const {
  ::operator delete (block, std::align_val_t{memory_alignment});
}

void Arena::allocate() {
  const std::size_t bytes = std::max<std::size_t>(peak_, memory_alignment);
  block_.reset(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{memory_alignment})));
  base_ = block_.get();
  std::memset(base_, 0, bytes);
  used_ = 0;
}

}  // namespace rlt
