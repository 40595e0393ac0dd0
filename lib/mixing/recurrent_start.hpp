// How the parameters of lstm, gru and elman start: the option `init` that they share.
#pragma once

#include <cmath>
#include <string>

#include "mixing/cell_config.hpp"
#include "nn/init.hpp"
#include "nn/linear.hpp"

namespace rlt {

inline Option recurrent_start_option(const std::string& value) {
  return {.name = "init",
          .value = value,
          .help =
              "uniform: everything in U(+-1/sqrt(D)), as torch; orthogonal: each gate's matrices, "
              "with gain sqrt(2), biases 0, as the baselines of AGaLiTe",
          .choices = {"uniform", "orthogonal"}};
}

/// Of the matrices of `gates` gates side by side, and of their biases.
struct RecurrentStart {
  explicit RecurrentStart(const CellConfig& config)
      : orthogonal(config.text("init") == "orthogonal"), bound(default_bound(config.d_model)) {}

  Init matrices(Index gates) const {
    return orthogonal ? init::columns(gates, init::orthogonal(std::sqrt(2.0)))
                      : init::uniform(bound);
  }
  Init biases() const { return orthogonal ? init::constant(0) : init::uniform(bound); }

  bool orthogonal;
  double bound;
};

}  // namespace rlt
