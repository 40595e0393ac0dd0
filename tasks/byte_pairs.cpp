#include "tasks/byte_pairs.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace rlt {
namespace {

enum class Kind { letter, space, sign };

Kind kind_of(char32_t c) {
  if (c == U' ' || (c >= U'\t' && c <= U'\r')) return Kind::space;
  const bool is_letter = (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') ||
                         (c >= U'0' && c <= U'9') || c == U'_' || c >= 0x80;
  return is_letter ? Kind::letter : Kind::sign;
}

/// A word as it is merged, and how often it occurs.
struct Word {
  std::vector<int> symbols;
  std::int64_t count = 0;
};

using Pair = std::pair<int, int>;

/// How often each pair occurs, and in which words.
class PairCounts {
 public:
  void add(const Word& word, std::size_t index, std::int64_t sign) {
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      const Pair pair(word.symbols[i], word.symbols[i + 1]);
      counts_[pair] += sign * word.count;
      if (sign > 0) words_[pair].insert(index);
    }
  }

  /// The most frequent pair, of equals the lowest; its count is 0 where there is none.
  std::pair<Pair, std::int64_t> most_frequent() const {
    std::pair<Pair, std::int64_t> best{};
    for (const auto& [pair, count] : counts_) {
      if (count > best.second) best = {pair, count};
    }
    return best;
  }

  std::set<std::size_t> words_with(const Pair& pair) const { return words_.at(pair); }

 private:
  std::map<Pair, std::int64_t> counts_;
  std::map<Pair, std::set<std::size_t>> words_;
};

void merge(std::vector<int>& symbols, const Pair& pair, int merged) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const bool is_pair =
        i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
    symbols[end++] = is_pair ? merged : symbols[i];
    if (is_pair) ++i;
  }
  symbols.resize(end);
}

}  // namespace

std::u32string_view first_word(std::u32string_view text) {
  if (text.empty()) return text;
  std::size_t end = 0;
  if (text[0] == U' ' && text.size() > 1 && kind_of(text[1]) == Kind::letter) ++end;
  const Kind kind = kind_of(text[end]);
  while (end < text.size() && kind_of(text[end]) == kind) ++end;
  // The last of several spaces belongs to the letters behind it.
  const bool gives_back = kind == Kind::space && end > 1 && end < text.size() &&
                          text[end - 1] == U' ' && kind_of(text[end]) == Kind::letter;
  return text.substr(0, gives_back ? end - 1 : end);
}

std::vector<std::u32string> learn_subwords(const std::vector<std::u32string_view>& texts,
                                           std::size_t merges) {
  std::vector<std::u32string> symbols;  // of every number
  std::vector<Word> words;
  std::map<char32_t, int> characters;
  std::unordered_map<std::u32string, std::size_t> index;
  for (std::u32string_view text : texts) {
    while (!text.empty()) {
      const std::u32string_view word = first_word(text);
      text.remove_prefix(word.size());
      const auto [known, is_new] = index.try_emplace(std::u32string(word), words.size());
      if (is_new) {
        Word& made = words.emplace_back();
        for (const char32_t character : word) {
          const auto [number, unseen] =
              characters.try_emplace(character, static_cast<int>(symbols.size()));
          if (unseen) symbols.emplace_back(1, character);
          made.symbols.push_back(number->second);
        }
      }
      ++words[known->second].count;
    }
  }
  const std::size_t single = symbols.size();
  PairCounts counts;
  for (std::size_t i = 0; i < words.size(); ++i) counts.add(words[i], i, 1);
  while (symbols.size() < single + merges) {
    const auto [pair, count] = counts.most_frequent();
    if (count < 2) break;
    const int merged = static_cast<int>(symbols.size());
    symbols.push_back(symbols[static_cast<std::size_t>(pair.first)] +
                      symbols[static_cast<std::size_t>(pair.second)]);
    for (const std::size_t i : counts.words_with(pair)) {
      counts.add(words[i], i, -1);
      merge(words[i].symbols, pair, merged);
      counts.add(words[i], i, 1);
    }
  }
  return {symbols.begin() + static_cast<std::ptrdiff_t>(single), symbols.end()};
}

Subwords::Subwords(const std::vector<std::u32string>& subwords) {
  for (const std::u32string& subword : subwords) rank_.try_emplace(subword, rank_.size());
}

std::vector<std::size_t> Subwords::ends_in(std::u32string_view word) const {
  std::vector<std::size_t> ends;
  for (std::size_t end = 1; end <= word.size(); ++end) ends.push_back(end);
  while (ends.size() > 1) {
    std::size_t best = rank_.size(), at = 0;
    for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
      const std::size_t begin = i == 0 ? 0 : ends[i - 1];
      const auto found = rank_.find(std::u32string(word.substr(begin, ends[i + 1] - begin)));
      if (found != rank_.end() && found->second < best) best = found->second, at = i;
    }
    if (best == rank_.size()) break;
    ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return ends;
}

std::vector<std::u32string_view> Subwords::cut(std::u32string_view text) {
  std::vector<std::u32string_view> parts;
  if (rank_.empty()) {
    parts.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) parts.push_back(text.substr(i, 1));
    return parts;
  }
  while (!text.empty()) {
    const std::u32string_view word = first_word(text);
    const auto [ends, is_new] = known_.try_emplace(std::u32string(word));
    if (is_new) ends->second = ends_in(word);
    std::size_t begin = 0;
    for (const std::size_t end : ends->second) {
      parts.push_back(word.substr(begin, end - begin));
      begin = end;
    }
    text.remove_prefix(word.size());
  }
  return parts;
}

}  // namespace rlt
