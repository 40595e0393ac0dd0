// A Rule: what one head does at a step, and backward. fast_weight.hpp makes a cell of it.
#pragma once

#include <cmath>
#include <concepts>
#include <string_view>
#include <vector>

#include "mixing/cell.hpp"
#include "mixing/cell_config.hpp"
#include "mixing/head_lanes.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

/// One head's recurrence, V = Lanes<T>: one sequence per lane. Sizes are vectors per head and step.
template <typename R, typename T>
concept FastWeightRule = requires(R rule, const R fixed, const CellConfig& config,
                                  ParameterSet<T>& parameters, std::string_view prefix, Index head,
                                  const LaneHeads& heads, Lanes<T>* vectors, const Lanes<T>* read,
                                  Matrix<const T> rows) {
  R(config);
  /// false: the head reads its slice of x itself, not a slow projection of it.
  { R::projects } -> std::convertible_to<bool>;
  /// A step's change of the state can be taken back by step_backward (sums can, decay cannot).
  { R::reversible } -> std::convertible_to<bool>;
  { R::learns_initial_state } -> std::convertible_to<bool>;
  { fixed.inputs } -> std::convertible_to<Index>;
  { fixed.outputs } -> std::convertible_to<Index>;
  { fixed.kept } -> std::convertible_to<Index>;     // from step to step_backward
  { fixed.emitted } -> std::convertible_to<Index>;  // from step_backward to backward_parameters
  { fixed.output_scale } -> std::convertible_to<T>;
  { fixed.pieces() } -> std::same_as<std::vector<StatePiece>>;  // the state
  rule.declare(parameters, prefix);
  /// Makes tables of its own, once the parameters have found room.
  rule.prepare();
  /// Writes what of a fresh state is not 0.
  fixed.initial(head, vectors);
  /// step(heads, in, state, kept, out); may use `in` as scratch.
  fixed.step(heads, vectors, vectors, vectors, vectors);
  /// replay(kept, state): what `step` did to the part of the state that step_backward reads.
  fixed.replay(read, vectors);
  /// backward_parameters(emitted, din), (B T, H emitted) and (B T, H inputs), after all steps.
  rule.backward_parameters(rows, rows);
}
&& (R::reversible
          // step_backward(heads, kept, state, dout, dstate, din, emitted); state (the part that replay makes)
          // and dstate (its gradient) are after the step on entry and before it on return.
          ? requires(const R rule, const LaneHeads& heads, const Lanes<T>* read, Lanes<T>* vectors) {
              rule.step_backward(heads, read, vectors, read, vectors, vectors, vectors);
            }
          // step_backward(heads, kept, before, after, dout, dstate, din, emitted): the states around the step.
          : requires(const R rule, const LaneHeads& heads, const Lanes<T>* read, Lanes<T>* vectors) {
              rule.step_backward(heads, read, read, read, read, vectors, vectors, vectors);
            }) &&
    (!R::learns_initial_state ||
     // backward_initial(head, dstate): the gradient of the state before the first step.
     requires(R rule, Index head, const T* gradient) { rule.backward_initial(head, gradient); });

/// Defaults for what most Rules do not need: a Rule inherits them and declares what it does need itself.
template <typename T>
class PlainRule {
 public:
  using V = Lanes<T>;
  static constexpr bool projects = true;
  static constexpr bool reversible = true;
  static constexpr bool learns_initial_state = false;
  static constexpr Index emitted = 0;
  static constexpr T output_scale = T(1);

  void declare(ParameterSet<T>&, std::string_view) {}
  void prepare() {}
  void initial(Index, V*) const {}
  void backward_parameters(Matrix<const T>, Matrix<const T>) {}
};

/// `scale`: the switch of the language models of arXiv 2106.06295.
inline Option scale_option() {
  return {.name = "scale",
          .value = "none",
          .help = "rsqrt: outputs of a head of size d times 1 / sqrt(d)",
          .choices = {"none", "rsqrt"}};
}
template <typename T>
T output_scale_of(const CellConfig& config) {
  return config.text("scale") == "rsqrt" ? T(1) / std::sqrt(static_cast<T>(config.head_size()))
                                         : T(1);
}

}  // namespace rlt
