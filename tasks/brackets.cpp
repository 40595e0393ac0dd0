#include "tasks/brackets.hpp"

namespace rlt {
namespace {

/// What is still to do in a derivation. An explicit stack: nesting grows with the window.
struct Pending {
  enum class Kind { derive, close, join } kind;
  Index where;  // derive: open brackets around it; close, join: where the derivation began
  int bracket;  // close: the token to append
};

}  // namespace

void append_grammar(Draws& draws, Index pairs, Index high, std::vector<int>& string) {
  constexpr double nest = 0.5, concatenate = 0.25;
  using Kind = Pending::Kind;
  std::vector<Pending> stack{{Kind::derive, 0, 0}};
  while (!stack.empty()) {
    const Pending now = stack.back();
    stack.pop_back();
    if (now.kind == Kind::derive) {
      if (2 * now.where >= high) continue;
      const double u = draws.uniform();
      const Index begin = std::ssize(string);
      if (u < nest) {
        const auto pair = static_cast<int>(draws.below(pairs));
        string.push_back(2 * pair);
        stack.push_back({Kind::close, begin, 2 * pair + 1});
        stack.push_back({Kind::derive, now.where + 1, 0});
      } else if (u < nest + concatenate) {
        stack.push_back({Kind::join, begin, 0});
        stack.push_back({Kind::derive, now.where, 0});
        stack.push_back({Kind::derive, now.where, 0});
      }
      continue;
    }
    if (now.kind == Kind::close) string.push_back(now.bracket);
    if (std::ssize(string) - now.where > high) string.resize(static_cast<std::size_t>(now.where));
  }
}

// The number of ways to come from height h down to 0 in r steps without going below 0 is
// N(r, h) = (h + 1) / (r + 1) * binomial(r + 1, (r - h) / 2), so the next step of a uniformly
// random balanced string goes up with probability N(r - 1, h + 1) / N(r, h) = (h + 2) (r - h) / (2
// r (h + 1)): 1 at h = 0, 0 at h = r.
void append_prefix(Draws& draws, Index length, Index whole, std::vector<int>& string) {
  Index h = 0;
  for (Index t = 0; t < length; ++t) {
    const Index r = whole - t;
    const bool up = draws.below(2 * r * (h + 1)) < (h + 2) * (r - h);
    string.push_back(up ? 0 : 1);
    h += up ? 1 : -1;
  }
}

void append_balanced(Draws& draws, Index pairs, Index length, std::vector<int>& string) {
  const auto begin = static_cast<std::ptrdiff_t>(string.size());
  append_prefix(draws, length, length, string);
  if (pairs == 1) return;
  std::vector<int> open;  // the pairs of the brackets that wait to be closed
  for (auto token = string.begin() + begin; token != string.end(); ++token) {
    if (opens(*token)) {
      open.push_back(static_cast<int>(draws.below(pairs)));
      *token = 2 * open.back();
    } else {
      *token = 2 * open.back() + 1;
      open.pop_back();
    }
  }
}

}  // namespace rlt
