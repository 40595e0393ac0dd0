// A learned bias on attention scores for the distance between query and key, one table for each layer, as in T5
// (Raffel et al. 2020, arXiv 1910.10683): distances share a number by buckets that grow with them.
#pragma once

#include <string_view>

#include "nn/parameter.hpp"

namespace rlt {

/// Bucket 0 .. 31 of a distance back in time: exact below 16, then logarithmic; from 113 on the last.
Index distance_bucket(Index distance);

/// For windows: a query sees the keys at distances W, W - 1, .. 1, in this order.
template <std::floating_point T>
class DistanceBias {
 public:
  static constexpr Index buckets = 32;

  DistanceBias(Index heads, Index window) : heads_(heads), window_(window) {}

  /// Parameter `name` (heads, buckets), normal with variance 1 / buckets.
  void declare(ParameterSet<T>& parameters, std::string_view name);
  void carve(Workspace& workspace);

  /// Writes the table out by distance.
  void expand();
  /// (W) of one head
  const T* of(Index head) const { return expanded_ + head * window_; }
  /// Adds the gradient of the same form to the table's.
  void backward(Index head, const T* dexpanded);

 private:
  Index heads_;
  Index window_;
  Parameter<T>* table_ = nullptr;
  T* expanded_ = nullptr;  // tape: (heads, W)
};

}  // namespace rlt
