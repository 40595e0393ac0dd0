// Labelled strings as the paper stores them: NAME.src holds the symbols, NAME.tgt the classes, one
// sequence a line, separated by white space, equally many on both sides.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tasks/task.hpp"

namespace rlt {

/// Symbols and their numbers, in order of appearance.
class Vocabulary {
 public:
  /// The number of `symbol`, which is added when new.
  int add(std::string_view symbol);
  /// The number of `symbol`, or -1.
  int find(std::string_view symbol) const;
  const std::vector<std::string>& symbols() const { return symbols_; }

 private:
  std::vector<std::string> symbols_;
  std::unordered_map<std::string, int> numbers_;
};

enum class NewSymbols { add, refuse };

/// The examples of `src` and `tgt`. Blank lines at the end are ignored. Error(failed) naming file
/// and line: unreadable or empty file, blank line, unequal counts, symbol outside the vocabulary
/// under NewSymbols::refuse.
std::vector<Example> read_text_form(const std::filesystem::path& src,
                                    const std::filesystem::path& tgt, Vocabulary& inputs,
                                    Vocabulary& outputs, NewSymbols new_symbols);

/// Writes BASE.src and BASE.tgt, each aside, flushed, then renamed. Error(failed) when that does
/// not work, or when a position is not scored: the form has no word for it.
void write_text_form(const std::filesystem::path& base, const TaskInfo& info,
                     const std::vector<Example>& examples);

}  // namespace rlt
