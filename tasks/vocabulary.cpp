#include "tasks/vocabulary.hpp"

namespace rlt {

Vocabulary::Vocabulary(const std::vector<std::string>& symbols) {
  for (const std::string& symbol : symbols) add(symbol);
}

int Vocabulary::add(std::string_view symbol) {
  const auto [entry, is_new] =
      numbers_.emplace(std::string(symbol), static_cast<int>(symbols_.size()));
  if (is_new) symbols_.emplace_back(symbol);
  return entry->second;
}

int Vocabulary::find(std::string_view symbol) const {
  const auto entry = numbers_.find(std::string(symbol));
  return entry == numbers_.end() ? -1 : entry->second;
}

}  // namespace rlt
