#include "train/divergence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/error.hpp"

namespace rlt {
namespace {

template <typename T>
std::span<const T> gradient_of(const Parameter<T>& parameter) {
  return {parameter.gradient, static_cast<std::size_t>(parameter.count())};
}

/// Backward runs against the order of the parameters. Empty when all are finite.
template <typename T>
std::string first_bad_gradient(const ParameterSet<T>& parameters) {
  for (auto at = parameters.all().rbegin(); at != parameters.all().rend(); ++at) {
    const Parameter<T>& parameter = *at;
    if (!std::ranges::all_of(gradient_of(parameter), [](T g) { return std::isfinite(g); })) {
      return "the gradient of " + parameter.name;
    }
  }
  return {};
}

template <typename T>
std::string largest_gradient(const ParameterSet<T>& parameters) {
  std::string name;
  T largest = 0;
  for (const Parameter<T>& parameter : parameters.all()) {
    for (const T g : gradient_of(parameter)) {
      if (std::abs(g) <= largest) continue;
      largest = std::abs(g);
      name = parameter.name;
    }
  }
  return fmt::format("{} (up to {:.3g})", name, largest);
}

}  // namespace

template <std::floating_point T>
bool squares_overflow(std::string_view optimizer, double norm) {
  return optimizer != "sgd" && norm > std::sqrt(static_cast<double>(std::numeric_limits<T>::max()));
}

template <std::floating_point T>
void report_divergence(SequenceModel<T>& model, Extent extent, double loss,
                       const TrainingState& state, bool first_update) {
  std::string advice = "Try a smaller --lr or --clip 1";
  if (first_update) {
    advice = fmt::format("No update was made from the {} weights, so that --lr is not the cause",
                         state.step == 1 ? "initial" : "loaded");
  }
  std::string cause = model.first_not_finite(extent);
  if (cause.empty() && !std::isfinite(loss)) cause = "the loss";
  if (cause.empty()) cause = first_bad_gradient(model.parameters());
  if (cause.empty()) {
    cause = "the square of the gradient of " + largest_gradient(model.parameters());
    advice = "Try --clip 1";
  }
  const std::string before =
      state.step == 1 ? "" : fmt::format("; last finite loss {}", state.last_loss);
  fail(Exit::diverged,
       "diverged at step {} (sequences of {} tokens): loss {}, gradient norm {:.3g}; not finite "
       "first: "
       "{}{}. {}",
       state.step, extent.steps, loss, state.gradient_norm, cause, before, advice);
}

template bool squares_overflow<float>(std::string_view, double);
template bool squares_overflow<double>(std::string_view, double);
template void report_divergence<float>(SequenceModel<float>&, Extent, double, const TrainingState&,
                                       bool);
template void report_divergence<double>(SequenceModel<double>&, Extent, double,
                                        const TrainingState&, bool);

}  // namespace rlt
