#include "tasks/group.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/error.hpp"

using namespace rlt;

namespace {

/// A group with its table, and what follows from it.
struct Table {
  explicit Table(const std::string& name)
      : group(name), order(group.order()), entries(group.multiplication_table()) {
    REQUIRE(std::ssize(entries) == order * order);
  }
  Index product(Index a, Index b) const { return entries[static_cast<std::size_t>(a * order + b)]; }
  Index order_of(Index a) const {
    Index power = a, count = 1;
    for (; power != 0 && count <= order; ++count) power = product(power, a);
    return count;
  }
  bool is_abelian() const {
    for (Index a = 0; a < order; ++a) {
      for (Index b = 0; b < a; ++b) {
        if (product(a, b) != product(b, a)) return false;
      }
    }
    return true;
  }
  /// How many elements have which order.
  std::map<Index, Index> orders() const {
    std::map<Index, Index> counts;
    for (Index a = 0; a < order; ++a) ++counts[order_of(a)];
    return counts;
  }
  std::size_t generated(const std::vector<int>& by) const {
    std::set<Index> reached = {0};
    std::vector<Index> pending = {0};
    while (!pending.empty()) {
      const Index a = pending.back();
      pending.pop_back();
      for (const int g : by) {
        if (reached.insert(product(a, g)).second) pending.push_back(product(a, g));
      }
    }
    return reached.size();
  }
  /// The elements a b a^-1 b^-1 generate all only in a group that equals its commutator subgroup.
  bool is_perfect() const {
    std::vector<Index> inverse(static_cast<std::size_t>(order));
    for (Index a = 0; a < order; ++a) {
      for (Index b = 0; b < order; ++b) {
        if (product(a, b) == 0) inverse[static_cast<std::size_t>(a)] = b;
      }
    }
    std::set<int> commutators;
    for (Index a = 0; a < order; ++a) {
      for (Index b = 0; b < order; ++b) {
        const Index inverses =
            product(inverse[static_cast<std::size_t>(a)], inverse[static_cast<std::size_t>(b)]);
        commutators.insert(static_cast<int>(product(product(a, b), inverses)));
      }
    }
    return std::ssize(commutators) <= order &&
           std::cmp_equal(generated({commutators.begin(), commutators.end()}), order);
  }

  Group group;
  Index order;
  std::vector<std::uint16_t> entries;
};

/// "213" as a map of points, and back.
std::vector<int> points_of(const std::string& name) {
  std::vector<int> points;
  for (const char c : name) points.push_back(c - '1');
  return points;
}

/// Symmetries of the n-gon with corners 0..n-1 by their names: r turns by one, s reflects j to -j.
std::vector<int> corners_of(const std::string& name, int n) {
  std::vector<int> corners(static_cast<std::size_t>(n));
  std::iota(corners.begin(), corners.end(), 0);
  if (name == "e") return corners;
  const bool reflects = name.back() == 's';
  const std::string turn = reflects ? name.substr(0, name.size() - 1) : name;
  const int by = turn.empty() ? 0 : turn == "r" ? 1 : std::stoi(turn.substr(1));
  for (int& corner : corners) corner = ((reflects ? n - corner : corner) + by) % n;
  return corners;
}

std::vector<int> composed(const std::vector<int>& left, const std::vector<int>& right) {
  std::vector<int> both;
  for (const int point : right) both.push_back(left[static_cast<std::size_t>(point)]);
  return both;
}

}  // namespace

TEST_CASE("group: the axioms hold, the identity is 0, the generators reach every element") {
  for (const std::string name : {"S1xZ2", "S2", "S3", "S4", "A3", "A4", "Z2", "Z7", "D3", "D4",
                                 "S3xS3", "A4xZ5", "Z2xZ2xZ3", "A5", "Z3xD4", "S5"}) {
    CAPTURE(name);
    const Table table(name);
    bool is_associative = true, is_neutral = true;
    for (Index a = 0; a < table.order; ++a) {
      is_neutral &= table.product(0, a) == a && table.product(a, 0) == a;
      std::vector<bool> row(static_cast<std::size_t>(table.order)), column = row;
      for (Index b = 0; b < table.order; ++b) {  // a Latin square: there are inverses
        row[static_cast<std::size_t>(table.product(a, b))] = true;
        column[static_cast<std::size_t>(table.product(b, a))] = true;
        for (Index c = 0; c < table.order; c += 1 + table.order / 20) {
          is_associative &=
              table.product(table.product(a, b), c) == table.product(a, table.product(b, c));
        }
      }
      REQUIRE(std::ranges::count(row, false) == 0);
      REQUIRE(std::ranges::count(column, false) == 0);
    }
    CHECK(is_associative);
    CHECK(is_neutral);
    CHECK(std::cmp_equal(table.generated(table.group.generators()), table.order));
    CHECK(std::ranges::count(table.group.generators(), 0) == 0);
    const std::vector<std::string>& names = table.group.elements();
    CHECK(std::cmp_equal(std::set<std::string>(names.begin(), names.end()).size(), table.order));
  }
}

