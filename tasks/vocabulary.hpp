// Symbols and their numbers, in order of appearance.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rlt {

class Vocabulary {
 public:
  Vocabulary() = default;
  explicit Vocabulary(const std::vector<std::string>& symbols);

  /// The number of `symbol`, which is added when new.
  int add(std::string_view symbol);
  /// The number of `symbol`, or -1.
  int find(std::string_view symbol) const;
  const std::vector<std::string>& symbols() const { return symbols_; }

 private:
  std::vector<std::string> symbols_;
  std::unordered_map<std::string, int> numbers_;
};

}  // namespace rlt
