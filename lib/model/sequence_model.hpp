// The whole network: input -> list of layers -> heads.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "blocks/block.hpp"
#include "model/feedback_stack.hpp"
#include "model/model_config.hpp"
#include "model/state.hpp"
#include "nn/norm.hpp"

namespace rlt {

/// One pass of a whole model; the members mean what those of Pass do.
template <std::floating_point T>
struct ModelPass {
  State<T>* state = nullptr;
  const std::uint8_t* starts = nullptr;
  Dropout dropout{};
  typename Pass<T>::Keep keep = Pass<T>::Keep::tape;
};

template <std::floating_point T>
class SequenceModel {
 public:
  /// `config` as `complete` returned it. Declares and places all parameters (zero until `initialize` or a
  /// checkpoint fills them).
  explicit SequenceModel(const ModelConfig& config);

  const ModelConfig& config() const { return config_; }
  ParameterSet<T>& parameters() { return parameters_; }
  const ParameterSet<T>& parameters() const { return parameters_; }
  /// Numbers that all heads together put out at each position.
  Index outputs() const { return outputs_; }

  /// Gets memory for batches up to `largest`; nothing allocates afterwards. Error(failed) when this machine
  /// has too little; `smaller` names the flags that ask for less.
  void carve(Extent largest, std::string_view smaller = "the batch");

  /// The recurrent state of a sequence after at most `context` positions: of each layer, then of the input.
  std::vector<StateLayout> state_layout(Index context) const;
  Index state_size(Index context) const;
  /// The state of `rows` fresh sequences.
  State<T> fresh_state(Index rows, Index context) const;
  void initialize(State<T>& state) const;
  /// For a state that goes on after the parameters have changed: Cell::rebuild of every layer.
  void rebuild(State<T>& state);

  /// inputs (B,T) -> outputs (B T, outputs()) of the heads side by side, (B, outputs()) where the model asks_last; valid
  /// until the next call.
  Matrix<T> forward(const Inputs& inputs, const ModelPass<T>& pass);
  /// Adds the gradients of all parameters for `doutputs`, of the latest forward.
  void backward(const Inputs& inputs, Matrix<const T> doutputs);

  /// What gave the first number that is not finite in the forward pass of the latest training step, in the order of
  /// computation: a parameter, or the output of the input, a block, the last norm or a head. Empty when
  /// there is none. Slow, for the report of a run that diverged.
  std::string first_not_finite(Extent extent);

 private:
  Index layer_count() const { return std::ssize(layers_); }
  Index stream_width(Index layer) const;
  Sequence<T> stream(Extent extent, Index layer) const;
  Sequence<T> top(Extent extent) const;
  Matrix<T> read(Extent extent) const;
  template <typename Body>
  void for_each_end(const Inputs& inputs, Body body) const;
  Pass<T> part_pass(const ModelPass<T>& pass, Index part) const;
  void forward_layers(Extent extent, const ModelPass<T>& pass);
  void backward_layers(Extent extent);

  ModelConfig config_;
  Index width_;
  Top top_form_;
  ParameterSet<T> parameters_;
  Input<T> input_;
  std::vector<std::unique_ptr<Cell<T>>> layers_;
  std::optional<FeedbackStack<T>> feedback_;  // runs the layers, where they need it
  std::vector<Pass<T>> passes_;               // of the layers, for it
  Norm<T> top_norm_;
  std::vector<Head<T>> heads_;
  Index outputs_ = 0;
  Workspace workspace_;
  Dropout top_dropout_;
  std::vector<T*> streams_;  // input of each layer, and the output of the last: (B T, D)
  T* top_ = nullptr;         // Top::norm: the norm's output
  T* ends_ = nullptr;        // asks_last: (B, D) the top at the end of each sequence
  T* output_ = nullptr;      // (B T, outputs), or (B, outputs)
  T* dstream_ = nullptr;
  T* dstream_next_ = nullptr;
};

}  // namespace rlt
