#include "tasks/star.hpp"

namespace rlt {

Index Star::possible_length(Index length) const {
  if (length < 1) return 0;
  return honest() ? length : length / period() * period();
}

void Star::draw_string(Draws& draws, Window window, std::vector<int>& string) const {
  Index length = 0;
  do {
    const Index r = draws.between(window.low, window.high);
    length = possible_length(r);  // at most r, so never above the window
  } while (length < window.low);
  draw_string_exact(draws, length, string);
}

void Star::draw_string_exact(Draws&, Index length, std::vector<int>& string) const {
  for (Index t = 0; t < length; ++t) {
    string.push_back(word_[static_cast<std::size_t>(t % period())]);
  }
}

void Star::label(const std::vector<int>& string, std::vector<int>& targets) const {
  for (Index t = 0; t < std::ssize(string); ++t) {
    targets[static_cast<std::size_t>(t)] = (t + 1) % period() == 0 ? 1 : 0;
  }
}

}  // namespace rlt
