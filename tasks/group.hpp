// Finite groups by name: products of S_n, A_n, Z_n and D_n, such as "A4xZ5".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/index.hpp"

namespace rlt {

/// Elements are 0, 1, ..., order - 1; the identity is 0.
/// S_n, A_n: all and the even permutations of n points, in the order of their one-line notation ("213"). A product of
/// permutations does the right one first: (ab)(i) = a(b(i)).
/// Z_n: 0..n-1 under addition. D_n: the 2n symmetries of the n-gon, turns "r2" and then turned reflections "r2s",
/// with s r = r^-1 s.
/// Products count like digits, the last factor fastest; their names are joined by dots ("213.4").
class Group {
 public:
  static constexpr Index largest_order = 1024;

  /// Error(usage), one line, when `name` is no such product, or its order is 1 or above largest_order.
  explicit Group(const std::string& name);

  Index order() const { return std::ssize(elements_); }
  /// The name of each element.
  const std::vector<std::string>& elements() const { return elements_; }
  /// Some that generate all, without the identity. Of S_n: (1 2) and (1 2 ... n); A_n: (1 2 k) for k > 2; Z_n: 1;
  /// D_n: r and s.
  const std::vector<int>& generators() const { return generators_; }
  /// (order, order): entry (a, b) is the product ab.
  std::vector<std::uint16_t> multiplication_table() const;

 private:
  /// One of the product.
  struct Factor {
    char kind;  // S, A, Z or D
    Index n;
    std::vector<std::string> elements;
    std::vector<int> generators;
    Index order() const { return std::ssize(elements); }
  };
  static Factor factor_named(const std::string& part, const std::string& name);
  static std::vector<std::uint16_t> table_of(const Factor& factor);

  std::vector<Factor> factors_;
  std::vector<std::string> elements_ = {""};
  std::vector<int> generators_;
};

}  // namespace rlt
