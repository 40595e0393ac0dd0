// A whole model and sequences to read in pieces, with or without what is carried from one to the next.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.hpp"
#include "model/sequence_model.hpp"

namespace support {

/// Tokens below 5 and starts of some sequences, and a state to carry from piece to piece.
struct Reading {
  rlt::SequenceModel<double>& model;
  rlt::Extent extent;
  std::vector<int> tokens;
  std::vector<std::uint8_t> starts;
  rlt::State<double> state;

  Reading(rlt::SequenceModel<double>& model_, rlt::Extent extent_)
      : model(model_), extent(extent_) {
    const rlt::Rng rng(8);
    for (rlt::Index i = 0; i < extent.rows(); ++i)
      tokens.push_back(static_cast<int>(rng.below(i, 5)));
    starts.assign(tokens.size(), 0);
    const rlt::Index context = 2 * extent.steps;  // room for the sequences and a past
    state = model.fresh_state(extent.batch, context);
    model.carve(extent);
  }
  /// Logits of positions from .. to - 1, one sequence after the other.
  std::vector<double> read(rlt::Index from, rlt::Index to, bool carries) {
    const rlt::Extent piece{extent.batch, to - from};
    std::vector<int> some;
    std::vector<std::uint8_t> marks;
    for (rlt::Index b = 0; b < extent.batch; ++b) {
      for (rlt::Index t = from; t < to; ++t) {
        some.push_back(tokens[b * extent.steps + t]);
        marks.push_back(starts[b * extent.steps + t]);
      }
    }
    const rlt::Matrix<double> logits =
        model.forward({.extent = piece, .tokens = some.data()},
                      {.state = carries ? &state : nullptr, .starts = marks.data()});
    return {logits.data, logits.data + piece.rows() * logits.cols};
  }
};

/// Positions from .. to - 1 of the logits of whole sequences.
inline std::vector<double> cut(const std::vector<double>& logits, rlt::Extent extent,
                               rlt::Index from, rlt::Index to) {
  const rlt::Index width = std::ssize(logits) / extent.rows();
  std::vector<double> piece;
  for (rlt::Index b = 0; b < extent.batch; ++b) {
    const auto row = logits.begin() + b * extent.steps * width;
    piece.insert(piece.end(), row + from * width, row + to * width);
  }
  return piece;
}

}  // namespace support
