// How a cell is wrapped into one layer of the model. A block is itself a Cell: sequence in, sequence out,
// with the state of the cell inside.
#pragma once

#include <memory>

#include "cells/registry.hpp"

namespace rlt {

/// The layer of `config.wrapping` around a new cell; `inner` is the feed-forward width F (plain: unused).
///   plain     y = cell(x)
///   prenorm   m = x + drop(cell(LN(x)));          y = m + drop(FF(LN(m)))
///   skipnorm  m = LN(x) + drop(cell(x));          y = m + drop(FF(LN(m)))
///   postnorm  m = LN(x + drop(cell(x)));          y = LN(m + drop(FF(m)))
template <std::floating_point T>
std::unique_ptr<Cell<T>> make_block(Wrapping wrapping, std::unique_ptr<Cell<T>> cell, Index width,
                                    Index inner);

template <std::floating_point T>
std::unique_ptr<Cell<T>> make_prenorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner);
template <std::floating_point T>
std::unique_ptr<Cell<T>> make_skipnorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner);
template <std::floating_point T>
std::unique_ptr<Cell<T>> make_postnorm(std::unique_ptr<Cell<T>> cell, Index width, Index inner);

}  // namespace rlt
