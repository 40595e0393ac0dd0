// Updates of the flat array of parameters. Moments are flat arrays too: a checkpoint copies each in one go.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/parameter.hpp"

namespace rlt {

struct OptimizerConfig {
  std::string kind = "adam";  // adam, adamw, sgd, adafactor
  double beta1 = 0.9;         // of the first moment; not sgd
  double beta2 = 0.995;       // as the official code of arXiv 2310.16076
  double epsilon = 1e-9;
  double weight_decay = 0;  // adamw only, decoupled
  double momentum = 0;      // sgd only
};

template <typename T>
class Optimizer {
 public:
  /// Error(failed) when this machine has no room for the moments.
  Optimizer(const OptimizerConfig& config, Index flat_size);

  /// One update with gradients g; `step` counts from 1.
  ///   adam   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
  ///          w -= rate (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + epsilon)
  ///          (Kingma, Ba 2015, arXiv 1412.6980); adamw also w -= rate decay w (arXiv 1711.05101)
  ///   sgd    m = momentum m + g;  w -= rate m
  ///   adafactor: adafactor.hpp
  void update(ParameterSet<T>& parameters, Index step, double learning_rate);

  /// The optimiser's memory, for checkpoints: flat arrays with names (sgd: one, the others: two).
  struct Moment {
    std::string_view name;
    std::span<T> values;
  };
  std::vector<Moment> moments();

 private:
  OptimizerConfig config_;
  std::vector<T> first_;
  std::vector<T> second_;
};

/// Scales all gradients by min(1, limit / norm); returns the norm before, finite whenever all gradients are (up to
/// the range of double). limit <= 0: no scaling.
template <typename T>
double clip_gradients(ParameterSet<T>& parameters, double limit);

struct Schedule {
  std::string kind = "constant";  // constant, cosine, rsqrt: the rate divided by sqrt(step)
  double learning_rate = 1e-3;
  Index warmup =
      0;  // steps of linear warm-up, which come first; rsqrt divides by sqrt(warmup) in them
  Index steps = 0;  // cosine: where it reaches `final_fraction` of the peak
  double final_fraction = 0;

  /// Learning rate of step 1, 2, ...
  double at(Index step) const;
};

}  // namespace rlt
