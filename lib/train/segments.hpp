// Truncated backpropagation over long documents (Williams, Peng 1990): the documents are joined to one text,
// the rows of a batch begin at even distances in it, and every step reads the next `segment` tokens of each
// row. The caller carries the state from one step to the next.
#pragma once

#include <vector>

#include "model/batch.hpp"

namespace rlt {

class Segments {
 public:
  Segments(const std::vector<Example>& documents, Index rows, Index segment);

  /// Steps until every token was read once.
  Index steps_per_epoch() const { return divide_up(row_length_, segment_); }
  Extent extent(Index step_of_epoch) const;
  /// Step 0, 1, ... of an epoch. Marks a start where a document begins, and everywhere at step 0.
  void fill(Index step_of_epoch, Batch& batch) const;

 private:
  Example text_;              // all documents
  std::vector<bool> starts_;  // of a document, at each token
  Index rows_, row_length_, segment_;
};

/// The documents cut into segments of at most `segment` tokens, for cells that cannot carry a state over
/// whole documents.
std::vector<Example> cut(const std::vector<Example>& documents, Index segment);

}  // namespace rlt
