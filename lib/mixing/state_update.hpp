// The next value of a state from its old value c and from what it read, m (arXiv 2203.07852; gates: state_gate.hpp):
//   skip     c' = gate(c, m W)
//   dual     c1 = gate(c, m W)      c' = gate2(c1, W_2 h)         h = relu(W_1 RMS(c1))
//   single                          c' = gate2(c, tanh(W_2 h))    h = relu(W_1 m)
// gate reads m, gate2 reads h. No biases outside the gates; matrices LeCun normal.
#pragma once

#include <string>

#include "mixing/state_gate.hpp"
#include "nn/rms_norm.hpp"

namespace rlt {

template <std::floating_point T>
class StateUpdate {
 public:
  enum class Form { skip, dual, single };
  static Form parse(const std::string& name) {
    return name == "skip" ? Form::skip : name == "dual" ? Form::dual : Form::single;
  }

  /// States of `width` numbers that read `inputs`; h has `hidden`.
  StateUpdate(Form form, typename StateGate<T>::Kind gate, Index width, Index inputs, Index hidden)
      : form_(form), kind_(gate), width_(width), inputs_(inputs), hidden_width_(hidden) {}

  /// Parameters name.out and name.gate; name.ff.norm, name.ff.up, name.ff.down and name.ff.gate.
  void declare(ParameterSet<T>& parameters, const std::string& name);
  /// For passes of `all` rows, forward in parts of at most `rows`. The scratch belongs to the caller's ScratchScope.
  void carve(Workspace& workspace, Index all, Index rows);

  /// Rows from `first` on of the pass: c (rows, D), m (rows, inputs) -> next (rows, D).
  void forward(Index first, Matrix<const T> c, Matrix<const T> m, Matrix<T> next);
  /// Overwrites dc and dm; adds to the parameters' gradients.
  void backward(Index first, Matrix<const T> c, Matrix<const T> m, Matrix<const T> dnext,
                Matrix<T> dc, Matrix<T> dm);

 private:
  bool projects() const { return form_ != Form::single; }
  bool thinks() const { return form_ != Form::skip; }
  Matrix<T> part(T* rows, Index first, Index count, Index cols) const {
    return {rows + first * cols, count, cols};
  }
  void think(Index first, Matrix<const T> x, Matrix<T> z);
  void think_backward(Index first, Matrix<const T> x, Matrix<T> dh, Matrix<const T> dz,
                      Matrix<T> dx);
  void project_backward(Index first, Matrix<const T> c, Matrix<const T> m, Matrix<const T> dnext,
                        Matrix<T> dc, Matrix<T> dm);

  Form form_;
  typename StateGate<T>::Kind kind_;
  Index width_;
  Index inputs_;
  Index hidden_width_;
  Linear<T> out_;
  StateGate<T> gate_;
  RmsNorm<T> norm_;
  Linear<T> up_;
  Linear<T> down_;
  StateGate<T> gate2_;
  // tape, all rows
  T* candidate_ = nullptr;   // (D) m W
  T* middle_ = nullptr;      // (D) c1
  T* normal_ = nullptr;      // (D) RMS(c1)
  T* hidden_ = nullptr;      // (F) h
  T* candidate2_ = nullptr;  // (D) what gate2 takes
  // scratch
  T* dcandidate_ = nullptr;
  T* dmiddle_ = nullptr;
  T* dnormal_ = nullptr;
  T* dhidden_ = nullptr;
  T* dgate_input_ = nullptr;
};

}  // namespace rlt
