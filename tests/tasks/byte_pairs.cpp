#include "tasks/byte_pairs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using rlt::first_word;
using rlt::learn_subwords;
using rlt::Subwords;
using Strings = std::vector<std::u32string>;

namespace {

Strings words_of(std::u32string_view text) {
  Strings words;
  while (!text.empty()) {
    words.emplace_back(first_word(text));
    text.remove_prefix(words.back().size());
  }
  return words;
}

/// The definition, slowly: recounts every pair of every word after each merge.
Strings learn_slowly(const Strings& texts, std::size_t merges) {
  std::vector<Strings> words;
  Strings order;  // symbols by age
  for (const std::u32string& text : texts) {
    for (const std::u32string& word : words_of(text)) {
      Strings& parts = words.emplace_back();
      for (const char32_t c : word) parts.emplace_back(1, c);
    }
  }
  for (const Strings& word : words) {
    for (const std::u32string& c : word) {
      if (std::find(order.begin(), order.end(), c) == order.end()) order.push_back(c);
    }
  }
  const auto age = [&](const std::u32string& symbol) {
    return std::find(order.begin(), order.end(), symbol) - order.begin();
  };
  Strings made;
  while (made.size() < merges) {
    std::map<std::pair<std::ptrdiff_t, std::ptrdiff_t>, int> counts;
    for (const Strings& word : words) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) ++counts[{age(word[i]), age(word[i + 1])}];
    }
    std::pair<std::ptrdiff_t, std::ptrdiff_t> best;
    int most = 1;
    for (const auto& [pair, count] : counts) {
      if (count > most) most = count, best = pair;
    }
    if (most < 2) break;
    const std::u32string left = order[static_cast<std::size_t>(best.first)];
    const std::u32string right = order[static_cast<std::size_t>(best.second)];
    made.push_back(left + right);
    order.push_back(left + right);
    for (Strings& word : words) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        if (word[i] != left || word[i + 1] != right) continue;
        word[i] += right;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
  return made;
}

}  // namespace

TEST_CASE("byte pairs: a word is letters with the space before them, white space, or signs") {
  CHECK(words_of(U"for i in range(10):\n    x_1 += 'gr\u00fc\u00df'") ==
        Strings{U"for", U" i", U" in", U" range", U"(", U"10", U"):", U"\n   ", U" x_1", U" ",
                U"+=", U" ", U"'", U"gr\u00fc\u00df", U"'"});
  CHECK(words_of(U"  ") == Strings{U"  "});
  CHECK(words_of(U"").empty());
}

TEST_CASE("byte pairs: the most frequent pair merges first, as the slow definition has it") {
  const Strings texts = {U"low lower lowest low newer newest wider the theme",
                         U"anan banana ananas", U"a a a a  b  b"};
  const std::vector<std::u32string_view> views(texts.begin(), texts.end());
  const Strings learnt = learn_subwords(views, 20);
  CHECK(learnt.size() > 10);
  CHECK(learnt == learn_slowly(texts, 20));
  CHECK(learn_subwords(views, 3).size() == 3);
  CHECK(learn_subwords({U"abc"}, 9).empty());
}

TEST_CASE("byte pairs: text is cut by the order in which subwords were made, inside words") {
  Subwords subwords({U"an", U"ban", U"anan", U" b"});
  const auto cut = [&](std::u32string_view text) {
    Strings parts;
    for (const std::u32string_view part : subwords.cut(text)) parts.emplace_back(part);
    return parts;
  };
  CHECK(cut(U"banana") == Strings{U"ban", U"an", U"a"});
  CHECK(cut(U"xanan ban") == Strings{U"x", U"anan", U" ", U"ban"});
  CHECK(cut(U"a n") == Strings{U"a", U" ", U"n"});
  CHECK(Subwords().cut(U"ab").size() == 2);
}
