// Counts calls of operator new in this program.
#pragma once

#include <cstddef>

std::size_t allocations();
