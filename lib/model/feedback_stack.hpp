// Block-feedback (Hutchins et al. 2022, arXiv 2203.07852): a stack of layers that all read the states of one of them,
// those below it too. So no layer can be finished before the next begins: the whole stack reads W steps, then the states
// are updated, then it reads the next W.
//   for each block: for each layer l: stream_{l+1} = layer_l(stream_l; C)      then C <- what the recurrent layer made
// Backward: blocks from the last to the first. Gradients pass from block to block through what layers carry, the states
// and the last keys and values (Pass::dstate), and stop at the border of the segment.
//
// Blocks are counted from where a carried state was fresh and end together in all sequences. A start inside one is seen
// by every layer at once; it does not move the border.
// Memory: a copy of every layer's tape for each block of a segment; all copies compute with the same parameters.
#pragma once

#include <memory>
#include <vector>

#include "blocks/block.hpp"
#include "mixing/recurrent_states.hpp"

namespace rlt {

template <std::floating_point T>
class FeedbackStack {
 public:
  using Layers = std::vector<std::unique_ptr<Cell<T>>>;

  /// Whether layers of this kind have to run block by block.
  static bool is_needed(const std::vector<LayerConfig>& layers);
  explicit FeedbackStack(const std::vector<LayerConfig>& layers);

  /// `first`: the layers, with their parameters placed in `parameters`. They read the first block of every segment; copies
  /// of them read the others.
  void carve(Workspace& workspace, Extent largest, const Layers& first,
             const ParameterSet<T>& parameters);

  /// streams: the input of each layer and the output of the last, (B T, D) each; passes: one for each layer.
  void forward(Extent extent, const std::vector<T*>& streams, const std::vector<Pass<T>>& passes);
  /// Of the latest forward: overwrites dx.
  void backward(const std::vector<T*>& streams, Matrix<const T> dy, Matrix<T> dx);

 private:
  /// The stack, for one block of a segment.
  struct Piece {
    Layers copies;
    std::vector<Cell<T>*> layers;
    ParameterSet<T> parameters;
    RecurrentStates<T>* states;
    std::uint8_t* starts;  // (B, steps)
    Index first;           // step of the segment
    Index steps;
  };

  void cut(Extent extent, Matrix<const T> carried);
  void enter(const Piece& piece, const Pass<T>& pass, bool fresh) const;
  Matrix<T> carried(Matrix<T> state, const Piece& piece) const {
    return state.col_block(0, piece.states->carried_size());
  }
  void gather(const Piece& piece, const T* stream, T* rows) const;
  void scatter(const Piece& piece, const T* rows, T* stream) const;

  std::vector<LayerConfig> configs_;
  Index width_;
  Index window_;
  std::size_t recurrent_ = 0;  // the layer that has the states
  std::vector<Piece> pieces_;
  Extent extent_;
  std::size_t used_ = 0;  // pieces, in the latest forward
  std::vector<Matrix<T>>
      own_;  // what each layer carries from block to block, where the caller carries nothing
  std::vector<Matrix<T>> dstates_;  // of what each layer carries
  T* x_ = nullptr;                  // (B W, D)
  T* y_ = nullptr;
  T* dy_ = nullptr;
};

}  // namespace rlt
