// The programs of code_execution once more: their text is read statement by statement and run.
#pragma once

#include <cctype>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace rlt::test {

inline bool is_digit(const std::string& word) {
  return word.size() == 1 && std::isdigit(static_cast<unsigned char>(word[0]));
}

inline bool is_name(const std::string& word) {
  return word.size() == 1 && std::isalpha(static_cast<unsigned char>(word[0]));
}

/// What is to be answered at every word of `text`, which is run as Python would or, under "paper", with
/// assignments under a true condition ignored where the variable has a value. Empty when `text` is no
/// program that the rule can have written.
inline std::vector<std::string> run_program(const std::string& text, const std::string& rule) {
  std::map<std::string, int> memory;
  std::vector<std::string> answers;
  bool ends_in_print = false;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::vector<std::string> line = {word};
    while (line.back() != ";" && words >> word) line.push_back(word);
    const std::size_t length = line.size();

    bool runs = true;
    const bool is_conditional = line[0] == "if";
    if (is_conditional) {
      if (length < 6 || !memory.contains(line[1]) || !is_digit(line[3]) || line[4] != ":")
        return {};
      const int left = memory[line[1]], right = std::stoi(line[3]);
      if (line[2] != "<" && line[2] != ">") return {};
      runs = line[2] == "<" ? left < right : left > right;
      line.erase(line.begin(), line.begin() + 5);
    }

    std::string answer = "_";
    const bool is_print = line[0] == "print";
    const bool is_assignment = line.size() == 4;
    if (line.size() != (is_assignment ? 4 : 3) || line.back() != ";") return {};
    if (is_assignment) {
      if (!is_name(line[0]) || line[1] != "=" || !is_digit(line[2])) return {};
      const bool ignored = rule == "paper" && is_conditional && memory.contains(line[0]);
      if (runs && !ignored) memory[line[0]] = std::stoi(line[2]);
    } else if (is_print) {
      if (!memory.contains(line[1])) return {};
      if (runs) answer = std::to_string(memory[line[1]]);
    } else {
      if (!memory.contains(line[0]) || (line[1] != "++" && line[1] != "--")) return {};
      if (runs) memory[line[0]] += line[1] == "++" ? 1 : -1;
    }
    for (const auto& [name, value] : memory) {
      if (value < -8 || value > 16) return {};
    }
    if (answers.empty() && (!is_assignment || is_conditional)) return {};
    ends_in_print = is_print && !is_conditional;
    answers.insert(answers.end(), length - 1, "_");
    answers.push_back(answer);
  }
  return ends_in_print ? answers : std::vector<std::string>{};
}

}  // namespace rlt::test
