// Feature maps phi of keys and queries, x (d) -> phi (n), chosen by options:
//   elu1     phi_i = elu(x_i) + 1                                             n = d
//   softmax  phi = softmax(x)                                                 n = d
//   dpfp     r = relu([x ; -x]), phi_{j,i} = r_i r_{i-j} for j = 1 .. nu,     n = 2 d nu
//            indices of r modulo 2 d (Schlag et al. 2021, arXiv 2102.11174, section 5.3)
//   favor    u = P x / d^(1/4), s = |x|^2 / (2 sqrt(d)),                      n = 2 m
//            phi = [e^(u - s) ; e^(-u - s)] / sqrt(2 m): on average over P, phi(x) . phi(y) is
//            e^(x . y / sqrt(d)), the kernel of softmax attention (Choromanski et al. 2021, arXiv
//            2009.14794, FAVOR+ in its two-sided form). P (m, d): random orthogonal rows
// and, with sum_normalize, N(phi) = phi / sum(phi).
// Backward, dphi given (through N first: dphi_i <- (dphi_i - N . dphi) / sum):
//   elu1     dx = dphi min(phi, 1)         softmax  dx = phi (dphi - phi . dphi)
//   dpfp     dr_i = sum_j dphi_{j,i} r_{i-j} + dphi_{j,i+j} r_{i+j};   dx_i = dr_i or -dr_{d+i} by sign
//   favor    a = dphi phi = [a+ ; a-];     dx = P^T (a+ - a-) / d^(1/4) - x sum(a) / sqrt(d)
// departs:
//   favor: each head has its own P, drawn once from the layer's name and the head's number (the papers draw P
//     anew while training); it is neither trained nor stored. Nothing is added to phi (official: 1e-4). An
//     exponent is at most |P_i|^2 / 2; above 20, which takes a wide head and an x / d^(1/4) near P_i, it is cut
//     off, so that no running maximum over the keys is needed. N(phi) is computed as softmax([u ; -u]), the
//     same numbers without s, because e^-s underflows.
//   dpfp: N adds 1e-5 to the sum, which may be 0.
//   softmax: its sum is 1, so N changes nothing and is left out.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "mixing/cell_config.hpp"
#include "mixing/delta_rule.hpp"
#include "mixing/head_lanes.hpp"
#include "tensor/activation.hpp"

namespace rlt {

/// Largest n: kernels keep a few vectors of this length on the stack.
inline constexpr Index max_key_size = 1024;

/// What the options say.
struct FeatureChoice {
  enum class Kind { elu1, softmax, dpfp, favor } kind;
  Index d;   // size of a head
  Index nu;  // of dpfp
  Index m;   // of favor: rows of P
  bool normalize;

  Index size() const;
};

FeatureChoice feature_choice(const CellConfig& config);
/// Error(usage) when phi would be longer than max_key_size: CellInfo::check of the cells with a choice.
void check_features(const CellConfig& config);
/// The options of a cell that has the choice; `sum_normalize`: the cell's default, "on" or "off".
std::vector<Option> feature_options(const std::string& sum_normalize);

/// P^T (d, m) of one head of the layer named `prefix`. Of the rows of P, the first d are orthogonal, the next
/// d, and so on; a row's length is that of a Gaussian vector.
std::vector<double> favor_projection(Index d, Index m, std::string_view prefix, Index head);

template <typename T>
class FeatureMap {
 public:
  using V = Lanes<T>;

  explicit FeatureMap(const CellConfig& config)
      : choice_(feature_choice(config)), heads_(config.heads) {}

  Index size() const { return choice_.size(); }
  /// Vectors that forward leaves for backward besides phi.
  Index kept() const {
    const bool favor = choice_.kind == Kind::favor;
    const bool input = choice_.kind == Kind::dpfp || (favor && !choice_.normalize);
    const bool sum = choice_.normalize && choice_.kind != Kind::softmax && !favor;
    return (input ? choice_.d : 0) + (sum ? 1 : 0);
  }

  void declare(std::string_view prefix) { name_ = prefix; }

  /// Draws P of every head, once; `forward` needs it.
  void prepare() {
    if (choice_.kind != Kind::favor || !projection_.empty()) return;
    const T scale = std::pow(static_cast<T>(choice_.d), T(-0.25));
    for (Index head = 0; head < heads_; ++head) {
      for (const double entry : favor_projection(choice_.d, choice_.m, name_, head)) {
        projection_.push_back(static_cast<T>(entry) * scale);
      }
    }
  }

  void forward(const LaneHeads& heads, const V* x, V* p, V* kept) const {
    switch (choice_.kind) {
      case Kind::elu1:
        if (choice_.normalize) {
          *kept = sum_normalized_elu1<T>(x, choice_.d, p);
        } else {
          for (Index i = 0; i < choice_.d; ++i) p[i] = elu1<T>(x[i]);
        }
        break;
      case Kind::softmax:
        softmax<T>(x, choice_.d, p);
        break;
      case Kind::dpfp:
        dpfp(x, p);
        std::copy_n(x, choice_.d, kept);
        if (choice_.normalize) kept[choice_.d] = sum_normalize<T>(p, size(), dpfp_added);
        break;
      case Kind::favor:
        favor(heads, x, p);
        if (!choice_.normalize) std::copy_n(x, choice_.d, kept);
        break;
    }
  }

  /// n = d, and `backward` turns dp into dx in its place.
  bool in_place() const { return choice_.kind == Kind::elu1 || choice_.kind == Kind::softmax; }

