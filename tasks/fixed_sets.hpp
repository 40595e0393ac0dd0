// Base of the tasks whose strings are given, not drawn: holds the sets and refuses to draw.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "tasks/task.hpp"

namespace rlt {

class FixedSets : public Task {
 public:
  const TaskInfo& info() const final { return info_; }

  void draw(Draws&, Window, Example&) const final { refuse(); }
  void draw_exact(Draws&, Index, Example&) const final { refuse(); }
  Index possible_length(Index) const final { return 0; }

  const std::vector<Example>* fixed_set(std::string_view split) const final {
    const auto set = sets_.find(split);
    return set == sets_.end() ? nullptr : &set->second;
  }

 protected:
  explicit FixedSets(TaskInfo info) : info_(std::move(info)) {}

  /// Sets TaskInfo::training: from the shortest to the longest training string.
  void measure_training() {
    const std::vector<Example>& train = sets_.at("train");
    const auto [shortest, longest] = std::minmax_element(
        train.begin(), train.end(),
        [](const Example& a, const Example& b) { return a.tokens.size() < b.tokens.size(); });
    info_.training = {std::ssize(shortest->tokens), std::ssize(longest->tokens)};
  }

  std::map<std::string, std::vector<Example>, std::less<>> sets_;  // train, valid, test if any
  TaskInfo info_;

 private:
  [[noreturn]] void refuse() const {
    fail(Exit::usage, "task {}: its sets are fixed; no string can be drawn, of whatever length",
         info_.name);
  }
};

}  // namespace rlt
