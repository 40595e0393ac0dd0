#include "optim/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/memory.hpp"
#include "nn/elementwise.hpp"
#include "optim/adafactor.hpp"

namespace rlt {
namespace {

// Of the numbers times `unit`: one running sum in index order, the same bits for every thread count.
template <typename T>
double sum_of_squares(const T* numbers, Index count, T unit) {
  double squares = 0;
  for (Index begin = 0; begin < count; begin += buffer_block) {
    T sums[16] = {};
    const Index end = std::min(count, begin + buffer_block);
    const auto square = [&](Index i) { return (unit * numbers[i]) * (unit * numbers[i]); };
    Index i = begin;
    for (; i + 16 <= end; i += 16) {
      for (Index lane = 0; lane < 16; ++lane) sums[lane] += square(i + lane);
    }
    for (; i < end; ++i) sums[0] += square(i);
    for (const T sum : sums) squares += static_cast<double>(sum);
  }
  return squares;
}

}  // namespace

template <typename T>
Optimizer<T>::Optimizer(const OptimizerConfig& config, Index flat_size) : config_(config) {
  const Index blocks = config.kind == "sgd" ? 1 : 2;
  require_memory(bytes_of(sizeof(T), blocks, flat_size),
                 "the moments of --optimizer " + config.kind, "--d-model, --layers or --ff");
  first_.assign(static_cast<std::size_t>(flat_size), T(0));
  if (config.kind != "sgd") second_.assign(static_cast<std::size_t>(flat_size), T(0));
}

template <typename T>
void Optimizer<T>::update(ParameterSet<T>& parameters, Index step, double learning_rate) {
  T* const value = parameters.values();
  const T* const gradient = parameters.gradients();
  T* const first = first_.data();
  T* const second = second_.data();
  const T rate = static_cast<T>(learning_rate);
  if (config_.kind == "sgd") {
    const T momentum = static_cast<T>(config_.momentum);
    for_buffer_blocks(parameters.flat_size(), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        first[i] = momentum * first[i] + gradient[i];
        value[i] -= rate * first[i];
      }
    });
    return;
  }
  if (config_.kind == "adafactor") {
    adafactor_update(parameters, config_.beta1, step, learning_rate, first, second);
    return;
  }
  const T beta1 = static_cast<T>(config_.beta1);
  const T beta2 = static_cast<T>(config_.beta2);
  const T epsilon = static_cast<T>(config_.epsilon);
  const double power = static_cast<double>(step);
  const T step_size = static_cast<T>(learning_rate / (1 - std::pow(config_.beta1, power)));
  const T second_scale = static_cast<T>(1 / std::sqrt(1 - std::pow(config_.beta2, power)));
  const T keep =
      static_cast<T>(config_.kind == "adamw" ? 1 - learning_rate * config_.weight_decay : 1);
  for_buffer_blocks(parameters.flat_size(), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      first[i] = beta1 * first[i] + (1 - beta1) * gradient[i];
      second[i] = beta2 * second[i] + (1 - beta2) * gradient[i] * gradient[i];
      value[i] =
          keep * value[i] - step_size * first[i] / (std::sqrt(second[i]) * second_scale + epsilon);
    }
  });
}

template <typename T>
std::vector<typename Optimizer<T>::Moment> Optimizer<T>::moments() {
  std::vector<Moment> all = {{"first", first_}};
  if (!second_.empty()) all.push_back({"second", second_});
  return all;
}

template <typename T>
double clip_gradients(ParameterSet<T>& parameters, double limit) {
  T* const gradient = parameters.gradients();
  const Index count = parameters.flat_size();
  T unit = 1;
  double squares = sum_of_squares(gradient, count, unit);
  if (!std::isfinite(squares)) {
    // huge gradients: their squares overflow, their norm does not
    unit = std::ldexp(T(1), -std::numeric_limits<T>::max_exponent * 3 / 4);
    squares = sum_of_squares(gradient, count, unit);
  }
  const double norm = std::sqrt(squares) / static_cast<double>(unit);
  if (limit > 0 && norm > limit && std::isfinite(norm)) {
    const T scale = static_cast<T>(limit / std::sqrt(squares));
    for_buffer_blocks(count, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) gradient[i] = unit * gradient[i] * scale;
    });
  }
  return norm;
}

double Schedule::at(Index step) const {
  double peak = learning_rate;
  if (kind == "rsqrt") peak /= std::sqrt(static_cast<double>(std::max(step, warmup)));
  if (step <= warmup) return peak * static_cast<double>(step) / static_cast<double>(warmup);
  if (kind != "cosine" || steps <= warmup) return peak;
  const double progress =
      std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(steps - warmup));
  const double wave = 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return learning_rate * (final_fraction + (1 - final_fraction) * wave);
}

template class Optimizer<float>;
template class Optimizer<double>;
template double clip_gradients<float>(ParameterSet<float>&, double);
template double clip_gradients<double>(ParameterSet<double>&, double);

}  // namespace rlt
