// The expressions of listops once more: a recursive evaluator on their text.
#pragma once

#include <algorithm>
#include <istream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace rlt::test {

struct Expression {
  int value = 0;
  int depth = 0;    // operators inside each other
  int deepest = 0;  // digits at the greatest depth
  int operators = 0;
};

/// Reads one expression; std::runtime_error when there is none.
inline Expression read_expression(std::istream& words) {
  std::string word;
  words >> word;
  if (word.size() == 1 && word[0] >= '0' && word[0] <= '9') return {word[0] - '0', 0, 1, 0};
  Expression whole{.operators = 1};
  std::vector<int> values;
  while ((words >> std::ws).good() && words.peek() != ']') {
    const Expression argument = read_expression(words);
    values.push_back(argument.value);
    if (argument.depth + 1 > whole.depth) whole.deepest = 0;
    whole.depth = std::max(whole.depth, argument.depth + 1);
    if (argument.depth + 1 == whole.depth) whole.deepest += argument.deepest;
    whole.operators += argument.operators;
  }
  if (words.get() != ']' || values.size() < 2 || values.size() > 5) {
    throw std::runtime_error("an operator with " + std::to_string(values.size()) + " arguments");
  }
  if (word == "[MIN") {
    whole.value = *std::min_element(values.begin(), values.end());
  } else if (word == "[MAX") {
    whole.value = *std::max_element(values.begin(), values.end());
  } else if (word == "[FIRST") {
    whole.value = values.front();
  } else {
    throw std::runtime_error("no operator: " + word);
  }
  return whole;
}

/// The same for a text that must hold nothing else.
inline Expression read_expression(const std::string& text) {
  std::istringstream words(text);
  const Expression whole = read_expression(words);
  if (words >> std::ws; !words.eof()) throw std::runtime_error("more than one expression");
  return whole;
}

}  // namespace rlt::test
