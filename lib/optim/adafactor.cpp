#include "optim/adafactor.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"

namespace rlt {
namespace {

template <typename T>
double root_mean_square(const T* values, Index count) {
  double squares = 0;
  for (Index i = 0; i < count; ++i) squares += static_cast<double>(values[i]) * values[i];
  return std::sqrt(squares / static_cast<double>(count));
}

/// 1 / sqrt(v) of every entry of one parameter, after its moments have taken in the gradient.
template <typename T>
class SecondMoment {
 public:
  SecondMoment(const Parameter<T>& parameter, double decay, T* moments)
      : cols_(parameter.shape.empty() ? 1 : parameter.shape.back()),
        rows_(parameter.count() / cols_),
        row_(moments),
        col_(moments + rows_) {
    if (!is_matrix()) {
      for (Index i = 0; i < parameter.count(); ++i) {
        decay_towards(square(parameter.gradient[i]), decay, row_[i]);
      }
      return;
    }
    for (Index r = 0; r < rows_; ++r) {
      double sum = 0;
      for (Index c = 0; c < cols_; ++c) sum += square(parameter.gradient[r * cols_ + c]);
      decay_towards(sum / static_cast<double>(cols_), decay, row_[r]);
      mean_ += static_cast<double>(row_[r]) / static_cast<double>(rows_);
    }
    for (Index c = 0; c < cols_; ++c) {
      double sum = 0;
      for (Index r = 0; r < rows_; ++r) sum += square(parameter.gradient[r * cols_ + c]);
      decay_towards(sum / static_cast<double>(rows_), decay, col_[c]);
    }
  }

  double inverse_root(Index i) const {
    if (!is_matrix()) return 1 / std::sqrt(static_cast<double>(row_[i]));
    const double row = static_cast<double>(row_[i / cols_]) / mean_;
    return 1 / (std::sqrt(row) * std::sqrt(static_cast<double>(col_[i % cols_])));
  }

 private:
  bool is_matrix() const { return rows_ > 1 && cols_ > 1; }
  static double square(T gradient) { return static_cast<double>(gradient) * gradient + 1e-30; }
  static void decay_towards(double value, double decay, T& moment) {
    moment = static_cast<T>(decay * moment + (1 - decay) * value);
  }

  Index cols_;
  Index rows_;
  T* row_;
  T* col_;
  double mean_ = 0;
};

}  // namespace

template <typename T>
void adafactor_update(const ParameterSet<T>& parameters, double beta1, Index step,
                      double learning_rate, T* first, T* second) {
  constexpr double exponent = 0.8;
  constexpr double least_size = 1e-3;
  const double decay = 1 - std::pow(static_cast<double>(step), -exponent);
  parallel_for(std::ssize(parameters.all()), [&](Index index, int) {
    const Parameter<T>& parameter = parameters.all()[static_cast<std::size_t>(index)];
    const Index count = parameter.count();
    const SecondMoment<T> moment(parameter, decay, second + parameter.offset);
    double squares = 0;
    for (Index i = 0; i < count; ++i) {
      const double u = parameter.gradient[i] * moment.inverse_root(i);
      squares += u * u;
    }
    const double clip = std::max(1.0, std::sqrt(squares / static_cast<double>(count)));
    const double size = std::max(least_size, root_mean_square(parameter.value, count));
    const double rate = learning_rate * size / clip;
    T* const m = first + parameter.offset;
    for (Index i = 0; i < count; ++i) {
      const double u = parameter.gradient[i] * moment.inverse_root(i);
      m[i] = static_cast<T>(beta1 * m[i] + (1 - beta1) * rate * u);
      parameter.value[i] -= m[i];
    }
  });
}

template void adafactor_update<float>(const ParameterSet<float>&, double, Index, double, float*,
                                      float*);
template void adafactor_update<double>(const ParameterSet<double>&, double, Index, double, double*,
                                       double*);

}  // namespace rlt
