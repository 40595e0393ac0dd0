// Counts heap calls. A program that uses this gets an operator new that counts; others keep the usual one.
#pragma once

#include <cstddef>

namespace rlt {

/// Calls of operator new since the program started.
std::size_t allocations();

}  // namespace rlt
