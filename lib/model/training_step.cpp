#include "model/training_step.hpp"

#include <algorithm>
#include <utility>

namespace rlt {

template <std::floating_point T>
TrainingStep<T>::TrainingStep(SequenceModel<T>& model, std::unique_ptr<Loss<T>> loss)
    : model_(model), loss_(std::move(loss)) {}

template <std::floating_point T>
Score TrainingStep<T>::run(const Batch& batch, const Dropout& dropout, State<T>* state) {
  const Inputs inputs = batch.inputs();
  const Targets targets = batch.targets();
  const Matrix<T> outputs =
      model_.forward(inputs, {.state = state, .starts = batch.starts(), .dropout = dropout});
  const Index scored = std::max<Index>(1, loss_->scored(targets));
  scores_.assign(static_cast<std::size_t>(inputs.extent.batch), Score());
  loss_->apply(targets, static_cast<T>(1.0 / static_cast<double>(scored)), outputs, scores_);
  model_.parameters().zero_gradients();
  model_.backward(inputs, outputs);
  return total(scores_);
}

template class TrainingStep<float>;
template class TrainingStep<double>;

}  // namespace rlt
