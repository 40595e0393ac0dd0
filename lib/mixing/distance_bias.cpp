#include "mixing/distance_bias.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace rlt {

Index distance_bucket(Index distance) {
  constexpr Index exact = 16;
  constexpr double furthest = 128;
  if (distance < exact) return distance;
  const double share = std::log(static_cast<double>(distance) / exact) / std::log(furthest / exact);
  return std::min<Index>(exact + static_cast<Index>(share * exact), 2 * exact - 1);
}

template <std::floating_point T>
void DistanceBias<T>::declare(ParameterSet<T>& parameters, std::string_view name) {
  table_ = &parameters.add(std::string(name), {heads_, buckets},
                           init::normal(1 / std::sqrt(static_cast<double>(buckets))));
}

template <std::floating_point T>
void DistanceBias<T>::carve(Workspace& workspace) {
  expanded_ = workspace.tape.take<T>(heads_, window_);
}

template <std::floating_point T>
void DistanceBias<T>::expand() {
  for (Index place = 0; place < window_; ++place) {
    const Index bucket = distance_bucket(window_ - place);
    for (Index head = 0; head < heads_; ++head) {
      expanded_[head * window_ + place] = table_->value[head * buckets + bucket];
    }
  }
}

template <std::floating_point T>
void DistanceBias<T>::backward(Index head, const T* dexpanded) {
  for (Index place = 0; place < window_; ++place) {
    const Index bucket = distance_bucket(window_ - place);
    table_->gradient[head * buckets + bucket] += dexpanded[place];
  }
}

template class DistanceBias<float>;
template class DistanceBias<double>;

}  // namespace rlt
