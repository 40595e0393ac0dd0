// Labelled strings as the paper stores them: NAME.src holds the symbols, NAME.tgt as many classes,
// separated by white space, one sequence per line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tasks/task.hpp"
#include "tasks/vocabulary.hpp"

namespace rlt {

/// What becomes of a symbol outside the vocabulary: it is added, or an error says where it is missing.
enum class NewSymbols { add, not_in_training, not_in_run };

/// The examples of `src` and `tgt`, each read once. Lines end in LF or CR LF; blank ones at the end are
/// ignored. Error(failed) naming file and line: no UTF-8 text, a file that is unreadable or empty, a blank
/// line, unequal counts, a symbol that `new_symbols` refuses.
std::vector<Example> read_text_form(const std::filesystem::path& src,
                                    const std::filesystem::path& tgt, Vocabulary& inputs,
                                    Vocabulary& outputs, NewSymbols new_symbols);

/// What NAME.src and NAME.tgt hold.
struct TextForm {
  std::string src, tgt;
};
/// Error(failed) when a position is not scored: the form cannot say so.
TextForm text_form(const TaskInfo& info, const std::vector<Example>& examples);

}  // namespace rlt
