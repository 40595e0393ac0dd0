// The labels of the drawn tasks once more, slowly and from their definitions on text. Of the formal
// languages every prefix is looked at as a whole, nothing is carried from one position to the next.
#pragma once

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "tasks/task.hpp"
#include "tests/support/slow_expression.hpp"
#include "tests/support/slow_program.hpp"

namespace rlt::test {

/// The symbols one after the other, with spaces between them where one of all is longer than a letter.
inline std::string text_of(const std::vector<int>& tokens,
                           const std::vector<std::string>& symbols) {
  const bool spaced = std::any_of(symbols.begin(), symbols.end(),
                                  [](const std::string& symbol) { return symbol.size() > 1; });
  std::string text;
  for (const int token : tokens) {
    if (spaced && !text.empty()) text += ' ';
    text += symbols.at(static_cast<std::size_t>(token));
  }
  return text;
}

/// Crosses out neighbouring `open close` pairs until none is left.
inline std::string cancel(std::string text, const std::string& pair) {
  for (std::size_t at = text.find(pair); at != std::string::npos; at = text.find(pair)) {
    text.erase(at, pair.size());
  }
  return text;
}

inline std::string only(const std::string& text, const std::string& kept) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result),
               [&](char c) { return kept.find(c) != std::string::npos; });
  return result;
}

inline std::string flag(bool value) { return value ? "1" : "0"; }

/// All symbols s for which prefix + s begins some a^n b^n (c^n); "T" when prefix is such a string.
inline std::string continuations(const std::string& prefix, const std::string& letters) {
  std::string result;
  for (const char s : letters) {
    const std::string longer = prefix + s;
    bool begins = false;
    for (std::size_t n = 1; n <= longer.size() && !begins; ++n) {
      std::string whole;
      for (const char letter : letters) whole += std::string(n, letter);
      begins = whole.starts_with(longer);
    }
    if (begins) result += (result.empty() ? "" : "|") + std::string(1, s);
  }
  return result.empty() ? "T" : result;
}

/// The symbol of the class after reading `prefix`.
inline std::string slow_label(const std::string& task, const std::string& prefix) {
  if (task == "parity") return flag(std::count(prefix.begin(), prefix.end(), '1') % 2 == 0);
  if (task == "aa_star") return flag(cancel(prefix, "aa").empty());
  if (task == "abab_star") return flag(cancel(prefix, "abab").empty());
  if (task == "anbn") return continuations(prefix, "ab");
  if (task == "anbncn") return continuations(prefix, "abc");
  if (task == "dyck1") return flag(!cancel(prefix, "()").empty());
  if (task == "shuffle2") {
    return flag(!cancel(only(prefix, "()"), "()").empty()) +
           flag(!cancel(only(prefix, "[]"), "[]").empty());
  }
  if (task == "reset_dyck1") {
    const std::size_t reset = prefix.rfind('1');
    return flag(!cancel(prefix.substr(reset == std::string::npos ? 0 : reset + 1), "()").empty());
  }
  if (task == "flip_flop") {
    return prefix.back() == 'r' ? prefix.substr(prefix.rfind('w') + 1, 1) : ".";
  }
  return "no slow rule for " + task;
}

/// The products of permutations in one-line notation, as names of points: each is applied to the names before.
inline std::vector<std::string> running_products(const std::string& text) {
  std::vector<std::string> products;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::string product = word;
    if (!products.empty()) {
      for (char& point : product) point = products.back().at(static_cast<std::size_t>(point - '1'));
    }
    products.push_back(product);
  }
  return products;
}

/// The symbol of the class at every position of `text`; "." where none is scored.
inline std::vector<std::string> slow_labels(const std::string& task, const std::string& rule,
                                            const std::string& text) {
  if (task == "code_execution") return run_program(text, rule);
  if (task == "listops") {
    const auto words = 1 + std::count(text.begin(), text.end(), ' ');
    std::vector<std::string> labels(static_cast<std::size_t>(words), ".");
    labels.back() = std::to_string(read_expression(text).value);
    return labels;
  }
  if (task == "word_problem") return running_products(text);
  std::vector<std::string> labels;
  for (std::size_t length = 1; length <= text.size(); ++length) {
    labels.push_back(slow_label(task, text.substr(0, length)));
  }
  return labels;
}

/// Is `text` a whole string of the language that the rule draws from?
inline bool slow_member(const std::string& task, const std::string& rule, const std::string& text) {
  const bool paper = rule == "paper";
  if (task == "code_execution") return !run_program(text, rule).empty();
  if (task == "listops") return read_expression(text).depth > 0;  // throws for other texts
  if (task == "word_problem") return !text.empty();
  if (task == "flip_flop") {
    bool is_one = text.size() % 2 == 0 && text[0] == 'w' && text[text.size() - 2] == 'r';
    for (std::size_t t = 0; t < text.size(); t += 2) {
      is_one &= std::string("wri").find(text[t]) != std::string::npos &&
                std::string("01").find(text[t + 1]) != std::string::npos &&
                (text[t] != 'r' || slow_label(task, text.substr(0, t + 1))[0] == text[t + 1]);
    }
    return is_one;
  }
  if (task == "parity") return !paper || std::count(text.begin(), text.end(), '1') % 2 == 0;
  if (task == "aa_star") return only(text, "a") == text && (!paper || text.size() % 2 == 0);
  if (task == "abab_star") {
    std::string endless;
    while (endless.size() < text.size()) endless += "abab";
    return endless.starts_with(text) && (!paper || endless == text);
  }
  if (task == "anbn" || task == "anbncn") {
    std::string whole;
    const std::string letters = task == "anbn" ? "ab" : "abc";
    for (const char letter : letters) whole += std::string(text.size() / letters.size(), letter);
    return text == whole;
  }
  if (task == "dyck1") return cancel(text, "()").empty();
  if (task == "shuffle2") {
    if (!cancel(only(text, "()"), "()").empty() || !cancel(only(text, "[]"), "[]").empty())
      return false;
    if (!paper) return true;
    std::string rest = text;  // well nested: crossing out pairs of both kinds leaves nothing
    for (std::string before; before != rest;) {
      before = rest;
      rest = cancel(cancel(rest, "()"), "[]");
    }
    return rest.empty();
  }
  if (task == "reset_dyck1") {
    const auto resets = std::count(text.begin(), text.end(), '1');
    if (paper && resets != 1) return false;
    // behind the last reset all is balanced, before it nothing is closed that was not open
    std::string piece;
    for (const char c : text + "1") {
      if (c != '1') {
        piece += c;
      } else {
        piece = cancel(piece, "()");
        if (piece.find(')') != piece.npos) return false;
        piece.clear();
      }
    }
    const std::size_t reset = text.rfind('1');
    return cancel(text.substr(reset == text.npos ? 0 : reset + 1), "()").empty();
  }
  return false;
}

}  // namespace rlt::test
