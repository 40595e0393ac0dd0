// Counter languages: k letters in order, each n times. The label names the symbols that may follow.
#pragma once

#include "tasks/language.hpp"

namespace rlt {

/// Label, k letters: every a -> class 0, {a, b}; letter i > 0 at rank j < n -> class i, {itself};
/// its last one -> class i + 1, {the next letter}, or {T}, the end, for the last letter.
/// Paper rule: n uniform in [low, high]. Honest rule: the window bounds the length of the string, n is
/// uniform among those that fit.
class Counter : public Language {
 protected:
  explicit Counter(TaskInfo info) : Language(std::move(info)) {}

 public:
  Index possible_length(Index length) const override;

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override;
  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override;
  void label(const std::vector<int>& string, std::vector<int>& targets) const override;

  Index letters() const { return std::ssize(info().inputs); }
};

/// The facts that follow from the rule alone.
TaskInfo counter_info(const TaskOptions& options, std::vector<std::string> letters);

}  // namespace rlt
