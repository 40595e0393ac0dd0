#include "tasks/hawkes.hpp"

#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

namespace rlt {
namespace {

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// matrix x + added
std::vector<double> affine(const std::vector<std::vector<double>>& matrix,
                           const std::vector<double>& x, const std::vector<double>& added) {
  std::vector<double> y = added;
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = std::inner_product(x.begin(), x.end(), matrix[i].begin(), y[i]);
  }
  return y;
}

/// Of a matrix of positive numbers, by power iteration.
double spectral_radius(const std::vector<std::vector<double>>& matrix) {
  const std::vector<double> zero(matrix.size(), 0);
  std::vector<double> x(matrix.size(), 1);
  double radius = 0;
  for (int i = 0; i < 1000; ++i) {
    x = affine(matrix, x, zero);
    radius = sum(x);
    for (double& entry : x) entry /= radius;
  }
  return radius;  // x had the sum 1
}

HawkesLaw draw_law(std::string_view name, int shape, double slowest, double fastest) {
  constexpr std::size_t marks = 5;
  constexpr double radius = 0.7;
  Draws draws(Rng(13956).stream(name));
  HawkesLaw law{shape, std::vector<double>(marks),
                std::vector<std::vector<double>>(marks, std::vector<double>(marks)),
                std::vector<double>(marks)};
  for (double& base : law.base) base = 0.1 + 0.2 * draws.uniform();
  for (std::vector<double>& row : law.branching) {
    for (double& entry : row) entry = std::pow(draws.uniform(), 3);
  }
  const double scale = radius / spectral_radius(law.branching);
  for (std::vector<double>& row : law.branching) {
    for (double& entry : row) entry *= scale;
  }
  for (double& decay : law.decay) decay = slowest * std::pow(fastest / slowest, draws.uniform());
  return law;
}

/// u^q / q!
double power_term(double u, int q) {
  double term = 1;
  for (int i = 1; i <= q; ++i) term *= u / i;
  return term;
}

/// An Erlang kernel of shape n is what an event of mark j leaves when it goes through n stages at rate beta_j each
/// and then fires: m_jp, the sum over events of mark j of (beta_j a)^p / p! exp(-beta_j a) at their ages a, is how
/// many are expected in stage p, so that
///   sum over events of g_j(a) = beta_j m_j,n-1
///   m_jp(wait)                = sum_{r <= p} m_jr u^(p - r) / (p - r)! exp(-u), u = beta_j wait
///   compensator(wait)         = sum_i base_i wait + sum_j sum_i B_ij sum_p (m_jp(0) - m_jp(wait))
/// K n numbers are all that the past leaves, whatever its length.
class HawkesHistory final : public History {
 public:
  explicit HawkesHistory(const HawkesLaw& law)
      : law_(law),
        total_base_(sum(law.base)),
        children_(law.base.size(), 0),
        stages_(law.base.size(), std::vector<double>(static_cast<std::size_t>(law.shape), 0)) {
    for (const std::vector<double>& row : law.branching) {
      for (std::size_t j = 0; j < row.size(); ++j) children_[j] += row[j];
    }
  }

  void pass(double wait) override {
    for (std::size_t j = 0; j < stages_.size(); ++j) {
      for (int p = law_.shape - 1; p >= 0; --p) stages_[j][p] = stage(j, p, wait);
    }
  }

  void add(int mark) override { stages_[mark][0] += 1; }

  void intensities(double wait, std::vector<double>& lambda) const override {
    lambda = law_.base;
    for (std::size_t j = 0; j < stages_.size(); ++j) {
      const double fired = law_.decay[j] * stage(j, law_.shape - 1, wait);
      for (std::size_t i = 0; i < lambda.size(); ++i) lambda[i] += law_.branching[i][j] * fired;
    }
  }

  double compensator(double wait) const override {
    double total = total_base_ * wait;
    for (std::size_t j = 0; j < stages_.size(); ++j) {
      for (int p = 0; p < law_.shape; ++p) {
        total += children_[j] * (stages_[j][p] - stage(j, p, wait));
      }
    }
    return total;
  }

  /// u^q exp(-u) is largest at u = q.
  double bound() const override {
    double total = total_base_;
    for (std::size_t j = 0; j < stages_.size(); ++j) {
      for (int r = 0; r < law_.shape; ++r) {
        const int left = law_.shape - 1 - r;
        const double largest = power_term(left, left) * std::exp(-left);
        total += children_[j] * law_.decay[j] * stages_[j][r] * largest;
      }
    }
    return total;
  }

 private:
  double stage(std::size_t j, int p, double wait) const {
    const double u = law_.decay[j] * wait;
    double number = 0;
    for (int r = 0; r <= p; ++r) number += stages_[j][r] * power_term(u, p - r);
    return number * std::exp(-u);
  }

  const HawkesLaw& law_;
  double total_base_;
  std::vector<double> children_;             // sum_i B_ij
  std::vector<std::vector<double>> stages_;  // m (K, n)
};

class Hawkes final : public PointProcess {
 public:
  explicit Hawkes(HawkesLaw law) : law_(std::move(law)) {}

  /// (I - B)^-1 base, as the sum over generations.
  std::vector<double> rates() const override {
    std::vector<double> rates = law_.base;
    for (int generation = 0; generation < 200; ++generation) {  // 0.7^200 = 1e-31
      rates = affine(law_.branching, rates, law_.base);
    }
    return rates;
  }
  std::unique_ptr<History> begin() const override { return std::make_unique<HawkesHistory>(law_); }

 private:
  HawkesLaw law_;
};

}  // namespace

HawkesLaw hawkes_law() { return draw_law("hawkes", 1, 1, 20); }
HawkesLaw delayed_law() { return draw_law("delayed", 4, 2, 8); }

std::unique_ptr<PointProcess> make_hawkes(HawkesLaw law) {
  return std::make_unique<Hawkes>(std::move(law));
}

}  // namespace rlt
