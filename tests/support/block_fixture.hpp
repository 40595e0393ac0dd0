// A block around a cell that fits on a page, and its forward pass once more from the definitions of its parts.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/gradient_check.hpp"
#include "blocks/block.hpp"
#include "support/numbers.hpp"

namespace support {

using rlt::Extent;
using rlt::Matrix;
using rlt::Pass;
using rlt::Sequence;
using Numbers = std::vector<double>;

/// Each feature for itself: y_t = s_t = w x_t + s_{t-1} / 2.
class LeakySum : public rlt::Cell<double> {
 public:
  explicit LeakySum(Index width) : width_(width) {}

  void declare(rlt::ParameterSet<double>& parameters, std::string_view prefix) override {
    weight_ = &parameters.add(std::string(prefix) + ".weight", {width_}, rlt::init::uniform(1));
  }
  void carve(rlt::Workspace& workspace, Extent largest) override {
    starts_ = workspace.tape.take<std::uint8_t>(largest.rows());
  }
  rlt::StateLayout state_layout(Index /*context*/) const override {
    return {.pieces = {{"s", {width_}}}};
  }
  void initial_state(Matrix<double> state) const override {
    for (Index b = 0; b < state.rows; ++b) std::fill_n(state.row(b), width_, 0.0);
  }

  void forward(Sequence<const double> x, const Pass<double>& pass, Sequence<double> y) override {
    const Extent extent = x.extent;
    Numbers s(static_cast<std::size_t>(width_));
    for (Index b = 0; b < extent.batch; ++b) {
      double* const carried = pass.carries() ? pass.state.row(b) : nullptr;
      std::fill(s.begin(), s.end(), 0.0);
      if (carried != nullptr) std::copy_n(carried, width_, s.begin());
      for (Index t = 0; t < extent.steps; ++t) {
        const Index row = b * extent.steps + t;
        starts_[row] = pass.start(extent, b, t) ? 1 : 0;
        for (Index c = 0; c < width_; ++c) {
          const double past = starts_[row] != 0 ? 0 : s[c];
          s[c] = weight_->value[c] * x.rows.row(row)[c] + past / 2;
          y.rows.row(row)[c] = s[c];
        }
      }
      if (carried != nullptr) std::copy(s.begin(), s.end(), carried);
    }
  }
  void backward(Sequence<const double> x, Sequence<const double> dy, Sequence<double> dx) override {
    const Extent extent = x.extent;
    for (Index b = 0; b < extent.batch; ++b) {
      Numbers ds(static_cast<std::size_t>(width_), 0.0);
      for (Index t = extent.steps - 1; t >= 0; --t) {
        const Index row = b * extent.steps + t;
        for (Index c = 0; c < width_; ++c) {
          ds[c] += dy.rows.row(row)[c];
          weight_->gradient[c] += ds[c] * x.rows.row(row)[c];
          dx.rows.row(row)[c] = ds[c] * weight_->value[c];
          ds[c] = starts_[row] != 0 ? 0 : ds[c] / 2;
        }
      }
    }
  }

 private:
  Index width_;
  rlt::Parameter<double>* weight_ = nullptr;
  std::uint8_t* starts_ = nullptr;
};

/// A block of 6 features and 11 inner ones around a LeakySum, with parameters away from their starts, and its
/// parts by their definitions: rows (B T, D) in, rows out.
class BlockFixture {
 public:
  static constexpr Index width = 6;
  static constexpr Index inner = 11;

  BlockFixture(const char* name, Extent extent_, rlt::NormForm form = rlt::NormForm::layer)
      : extent(extent_),
        block(rlt::wrap<double>(name, std::make_unique<LeakySum>(width), width, inner, form)),
        x(numbers(extent.rows() * width, 1)),
        starts(static_cast<std::size_t>(extent.rows()), 0),
        state(static_cast<std::size_t>(extent.batch * block->state_size(extent.steps))) {
    block->declare(parameters, "block");
    parameters.allocate();
    parameters.initialize(1);
    const Numbers spread = numbers(parameters.flat_size(), 2);
    for (const rlt::Parameter<double>& parameter : parameters.all()) {
      for (Index i = 0; i < parameter.count(); ++i) {
        parameter.value[i] += 0.3 * spread[parameter.offset + i];
      }
    }
    block->carve(workspace, extent);
    workspace.allocate();
    block->carve(workspace, extent);
    forget();
  }

  void forget() { block->initial_state(state_matrix()); }
  Matrix<double> state_matrix() {
    return {state.data(), extent.batch, std::ssize(state) / extent.batch};
  }

  Numbers forward() {
    Numbers y(x.size(), 99);
    block->forward(sequence(x),
                   {.state = state_matrix(), .starts = starts.data(), .dropout = dropout},
                   sequence(y));
    return y;
  }
  Numbers backward(Numbers dy) {
    Numbers dx(x.size(), 99);
    block->backward(sequence(x), sequence(dy), sequence(dx));
    return dx;
  }