  /// From dp (n), which is overwritten, to dx (d): dp itself if in_place(), elsewhere otherwise.
  void backward(const LaneHeads& heads, const V* p, const V* kept, V* dp, V* dx) const {
    switch (choice_.kind) {
      case Kind::elu1:
        if (choice_.normalize) {
          // N(phi), phi_i = elu(x_i) + 1
          sum_normalized_elu1_backward<T>(p, *kept, choice_.d, dp);
        } else {
          // phi_i = elu(x_i) + 1
          for (Index i = 0; i < choice_.d; ++i) dx[i] = dp[i] * xsimd::min(p[i], V(T(1)));
        }
        break;
      case Kind::softmax:
        // phi = softmax(x)
        softmax_backward<T>(p, dp, choice_.d);
        break;
      case Kind::dpfp:
        // N(phi) = phi / (sum(phi) + 1e-5)
        if (choice_.normalize) sum_normalize_backward<T>(p, kept[choice_.d], size(), dp);
        dpfp_backward(kept, dp, dx);
        break;
      case Kind::favor:
        favor_backward(heads, kept, p, dp, dx);
        break;
    }
  }

 private:
  using Kind = FeatureChoice::Kind;
  static constexpr T dpfp_added = T(1e-5);
  static constexpr T favor_limit = T(20);

  void rectify(const V* x, V* r) const {
    for (Index i = 0; i < choice_.d; ++i) {
      r[i] = xsimd::max(x[i], V(T(0)));
      r[choice_.d + i] = xsimd::max(-x[i], V(T(0)));
    }
  }

  // body(i, the index j below it modulo 2 d, the place of their product in phi)
  template <typename Body>
  void for_products(const Body& body) const {
    const Index length = 2 * choice_.d;
    for (Index j = 1; j <= choice_.nu; ++j) {
      const Index shift = length - j % length;
      for (Index i = 0; i < length; ++i) body(i, (i + shift) % length, (j - 1) * length + i);
    }
  }

  void dpfp(const V* x, V* p) const {
    V r[2 * max_head_size];
    rectify(x, r);
    for_products([&](Index i, Index below, Index at) { p[at] = r[i] * r[below]; });
  }

  void dpfp_backward(const V* x, const V* dp, V* dx) const {
    V r[2 * max_head_size];
    V dr[2 * max_head_size];
    rectify(x, r);
    std::fill_n(dr, 2 * choice_.d, V(T(0)));
    // phi_{j,i} = r_i r_{i-j}
    for_products([&](Index i, Index below, Index at) {
      dr[i] = xsimd::fma(dp[at], r[below], dr[i]);
      dr[below] = xsimd::fma(dp[at], r[i], dr[below]);
    });
    // r = relu([x ; -x])
    const V zero(T(0));
    for (Index i = 0; i < choice_.d; ++i) {
      dx[i] = xsimd::select(x[i] > zero, dr[i], zero) -
              xsimd::select(x[i] < zero, dr[choice_.d + i], zero);
    }
  }

  const T* projection(Index head) const { return &projection_[head * choice_.d * choice_.m]; }

  void favor(const LaneHeads& heads, const V* x, V* p) const {
    const Index m = choice_.m;
    std::fill_n(p, m, V(T(0)));
    heads.add_read<max_head_size, T>(choice_.d, m, x, p,
                                     [&](Index head) { return projection(head); });
    if (choice_.normalize) {
      for (Index i = 0; i < m; ++i) p[m + i] = -p[i];
      softmax<T>(p, 2 * m, p);
      return;
    }
    V s(T(0));
    for (Index i = 0; i < choice_.d; ++i) s = xsimd::fma(x[i], x[i], s);
    s /= T(2) * std::sqrt(static_cast<T>(choice_.d));
    for (Index i = 0; i < m; ++i) {
      const V u = p[i];
      p[i] = favor_power(u - s);
      p[m + i] = favor_power(-u - s);
    }
  }

  // e^a / sqrt(2 m), a cut off at the limit
  V favor_power(const V& a) const {
    const T scale = T(1) / std::sqrt(static_cast<T>(2 * choice_.m));
    return scale * xsimd::exp(xsimd::min(a, V(favor_limit)));
  }

  void favor_backward(const LaneHeads& heads, const V* x, const V* p, V* dp, V* dx) const {
    const Index m = choice_.m;
    if (choice_.normalize) {
      // N(phi) = softmax([u ; -u])
      softmax_backward<T>(p, dp, 2 * m);
      for (Index i = 0; i < m; ++i) dp[i] -= dp[m + i];
      std::fill_n(dx, choice_.d, V(T(0)));
    } else {
      // phi = [e^(u - s) ; e^(-u - s)] / sqrt(2 m), cut off at the limit
      const V largest = favor_power(V(favor_limit));
      V sum(T(0));
      for (Index i = 0; i < 2 * m; ++i) {
        dp[i] = xsimd::select(p[i] < largest, dp[i] * p[i], V(T(0)));
        sum += dp[i];
      }
      for (Index i = 0; i < m; ++i) dp[i] -= dp[m + i];
      // s = |x|^2 / (2 sqrt(d))
      const V slope = -sum / std::sqrt(static_cast<T>(choice_.d));
      for (Index i = 0; i < choice_.d; ++i) dx[i] = x[i] * slope;
    }
    // u = P x / d^(1/4)
    heads.each<max_key_size, T>(dp, m, [&](Index head, const V* own) {
      fast_matrix::add_read_transposed<T>(choice_.d, m, projection(head), own, dx);
    });
  }

  FeatureChoice choice_;
  Index heads_;
  std::string name_;           // of the layer
  std::vector<T> projection_;  // (H, d, m): P^T / d^(1/4) of favor
};

}  // namespace rlt