TEST_CASE("group: orders, element orders and commutativity are the known ones") {
  const std::map<std::string, Index> orders = {
      {"S3", 6},  {"S4", 24},      {"S5", 120},   {"S6", 720},   {"A4", 12},
      {"A5", 60}, {"A6", 360},     {"Z60", 60},   {"A4xZ5", 60}, {"S3xS3", 36},
      {"D4", 8},  {"Z1024", 1024}, {"D512", 1024}};
  for (const auto& [name, order] : orders) CHECK(Group(name).order() == order);
  using Counts = std::map<Index, Index>;
  CHECK(Table("S3").orders() == Counts{{1, 1}, {2, 3}, {3, 2}});
  CHECK(Table("S4").orders() == Counts{{1, 1}, {2, 9}, {3, 8}, {4, 6}});
  CHECK(Table("A5").orders() == Counts{{1, 1}, {2, 15}, {3, 20}, {5, 24}});
  CHECK(Table("D4").orders() == Counts{{1, 1}, {2, 5}, {4, 2}});
  CHECK(Table("Z6").orders() == Table("Z2xZ3").orders());
  CHECK(Table("D3").orders() == Table("S3").orders());
  CHECK(Table("Z4").orders() != Table("Z2xZ2").orders());
  CHECK(Table("Z60").is_abelian());
  for (const char* name : {"S3", "D4", "A4xZ5", "A5"}) CHECK(!Table(name).is_abelian());
  CHECK(Table("A5").is_perfect());  // not solvable
  for (const char* name : {"A4xZ5", "S4", "S5", "Z60"}) CHECK(!Table(name).is_perfect());
}

TEST_CASE("group: products are those of permutations, the right one first") {
  for (const std::string name : {"S4", "A5"}) {
    const Table table(name);
    const std::vector<std::string>& names = table.group.elements();
    CHECK(std::ranges::is_sorted(names));
    for (Index a = 0; a < table.order; a += 3) {
      for (Index b = 0; b < table.order; ++b) {
        REQUIRE(points_of(names[static_cast<std::size_t>(table.product(a, b))]) ==
                composed(points_of(names[static_cast<std::size_t>(a)]),
                         points_of(names[static_cast<std::size_t>(b)])));
      }
    }
  }
  for (const int n : {3, 4, 7}) {
    const Table table("D" + std::to_string(n));
    const std::vector<std::string>& names = table.group.elements();
    for (Index a = 0; a < table.order; ++a) {
      for (Index b = 0; b < table.order; ++b) {
        REQUIRE(corners_of(names[static_cast<std::size_t>(table.product(a, b))], n) ==
                composed(corners_of(names[static_cast<std::size_t>(a)], n),
                         corners_of(names[static_cast<std::size_t>(b)], n)));
      }
    }
  }
}

TEST_CASE("group: a product goes factor by factor") {
  const Table both("S3xZ4"), first("S3"), second("Z4");
  CHECK(both.group.elements()[7] == "132.3");
  for (Index a = 0; a < both.order; ++a) {
    for (Index b = 0; b < both.order; ++b) {
      REQUIRE(both.product(a, b) == 4 * first.product(a / 4, b / 4) + second.product(a % 4, b % 4));
    }
  }
}

TEST_CASE("group: what is no group is told in one line") {
  for (const std::string name :
       {"", "x", "S3x", "xS3", "S", "S0", "S-3", "Q8", "s3", "S3 x S3", "D2", "Z1", "A2", "S7",
        "Z1025", "S99999999999", "A5xA5", "D513", "S6xZ2xZ1024xZ1024xZ1024xZ1024xZ1024xZ1024"}) {
    CAPTURE(name);
    std::string message;
    try {
      Group group(name);
    } catch (const Error& error) {
      message = error.what();
      CHECK(error.code() == Exit::usage);
    }
    CHECK(message.find("group=" + name) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
}
