#include "train/likelihood.hpp"

#include "losses/cross_entropy.hpp"
#include "losses/event_mixture.hpp"
#include "losses/forecast.hpp"

namespace rlt {

template <std::floating_point T>
std::unique_ptr<Loss<T>> make_loss(const TaskInfo& info) {
  const Index classes = std::ssize(info.outputs);
  switch (info.likelihood) {
    case Likelihood::classes:
      return std::make_unique<CrossEntropy<T>>(classes);
    case Likelihood::forecast:
      // The targets of a row: horizon x channels, and mean and deviation of each channel.
      return std::make_unique<Forecast<T>>(info.real_targets / info.features - 2, info.features);
    case Likelihood::events:
      return std::make_unique<EventMixture<T>>(classes);
  }
  return nullptr;
}

template std::unique_ptr<Loss<float>> make_loss<float>(const TaskInfo&);
template std::unique_ptr<Loss<double>> make_loss<double>(const TaskInfo&);

Index likelihood_outputs(const TaskInfo& info) { return make_loss<float>(info)->outputs(); }

}  // namespace rlt
