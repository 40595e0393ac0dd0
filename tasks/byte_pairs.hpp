// Subwords by byte-pair merges (Sennrich et al. 2016, arXiv 1508.07909), on characters.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rlt {

/// The first word of `text`: letters, digits, _ and all beyond ASCII, with the single space before them; or a run of
/// white space; or a run of other signs. No subword crosses the border of a word.
std::u32string_view first_word(std::u32string_view text);

/// The subwords of `texts`, in the order of their making: again and again, at most `merges` times, the pair of
/// neighbouring symbols that is most frequent (of equals the one that began earlier) becomes a symbol. Stops where none
/// occurs twice.
std::vector<std::u32string> learn_subwords(const std::vector<std::u32string_view>& texts,
                                           std::size_t merges);

/// Cuts text into subwords: inside a word, of all neighbours that make up a subword those merge first whose subword was
/// made first, from left to right.
class Subwords {
 public:
  Subwords() = default;
  /// `subwords` as learn_subwords gives them.
  explicit Subwords(const std::vector<std::u32string>& subwords);

  std::vector<std::u32string_view> cut(std::u32string_view text);

 private:
  std::vector<std::size_t> ends_in(std::u32string_view word) const;

  std::unordered_map<std::u32string, std::size_t> rank_;
  std::unordered_map<std::u32string, std::vector<std::size_t>>
      known_;  // where the parts of a word end
};

}  // namespace rlt
