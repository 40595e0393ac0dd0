// What enters the first layer: x_t = E[token_t] + f(W r_t + b) + position(t), each term where there is one, f the
// identity or relu; or r_t itself.
#pragma once

#include <optional>

#include "mixing/cell.hpp"
#include "mixing/cell_config.hpp"
#include "model/batch.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/time_encoding.hpp"

namespace rlt {

struct InputConfig {
  Index vocabulary = 0;  // 0: no tokens
  Index features = 0;    // real numbers at each position; 0: none
  std::optional<RealInput>
      real_input{};       // how they enter; none: the first cell's own way, or linear
  Init matrix = nullptr;  // of W; null: torch's, and the bias likewise, else 0
  Positions positions = Positions::none;  // those that are added, or none
};

template <std::floating_point T>
class Input {
 public:
  Input(const InputConfig& config, Index width) : config_(config), width_(width) {}

  /// Parameters embedding.weight (vocabulary, D), input.weight (F, D) and input.bias (D), time.frequency and time.phase.
  void declare(ParameterSet<T>& parameters);
  void carve(Workspace& workspace, Extent largest);
  /// The number of tokens read so far, where positions are added.
  StateLayout state_layout() const;

  void forward(const Inputs& inputs, const Pass<T>& pass, Matrix<T> x);
  /// Adds to the gradients of the parameters; `inputs` as in forward.
  void backward(const Inputs& inputs, Matrix<const T> dx);

 private:
  bool projects() const { return config_.features > 0 && config_.real_input != RealInput::direct; }
  bool rectifies() const { return projects() && config_.real_input == RealInput::relu; }
  bool adds_positions() const { return is_added(config_.positions); }
  bool learns_positions() const { return config_.positions == Positions::learned; }
  void read_reals(Matrix<const float> reals, Matrix<T> x);
  void add_positions(Extent extent, const Pass<T>& pass, Matrix<T> x);

  InputConfig config_;
  Index width_;
  Embedding<T> embedding_;
  Linear<T> projection_;
  TimeEncoding<T> waves_;
  Index* positions_ = nullptr;  // tape: (B T)
  T* wave_ = nullptr;           // tape: (D) the sinusoidal encoding of wave_position_
  Index wave_position_ = -1;    // -1: of none yet
  T* reals_ = nullptr;          // tape: (B T, F) the real inputs as T
  T* projected_ = nullptr;      // tape with relu, else scratch: (B T, D) f(W r + b)
  T* dprojected_ = nullptr;     // scratch with relu
};

}  // namespace rlt
