// What the formal languages share: a string is drawn first, then labelled by one rule that holds
// for windows and exact lengths alike.
#pragma once

#include <utility>

#include "tasks/task.hpp"

namespace rlt {

/// The FL paper, named in TaskInfo::source of all its languages.
inline constexpr const char* formal_languages_source =
    "Irie, Csordas, Schmidhuber 2023, arXiv 2310.16076; data: Bhattamishra, Ahuja, Goyal, EMNLP "
    "2020";

class Language : public Task {
 public:
  const TaskInfo& info() const final { return info_; }

  void draw(Draws& draws, Window window, Example& example) const final {
    example.tokens.clear();
    draw_string(draws, window, example.tokens);
    label_all(example);
  }

  void draw_exact(Draws& draws, Index length, Example& example) const final {
    example.tokens.clear();
    draw_string_exact(draws, length, example.tokens);
    label_all(example);
  }

 protected:
  explicit Language(TaskInfo info) : info_(std::move(info)) {}

  bool honest() const { return info_.rule == "honest"; }

 private:
  /// Both append to the empty `string`; task.hpp says which lengths it must have.
  virtual void draw_string(Draws& draws, Window window, std::vector<int>& string) const = 0;
  virtual void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const = 0;
  /// Writes every target; `targets` has the size of `string`.
  virtual void label(const std::vector<int>& string, std::vector<int>& targets) const = 0;

  void label_all(Example& example) const {
    example.targets.resize(example.tokens.size());
    label(example.tokens, example.targets);
  }

  TaskInfo info_;
};

}  // namespace rlt
