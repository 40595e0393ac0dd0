// Repetitions of one word w: the languages w* in which the only thing to learn is to count the
// position modulo |w|.
#pragma once

#include "tasks/language.hpp"

namespace rlt {

/// Label: 1 if x_1..x_t is w repeated, that is t mod |w| = 0, else 0.
/// Paper rule: r uniform in [low, high], string w^floor(r / |w|), rejected outside the window.
/// Honest rule: the first t symbols of www..., t uniform in [low, high].
class Star : public Language {
 protected:
  Star(TaskInfo info, std::vector<int> word) : Language(std::move(info)), word_(std::move(word)) {}

 public:
  Index possible_length(Index length) const override;

 private:
  void draw_string(Draws& draws, Window window, std::vector<int>& string) const override;
  void draw_string_exact(Draws& draws, Index length, std::vector<int>& string) const override;
  void label(const std::vector<int>& string, std::vector<int>& targets) const override;

  Index period() const { return std::ssize(word_); }

  std::vector<int> word_;
};

}  // namespace rlt
