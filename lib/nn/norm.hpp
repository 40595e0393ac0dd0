// The norm of a layer, of the form that the model asks for.
#pragma once

#include <string_view>
#include <variant>

#include "nn/layer_norm.hpp"
#include "nn/rms_norm.hpp"

namespace rlt {

enum class NormForm { layer, rms };

inline std::string_view to_string(NormForm form) { return form == NormForm::rms ? "rms" : "layer"; }

/// LayerNorm or RmsNorm; the functions are theirs.
template <typename T>
class Norm {
 public:
  /// `epsilon` is LayerNorm's; RmsNorm has its own.
  void declare(ParameterSet<T>& parameters, std::string_view prefix, Index width, NormForm form,
               double epsilon = 1e-5) {
    if (form == NormForm::rms) {
      norm_.template emplace<RmsNorm<T>>().declare(parameters, prefix, width);
    } else {
      norm_.template emplace<LayerNorm<T>>().declare(parameters, prefix, width, epsilon);
    }
  }
  void carve(Workspace& workspace, Index rows) {
    std::visit([&](auto& norm) { norm.carve(workspace, rows); }, norm_);
  }

  void forward(Matrix<const T> x, Matrix<T> y) {
    std::visit([&](auto& norm) { norm.forward(x, y); }, norm_);
  }
  void backward(Matrix<const T> x, Matrix<const T> dy, const T* residual, Matrix<T> dx) {
    std::visit([&](auto& norm) { norm.backward(x, dy, residual, dx); }, norm_);
  }

  void forward_block(const RowBlock& block, Matrix<const T> x, Matrix<T> y) {
    std::visit([&](auto& norm) { norm.forward_block(block, x, y); }, norm_);
  }
  void backward_block(const RowBlock& block, Matrix<const T> x, Matrix<const T> dy,
                      const T* residual, Matrix<T> dx) {
    std::visit([&](auto& norm) { norm.backward_block(block, x, dy, residual, dx); }, norm_);
  }
  void end_backward(Index rows) {
    std::visit([&](auto& norm) { norm.end_backward(rows); }, norm_);
  }

 private:
  std::variant<LayerNorm<T>, RmsNorm<T>> norm_;
};

}  // namespace rlt
