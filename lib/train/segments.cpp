#include "train/segments.hpp"

#include <algorithm>

namespace rlt {

Segments::Segments(const std::vector<Example>& documents, Index rows, Index segment)
    : rows_(rows), segment_(segment) {
  for (const Example& document : documents) {
    starts_.resize(text_.tokens.size());
    starts_.push_back(true);
    text_.tokens.insert(text_.tokens.end(), document.tokens.begin(), document.tokens.end());
    text_.targets.insert(text_.targets.end(), document.targets.begin(), document.targets.end());
  }
  starts_.resize(text_.tokens.size());
  row_length_ = divide_up(std::ssize(text_.tokens), rows);
}

Extent Segments::extent(Index step_of_epoch) const {
  return {rows_, std::min(segment_, row_length_ - step_of_epoch * segment_)};
}

void Segments::fill(Index step_of_epoch, Batch& batch) const {
  const Extent extent = this->extent(step_of_epoch);
  batch.reset(extent.batch, extent.steps);
  for (Index row = 0; row < rows_; ++row) {
    const Index from = row * row_length_ + step_of_epoch * segment_;
    batch.set(row, text_, from);
    if (step_of_epoch == 0) batch.mark_start(row, 0);
    for (Index t = 0; t < extent.steps && from + t < std::ssize(starts_); ++t) {
      if (starts_[static_cast<std::size_t>(from + t)]) batch.mark_start(row, t);
    }
  }
}

std::vector<Example> cut(const std::vector<Example>& documents, Index segment) {
  std::vector<Example> segments;
  for (const Example& document : documents) {
    for (Index from = 0; from < std::ssize(document.tokens); from += segment) {
      const Index to = std::min(std::ssize(document.tokens), from + segment);
      segments.push_back({{document.tokens.begin() + from, document.tokens.begin() + to},
                          {document.targets.begin() + from, document.targets.begin() + to}});
    }
  }
  return segments;
}

}  // namespace rlt
