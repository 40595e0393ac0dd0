// How a new value z takes the place of an old one c in the states of the Block-Recurrent Transformer
// (arXiv 2203.07852). The gate never reads c; it reads h, which z was made of.
//   fixed   f = sigmoid(b)                 c' = f c + (1 - f) z      one number for each feature
//   full    f = sigmoid(W h + b + 1)       c' = f c + (1 - f) z
//   lstm    f as in full                   c' = f c + i z            i = sigmoid(W_i h + b_i - 1)
// b normal with deviation 0.1, so that fixed starts near 1/2; W truncated normal with variance 0.1 / inputs.
// Backward, g = dc':
//   dc = f g     dz = i g                  with i = 1 - f where there is no i of its own
//   df = g c, or g (c - z) without i       di = g z            then through the sigmoids and W
#pragma once

#include <string>

#include "nn/linear.hpp"

namespace rlt {

template <std::floating_point T>
class StateGate {
 public:
  enum class Kind { fixed, lstm, full };
  static Kind parse(const std::string& name) {
    return name == "fixed" ? Kind::fixed : name == "lstm" ? Kind::lstm : Kind::full;
  }

  /// Parameters name.bias and, where the gate reads h of `inputs` numbers, name.weight.
  void declare(ParameterSet<T>& parameters, const std::string& name, Kind kind, Index inputs,
               Index width);
  /// For passes of `all` rows, forward in parts of at most `rows`. The scratch belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index all, Index rows);

  /// Rows from `first` on of the pass: c, z (rows, D), h (rows, inputs) -> next (rows, D).
  void forward(Index first, Matrix<const T> c, Matrix<const T> z, Matrix<const T> h,
               Matrix<T> next);
  /// Overwrites dc and dz, adds to dh and to the parameters' gradients.
  void backward(Index first, Matrix<const T> c, Matrix<const T> z, Matrix<const T> h,
                Matrix<const T> dnext, Matrix<T> dc, Matrix<T> dz, Matrix<T> dh);

 private:
  bool reads() const { return kind_ != Kind::fixed; }
  Index gates() const { return kind_ == Kind::lstm ? 2 : 1; }

  Kind kind_ = Kind::fixed;
  Index width_ = 0;
  Index inputs_ = 0;
  Parameter<T>* bias_ = nullptr;
  Linear<T> map_;  // h -> f | i before the sigmoids
  // tape
  T* gates_ = nullptr;  // (all, f | i), after the sigmoids
  // scratch
  T* dgates_ = nullptr;
  T* dh_ = nullptr;
};

}  // namespace rlt
