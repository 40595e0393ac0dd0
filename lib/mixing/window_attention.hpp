// Attention of a sequence to itself through a window: what the cells of the Block-Recurrent Transformer
// (arXiv 2203.07852) share. The equations of one head: scaled_attention.hpp.
//   k_t, q_t of unit length (unit_rows.hpp)      o_t = attention over the steps t - W .. t - 1, never t itself
// Scores get a bias by distance (distance_bias.hpp) and are multiplied by |alpha|, one for each head.
//
// A window always has W keys: where a document has fewer steps behind it, null keys stand for the rest.
// The state (window_keys.hpp) holds at least W keys, already of unit length.
// A start, inside a segment too, puts null keys in the place of all that came before.
// Memory: tape per step 2 H d for the keys and 2 H + 1; nothing is quadratic in T.
#pragma once

#include "mixing/cell.hpp"
#include "mixing/cell_config.hpp"
#include "mixing/distance_bias.hpp"
#include "mixing/learned_scale.hpp"
#include "mixing/scaled_attention.hpp"
#include "mixing/visibility.hpp"
#include "mixing/window_keys.hpp"

namespace rlt {

template <std::floating_point T>
class WindowAttention {
 public:
  /// `past`: rows of the state, at least the window.
  WindowAttention(const CellConfig& config, Index past);

  /// Parameters name.scale (H) and name.distance (H, buckets).
  void declare(ParameterSet<T>& parameters, const std::string& name);
  /// `keys`: the most that another user of `kernel` asks for in a tile.
  void carve(Workspace& workspace, Extent largest, Index keys = 0);
  const WindowKeys<T>& keys() const { return keys_; }
  const ScaledAttention<T>& kernel() const { return kernel_; }

  /// projected (B T, 3 H d or more) q | k | v, of which q and k get unit length in place; o (B T, H d).
  void forward(Extent extent, const Pass<T>& pass, Matrix<T> state, Matrix<T> projected,
               Matrix<T> o);
  /// Backward in two parts: `backward` overwrites dq in dprojected and leaves the gradients of keys and values in
  /// keys(), where others may add theirs; `end_backward` turns all three into those of the projection. `dstate`: what
  /// Pass::dstate has of the state, or null.
  void backward(Extent extent, Matrix<const T> projected, Matrix<const T> doutput,
                Matrix<T> dprojected, Matrix<const T> dstate = {});
  void end_backward(Matrix<const T> projected, Matrix<T> dprojected, Matrix<T> dstate = {});

 private:
  AttentionTile<T> tile(Extent extent, Index b, Index head, Matrix<const T> projected) const;
  Matrix<T> part(Matrix<T> rows, Extent extent, Index b, Index head) const {
    return rows.row_block(b * extent.steps, extent.steps).col_block(head * d_, d_);
  }

  Index heads_;
  Index d_;
  Visibility sees_;
  WindowKeys<T> keys_;
  ScaledAttention<T> kernel_;
  DistanceBias<T> bias_;
  LearnedScale<T> scale_;
  // tape
  T* lengths_ = nullptr;    // (B T, 2 H) 1 / length of q and k
  Index* nulls_ = nullptr;  // (B, T) null keys in the window of a step
  // scratch
  T* dbias_ = nullptr;  // (B, H, W)
};

}  // namespace rlt