  Numbers cell(const Numbers& rows) const {
    Numbers y(rows.size());
    const double* const weight = named("block.cell.weight");
    for (Index i = 0; i < std::ssize(rows); ++i) {
      const Index row = i / width;
      const bool fresh = row % extent.steps == 0 || starts[row] != 0;
      y[i] = weight[i % width] * rows[i] + (fresh ? 0 : y[i - width] / 2);
    }
    return y;
  }
  Numbers norm(const std::string& name, const Numbers& rows, double epsilon = 1e-5) const {
    Numbers y(rows.size());
    for (Index first = 0; first < std::ssize(rows); first += width) {
      double mean = 0, variance = 0;
      for (Index c = 0; c < width; ++c) mean += rows[first + c] / width;
      for (Index c = 0; c < width; ++c) {
        variance += (rows[first + c] - mean) * (rows[first + c] - mean) / width;
      }
      for (Index c = 0; c < width; ++c) {
        y[first + c] = (rows[first + c] - mean) / std::sqrt(variance + epsilon) *
                           named("block." + name + ".gain")[c] +
                       named("block." + name + ".bias")[c];
      }
    }
    return y;
  }
  Numbers rms_norm(const std::string& name, const Numbers& rows) const {
    Numbers y(rows.size());
    for (Index first = 0; first < std::ssize(rows); first += width) {
      double square = 0;
      for (Index c = 0; c < width; ++c) square += rows[first + c] * rows[first + c] / width;
      for (Index c = 0; c < width; ++c) {
        y[first + c] =
            rows[first + c] / std::sqrt(square + 1e-6) * named("block." + name + ".gain")[c];
      }
    }
    return y;
  }
  Numbers feed_forward(const Numbers& rows) const {
    Numbers y(rows.size());
    for (Index first = 0; first < std::ssize(rows); first += width) {
      for (Index c = 0; c < width; ++c) y[first + c] = entry("block.ff.down.bias", c);
      for (Index f = 0; f < inner; ++f) {
        double hidden = entry("block.ff.up.bias", f);
        for (Index c = 0; c < width; ++c) {
          hidden += rows[first + c] * named("block.ff.up.weight")[c * inner + f];
        }
        for (Index c = 0; c < width; ++c) {
          y[first + c] += std::max(hidden, 0.0) * named("block.ff.down.weight")[f * width + c];
        }
      }
    }
    return y;
  }
  const double* named(const std::string& name) const {
    return std::ranges::find(parameters.all(), name, &rlt::Parameter<double>::name)->value;
  }
  /// Of a parameter that there may be; else 0.
  double entry(const std::string& name, Index i) const {
    const auto found = std::ranges::find(parameters.all(), name, &rlt::Parameter<double>::name);
    return found == parameters.all().end() ? 0 : found->value[i];
  }
  static Numbers sum(Numbers a, const Numbers& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }

  /// Largest error of `stride`th entries of dx and of every parameter's gradient, by central differences.
  double worst_gradient(Index stride) {
    const Numbers probe = numbers(std::ssize(x), 3);
    const auto loss = [&] {
      forget();
      const Numbers y = forward();
      double total = 0;
      for (std::size_t i = 0; i < y.size(); ++i) total += y[i] * probe[i];
      return total;
    };
    parameters.zero_gradients();
    loss();
    const Numbers dx = backward(probe);
    double worst = 0;
    for (Index i = 0; i < std::ssize(x); i += stride) {
      worst = std::max(worst, rlt::gradient_error(x[i], dx[i], loss));
    }
    for (const rlt::Parameter<double>& parameter : parameters.all()) {
      for (Index i = 0; i < parameter.count(); i += stride) {
        worst =
            std::max(worst, rlt::gradient_error(parameter.value[i], parameter.gradient[i], loss));
      }
    }
    return worst;
  }

  Extent extent;
  std::unique_ptr<rlt::Cell<double>> block;
  rlt::ParameterSet<double> parameters;
  rlt::Workspace workspace;
  Numbers x;
  std::vector<std::uint8_t> starts;
  Numbers state;
  rlt::Dropout dropout{};

 private:
  Sequence<double> sequence(Numbers& rows) const { return {extent, rows.data(), width}; }
};

/// What every wrapping promises; `definition` composes the parts.
template <typename Definition>
void check_block(const char* name, const Definition& definition,
                 rlt::NormForm form = rlt::NormForm::layer) {
  // rows of one block, and of several parts
  for (const Extent extent : {Extent{3, 7}, Extent{5, 61}}) {
    CAPTURE(extent.steps);
    BlockFixture fixture(name, extent, form);
    fixture.starts[static_cast<std::size_t>(extent.steps + 4)] = 1;  // inside the second sequence
    const Numbers y = fixture.forward();
    CHECK(largest_difference(y, definition(fixture, fixture.x)) < 1e-12);
    CHECK(fixture.worst_gradient(extent.steps == 7 ? 1 : 5) < rlt::GradientTolerance().error);
    fixture.dropout = {0.3, rlt::Rng(4)};
    CHECK(fixture.forward() != y);
    CHECK(fixture.worst_gradient(extent.steps == 7 ? 1 : 17) < rlt::GradientTolerance().error);
  }
}

/// The state of the cell inside goes through the block: two halves joined by it are the whole.
inline void check_block_state(const char* name) {
  BlockFixture whole(name, {3, 10});
  const Numbers y = whole.forward();
  BlockFixture half(name, {3, 5});
  CHECK(half.block->state_size(5) == BlockFixture::width);
  for (const Index from : {0, 5}) {
    for (Index b = 0; b < 3; ++b) {
      std::copy_n(whole.x.begin() + (b * 10 + from) * BlockFixture::width, 5 * BlockFixture::width,
                  half.x.begin() + b * 5 * BlockFixture::width);
    }
    const Numbers part = half.forward();
    for (Index b = 0; b < 3; ++b) {
      const auto first = y.begin() + (b * 10 + from) * BlockFixture::width;
      const auto got = part.begin() + b * 5 * BlockFixture::width;
      CHECK(largest_difference(Numbers(got, got + 5 * BlockFixture::width),
                               Numbers(first, first + 5 * BlockFixture::width)) < 1e-13);
    }
  }
  CHECK(largest_difference(half.state, whole.state) < 1e-13);
}

}  // namespace support
