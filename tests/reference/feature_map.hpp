// Reference of the feature maps of linear and deltanet: DPFP from arXiv 2102.11174 (section 5.3), FAVOR+ from
// arXiv 2009.14794 in its two-sided form, written without the cells.
#pragma once

#include "base/rng.hpp"
#include "reference/reference.hpp"

namespace reference {

/// phi of one head, normalised by its sum if asked; the cell's name in the model is "cell".
class Features {
 public:
  Features(const rlt::CellConfig& config, std::size_t head)
      : d_(static_cast<std::size_t>(config.head_size())),
        map_(config.text("feature_map")),
        nu_(std::stoul(config.text("dpfp_nu"))),
        normalize_(config.text("sum_normalize") == "on") {
    const std::size_t m = std::stoul(config.text("favor_features"));
    if (map_ == "favor") draw(m == 0 ? d_ : m, head);
  }

  std::size_t size() const {
    if (map_ == "dpfp") return 2 * d_ * nu_;
    if (map_ == "favor") return 2 * projection_.shape()[0];
    return d_;
  }

  Vector operator()(const Vector& x) const {
    const Vector p = map_ == "softmax" ? softmax(x)
                     : map_ == "dpfp"  ? dpfp(x)
                     : map_ == "favor" ? favor(x)
                                       : phi(x);
    if (!normalize_) return p;
    const double sum = xt::sum(p)() + (map_ == "dpfp" ? 1e-5 : 0);
    return p / sum;
  }

 private:
  Vector dpfp(const Vector& x) const {
    const Vector both = xt::concatenate(xt::xtuple(x, Vector(-x)));
    const Vector r = xt::maximum(both, 0.0);
    Vector p = xt::zeros<double>({size()});
    for (std::size_t j = 1; j <= nu_; ++j) {
      for (std::size_t i = 0; i < 2 * d_; ++i) {
        p((j - 1) * 2 * d_ + i) = r(i) * r((i + 4 * 2 * d_ - j) % (2 * d_));
      }
    }
    return p;
  }

  Vector favor(const Vector& x) const {
    const Vector small = x / std::pow(static_cast<double>(d_), 0.25);
    const Vector u = xt::linalg::dot(projection_, small);
    const Vector s = xt::ones<double>({u.size()}) * (xt::sum(small * small)() / 2);
    const Vector above = xt::exp(u - s);
    const Vector below = xt::exp(-u - s);
    const Vector both = xt::concatenate(xt::xtuple(above, below));
    return both / std::sqrt(static_cast<double>(both.size()));
  }

  // Rows in blocks of d: each Gaussian row g less its projection on the span of the rows above it in its
  // block, A^T (A A^T)^-1 A g, stretched to the length of another Gaussian vector.
  void draw(std::size_t m, std::size_t head) {
    const rlt::Rng rng = rlt::Rng(0).stream("favor").stream("cell").stream(head);
    const auto gaussian = [&](const char* name) {
      Array2 g = xt::zeros<double>({m, d_});
      for (std::size_t i = 0; i < m * d_; ++i) {
        g(i / d_, i % d_) = rng.stream(name).normal(static_cast<rlt::Index>(i));
      }
      return g;
    };
    const Array2 directions = gaussian("directions");
    const Array2 lengths = gaussian("lengths");
    projection_ = directions;
    for (std::size_t i = 0; i < m; ++i) {
      Vector row = xt::view(directions, i);
      if (i % d_ > 0) {
        const Array2 above = xt::view(directions, xt::range(i - i % d_, i));
        const Array2 square = xt::linalg::dot(above, xt::transpose(above));
        const Vector overlaps = xt::linalg::dot(above, row);
        const Vector weights = xt::linalg::solve(square, overlaps);
        const Vector inside = xt::linalg::dot(xt::transpose(above), weights);
        row = row - inside;
      }
      const Vector other = xt::view(lengths, i);
      const double stretch = xt::linalg::norm(other) / xt::linalg::norm(row);
      xt::view(projection_, i) = row * stretch;
    }
  }

  std::size_t d_;
  std::string map_;
  std::size_t nu_;
  bool normalize_;
  Array2 projection_;  // (m, d)
};

/// What the option `scale` multiplies a head's output with.
inline double output_scale(const rlt::CellConfig& config) {
  return config.text("scale") == "rsqrt" ? 1 / std::sqrt(static_cast<double>(config.head_size()))
                                         : 1;
}

}  // namespace reference
