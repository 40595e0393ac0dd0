// Balanced strings: the paper's grammar, and uniform ones of an exact length.
// Pair i of brackets opens with token 2 i and closes with 2 i + 1.
#pragma once

#include <vector>

#include "base/rng.hpp"

namespace rlt {

constexpr bool opens(int token) { return token % 2 == 0; }

/// Appends one string of the grammar S -> ( S ) with probability 1/2 (pair uniform), S S with 1/4,
/// empty otherwise. No derivation below ceil(high / 2) open brackets; a derivation of more than
/// `high` symbols collapses to the empty string. So the result has 0..high symbols.
/// Expected work: about 1.5 high random numbers.
void append_grammar(Draws& draws, Index pairs, Index high, std::vector<int>& string);

/// Appends a uniformly random balanced string of `length` symbols (even) in O(length).
void append_balanced(Draws& draws, Index pairs, Index length, std::vector<int>& string);

/// Appends the first `length` symbols of a uniformly random balanced string of `whole` symbols (even,
/// at least `length`) of one pair.
void append_prefix(Draws& draws, Index length, Index whole, std::vector<int>& string);

}  // namespace rlt
