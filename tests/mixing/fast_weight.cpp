// The frame with a Rule that no cell has yet: a decay, whose changes cannot be taken back, and values of
// another size than keys.
#include "mixing/fast_weight.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/gradient_check.hpp"
#include "tensor/activation.hpp"

namespace {

using rlt::Index;
using rlt::Lanes;

constexpr Index value_size = 3;

// S_t = a_t S_{t-1} + k_t v_t^T,  y_t = S_t^T q_t,  a = sigmoid;  S (d key, 3 value) starts from ones.
template <typename T>
class DecayRule : public rlt::PlainRule<T> {
 public:
  using V = Lanes<T>;
  static constexpr bool reversible = false;

  explicit DecayRule(const rlt::CellConfig& config) : d_(config.head_size()) {
    inputs = 2 * d_ + value_size + 1;
    kept = inputs;
  }

  Index inputs, kept;
  static constexpr Index outputs = value_size;
  std::vector<rlt::StatePiece> pieces() const { return {{"S", {d_, value_size}}}; }
  void initial(Index, V* s) const { std::fill_n(s, d_ * value_size, V(T(1))); }

  // in, kept: q (d), k (d), v, a
  void step(const rlt::LaneHeads&, const V* in, V* s, V* tape, V* y) const {
    std::copy_n(in, inputs, tape);
    tape[inputs - 1] = rlt::sigmoid<T>(in[inputs - 1]);
    replay(tape, s);
    for (Index j = 0; j < value_size; ++j) {
      y[j] = V(T(0));
      for (Index i = 0; i < d_; ++i) y[j] += s[i * value_size + j] * tape[i];
    }
  }
  void replay(const V* tape, V* s) const {
    const V* const k = tape + d_;
    const V* const v = k + d_;
    for (Index i = 0; i < d_; ++i) {
      for (Index j = 0; j < value_size; ++j) {
        V& entry = s[i * value_size + j];
        entry = v[value_size] * entry + k[i] * v[j];
      }
    }
  }
  void step_backward(const rlt::LaneHeads&, const V* tape, const V* before, const V* after,
                     const V* dy, V* ds, V* din, V*) const {
    const V* const k = tape + d_;
    const V* const v = k + d_;
    const V a = v[value_size];
    std::fill_n(din, inputs, V(T(0)));
    V* const dk = din + d_;
    V* const dv = dk + d_;
    for (Index i = 0; i < d_; ++i) {
      for (Index j = 0; j < value_size; ++j) {
        const Index at = i * value_size + j;
        din[i] += after[at] * dy[j];
        ds[at] += tape[i] * dy[j];
        dk[i] += ds[at] * v[j];
        dv[j] += ds[at] * k[i];
        dv[value_size] += ds[at] * before[at];
        ds[at] *= a;
      }
    }
    dv[value_size] *= a * (T(1) - a);
  }

 private:
  Index d_;
};

constexpr rlt::Extent extent{3, 70};
constexpr Index width = 8;

struct Model {
  rlt::ParameterSet<double> parameters;
  rlt::Workspace workspace;
  rlt::FastWeightCell<double, DecayRule<double>> cell{
      {.d_model = width, .heads = 2, .positions = rlt::Positions::none, .options = {}}};
  std::vector<double> x = std::vector<double>(extent.rows() * width);
  std::vector<double> y = x;
  std::vector<std::uint8_t> starts = std::vector<std::uint8_t>(extent.rows());

  Model() {
    cell.declare(parameters, "cell");
    parameters.allocate();
    parameters.initialize(1);
    cell.carve(workspace, extent);
    workspace.allocate();
    cell.carve(workspace, extent);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 2 * rlt::Rng(5).uniform(i) - 1;
    for (const Index marked : {1, 32, 33, 70 + 64, 140 + 31}) starts[marked] = 1;
  }

  rlt::Sequence<double> sequence(std::vector<double>& values) {
    return {extent, values.data(), width};
  }
  double loss() {
    cell.forward(sequence(x), {.starts = starts.data()}, sequence(y));
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * rlt::Rng(6).uniform(i);
    return sum;
  }
};

}  // namespace

TEST_CASE("fast weight: a Rule whose changes cannot be taken back is replayed, starts included") {
  Model model;
  model.loss();
  std::vector<double> dy(model.y.size());
  std::vector<double> dx(model.y.size());
  for (std::size_t i = 0; i < dy.size(); ++i) dy[i] = rlt::Rng(6).uniform(i);
  model.cell.backward(model.sequence(model.x), model.sequence(dy), model.sequence(dx));
  const auto differs = [&](double& entry, double gradient) {
    return rlt::gradient_error(entry, gradient, [&] { return model.loss(); }) >
           rlt::GradientTolerance().error;
  };
  Index wrong = 0;
  for (std::size_t i = 0; i < dx.size(); i += 3) wrong += differs(model.x[i], dx[i]) ? 1 : 0;
  for (const auto& parameter : model.parameters.all()) {
    for (Index i = 0; i < parameter.count(); ++i) {
      wrong += differs(parameter.value[i], parameter.gradient[i]) ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("fast weight: the state has the rule's pieces for each head, and their initial values") {
  Model model;
  const rlt::StateLayout layout = model.cell.state_layout(5);
  CHECK(layout.copies == 2);
  CHECK(layout.size() == 2 * 4 * value_size);
  std::vector<double> state(static_cast<std::size_t>(layout.size()));
  model.cell.initial_state({state.data(), 1, layout.size()});
  for (const double entry : state) CHECK(entry == 1);
}
