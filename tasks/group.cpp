#include "tasks/group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "base/error.hpp"
#include "base/number.hpp"

namespace rlt {
namespace {

constexpr std::string_view known_groups =
    "S3, A5, Z60, D4 and products such as A4xZ5, of order 2 to 1024";

/// n!, or more than largest_order.
Index factorial(Index n) {
  Index product = 1;
  for (Index k = 2; k <= n && product <= 2 * Group::largest_order; ++k) product *= k;
  return product;
}

Index order_of(char kind, Index n) {
  switch (kind) {
    case 'S':
      return factorial(n);
    case 'A':
      return std::max<Index>(1, factorial(n) / 2);
    case 'D':
      return 2 * n;
    default:
      return n;
  }
}

bool is_even(const std::string& permutation) {
  bool even = true;
  for (std::size_t i = 0; i < permutation.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) even ^= permutation[j] > permutation[i];
  }
  return even;
}

/// "123...n"
std::string identity_of(Index n) {
  std::string permutation(static_cast<std::size_t>(n), '1');
  std::iota(permutation.begin(), permutation.end(), '1');
  return permutation;
}

std::vector<std::string> permutations(Index n, bool even_alone) {
  std::vector<std::string> all;
  std::string permutation = identity_of(n);
  do {
    if (!even_alone || is_even(permutation)) all.push_back(permutation);
  } while (std::next_permutation(permutation.begin(), permutation.end()));
  return all;
}

std::unordered_map<std::string, int> numbers_of(const std::vector<std::string>& elements) {
  std::unordered_map<std::string, int> numbers;
  for (const std::string& element : elements) {
    numbers.emplace(element, static_cast<int>(numbers.size()));
  }
  return numbers;
}

/// The permutations that generate S_n or A_n.
std::vector<std::string> generating(char kind, Index n) {
  std::vector<std::string> found;
  const std::string identity = identity_of(n);
  if (kind == 'S' && n > 1) {
    std::string swap = identity, cycle = identity;
    std::swap(swap[0], swap[1]);
    std::rotate(cycle.begin(), cycle.begin() + 1, cycle.end());
    found.push_back(swap);
    if (n > 2) found.push_back(cycle);
  }
  for (Index k = 2; kind == 'A' && k < n; ++k) {
    std::string cycle = identity;  // 1 -> 2 -> k + 1 -> 1
    cycle[0] = '2';
    cycle[1] = identity[static_cast<std::size_t>(k)];
    cycle[static_cast<std::size_t>(k)] = '1';
    found.push_back(cycle);
  }
  return found;
}

/// "", "r", "r2", ...
std::string turn(Index k) { return k == 0 ? "" : k == 1 ? "r" : fmt::format("r{}", k); }

}  // namespace

Group::Group(const std::string& name) {
  Index order = 1;
  for (std::size_t first = 0; first <= name.size();) {
    const std::size_t end = std::min(name.find('x', first), name.size());
    factors_.push_back(factor_named(name.substr(first, end - first), name));
    order *= factors_.back().order();
    if (order > largest_order) break;
    first = end + 1;
  }
  if (order < 2 || order > largest_order) {
    fail(Exit::usage, "--task-option group={}: has {} elements; known are {}", name,
         order < 2 ? "too few" : "too many", known_groups);
  }
  for (const Factor& factor : factors_) {
    std::vector<std::string> longer;
    for (const std::string& before : elements_) {
      for (const std::string& element : factor.elements) {
        longer.push_back(before.empty() ? element : fmt::format("{}.{}", before, element));
      }
    }
    // Those of the factors before move up by its order.
    for (int& generator : generators_) generator *= static_cast<int>(factor.order());
    generators_.insert(generators_.end(), factor.generators.begin(), factor.generators.end());
    elements_ = std::move(longer);
  }
}

Group::Factor Group::factor_named(const std::string& part, const std::string& name) {
  const std::string number = part.empty() ? "" : part.substr(1);
  const std::optional<Index> n = parse_number<Index>(number);
  const char kind = part.empty() ? ' ' : part[0];
  if (std::string_view("SAZD").find(kind) == std::string_view::npos || !n || *n < 1 ||
      (kind == 'D' && *n < 3)) {
    fail(Exit::usage, "--task-option group={}: '{}' is no group; known are {}", name, part,
         known_groups);
  }
  if (*n > largest_order || order_of(kind, *n) > largest_order) {
    fail(Exit::usage, "--task-option group={}: {} has too many elements; known are {}", name, part,
         known_groups);
  }
  Factor factor{.kind = kind, .n = *n, .elements = {}, .generators = {}};
  if (kind == 'S' || kind == 'A') {
    factor.elements = permutations(*n, kind == 'A');
    const std::unordered_map<std::string, int> numbers = numbers_of(factor.elements);
    for (const std::string& one : generating(kind, *n)) {
      factor.generators.push_back(numbers.at(one));
    }
    return factor;
  }
  for (Index k = 0; k < *n; ++k) {
    factor.elements.push_back(kind == 'Z' ? fmt::format("{}", k) : k == 0 ? "e" : turn(k));
  }
  if (*n > 1) factor.generators.push_back(1);
  if (kind == 'Z') return factor;
  for (Index k = 0; k < *n; ++k) factor.elements.push_back(turn(k) + "s");
  factor.generators.push_back(static_cast<int>(*n));
  return factor;
}

std::vector<std::uint16_t> Group::table_of(const Factor& factor) {
  const Index n = factor.n, order = factor.order();
  std::vector<std::uint16_t> table;
  table.reserve(static_cast<std::size_t>(order * order));
  const std::unordered_map<std::string, int> numbers = numbers_of(factor.elements);
  std::string product;
  for (Index a = 0; a < order; ++a) {
    for (Index b = 0; b < order; ++b) {
      Index ab = 0;
      if (factor.kind == 'Z') {
        ab = (a + b) % n;
      } else if (factor.kind == 'D') {  // r^i s^e r^j s^f = r^(i + j or i - j) s^(e + f)
        const Index i = a % n, j = b % n;
        const bool is_reflected = a >= n;
        ab = (is_reflected ? i - j + n : i + j) % n + (is_reflected != (b >= n) ? n : 0);
      } else {
        const std::string& left = factor.elements[static_cast<std::size_t>(a)];
        product = factor.elements[static_cast<std::size_t>(b)];
        for (char& point : product) point = left[static_cast<std::size_t>(point - '1')];
        ab = numbers.at(product);
      }
      table.push_back(static_cast<std::uint16_t>(ab));
    }
  }
  return table;
}

std::vector<std::uint16_t> Group::multiplication_table() const {
  std::vector<std::uint16_t> table = {0};
  Index order = 1;
  for (const Factor& factor : factors_) {
    const std::vector<std::uint16_t> last = table_of(factor);
    const Index count = factor.order(), longer = order * count;
    std::vector<std::uint16_t> product;
    product.reserve(static_cast<std::size_t>(longer * longer));
    for (Index a = 0; a < longer; ++a) {
      for (Index b = 0; b < longer; ++b) {
        const Index before = table[static_cast<std::size_t>(a / count * order + b / count)];
        const Index here = last[static_cast<std::size_t>(a % count * count + b % count)];
        product.push_back(static_cast<std::uint16_t>(before * count + here));
      }
    }
    table = std::move(product);
    order = longer;
  }
  return table;
}

}  // namespace rlt
