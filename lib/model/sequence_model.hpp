// The whole network: embedding -> blocks around one kind of cell -> linear head.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/block.hpp"
#include "model/batch.hpp"
#include "nn/embedding.hpp"
#include "nn/layer_norm.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"

namespace rlt {

struct ModelConfig {
  std::string cell = "deltanet";
  CellConfig cell_config;  // as `complete` returned it
  Index layers = 2;
  Index ff = 4;  // feed-forward width = ff d_model
  double dropout = 0;
  Index vocabulary_in = 2;
  Index vocabulary_out = 2;
};

/// Error(usage) with one clear line when a size does not fit.
ModelConfig complete(ModelConfig config);

template <std::floating_point T>
class SequenceModel {
 public:
  /// Declares and places all parameters (zero until `initialize` or a checkpoint fills them).
  explicit SequenceModel(const ModelConfig& config);

  const ModelConfig& config() const { return config_; }
  ParameterSet<T>& parameters() { return parameters_; }
  const ParameterSet<T>& parameters() const { return parameters_; }

  /// Gets memory for batches up to `largest`; nothing allocates afterwards. Error(failed) when this machine
  /// has too little; `smaller` names the flags that ask for less.
  void carve(Extent largest, std::string_view smaller = "the batch");
  std::size_t workspace_bytes() const { return workspace_.bytes(); }

  /// Numbers of recurrent state of one sequence after at most `context` tokens.
  Index state_size(Index context) const;
  void initial_state(Matrix<T> state) const;

  /// tokens (B,T) -> logits (B T, vocabulary_out), valid until the next call. Dropout acts when
  /// carry.dropout is active.
  Matrix<T> forward(Extent extent, const int* tokens, const Carry<T>& carry);
  /// Adds the gradients of all parameters for `dlogits`, of the latest forward.
  void backward(Extent extent, const int* tokens, Matrix<const T> dlogits);

  /// Forward, cross-entropy averaged over scored positions, and backward: the gradients are overwritten.
  /// `state` (B, state_size), if any, is read as the past and replaced; no gradient flows into it.
  Score train(const Batch& batch, const Dropout& dropout, Matrix<T> state = {nullptr, 0, 0});

  /// What gave the first number that is not finite in the forward pass of the latest `train`, in the order of
  /// computation: a parameter, or the output of the embedding, a block, the last norm or the head. Empty when
  /// there is none. Slow, for the report of a run that diverged.
  std::string first_not_finite(Extent extent);

 private:
  T* stream(Index layer) const { return streams_[static_cast<std::size_t>(layer)]; }
  Tensor<T, 3> sequence(Extent extent, T* data) const;
  Matrix<const T> top(Extent extent) const;
  void add_positions(Extent extent, const Carry<T>& carry, T* x) const;
  /// The part of the carried state that belongs to one layer, and its own dropout masks.
  Carry<T> layer_carry(const Carry<T>& carry, Index layer) const;
  /// 1 when the state ends with the number of tokens read so far, for sinusoidal positions.
  Index position_counters() const;

  ModelConfig config_;
  Index width_;
  Wrapping wrapping_;
  ParameterSet<T> parameters_;
  Embedding<T> embedding_;
  std::vector<std::unique_ptr<Cell<T>>> blocks_;
  LayerNorm<T> final_norm_;
  Linear<T> head_;
  Workspace workspace_;
  Dropout dropout_;
  std::vector<Score> sequence_scores_;  // of the last training batch
  std::vector<T*> streams_;             // input of each layer, and the output of the last: (B T, D)
  T* top_ = nullptr;                    // postnorm: the final norm's output
  T* logits_ = nullptr;
  T* dstream_ = nullptr;
  T* dstream_next_ = nullptr;
};

}  // namespace rlt
