// From a batch to the gradients of all parameters.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "losses/loss.hpp"
#include "model/sequence_model.hpp"

namespace rlt {

template <std::floating_point T>
class TrainingStep {
 public:
  /// The loss reads all outputs of the model, which must outlive this object.
  TrainingStep(SequenceModel<T>& model, std::unique_ptr<Loss<T>> loss);

  const Loss<T>& loss() const { return *loss_; }
  /// Forward, the loss averaged over scored positions, and backward: the gradients are overwritten.
  /// `state`, if any, is read as the past and replaced; no gradient flows into it.
  Score run(const Batch& batch, const Dropout& dropout, State<T>* state = nullptr);

 private:
  SequenceModel<T>& model_;
  std::unique_ptr<Loss<T>> loss_;
  std::vector<Score> scores_;  // of each sequence
};

}  // namespace rlt
