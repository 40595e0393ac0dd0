// Sequences of events from a CSV file with the columns sequence, time and, if you like, mark: a header, then one
// event per row. The columns come in any order; there are no others.
//   sequence  whatever names it; its rows need not be adjacent, and are read in the order of the file
//   time      a finite number from 0 on, larger than the one before it in the same sequence. Equal times are an
//             error: a density in time has no place for two events at once, and to shift or to merge them is the
//             user's choice, not ours
//   mark      a word without white space; without that column every event has the mark "event"
// Error(failed) naming file, line and column: text that is not UTF-8, a missing, repeated or unknown column, a row
// with more or fewer cells, an empty cell, a number or word that is not as above, a sequence of one event (which
// leaves nothing to foretell), a mark that the run does not know, a blank line before the last event, no event at all.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tasks/point_process.hpp"
#include "tasks/vocabulary.hpp"

namespace rlt {

struct EventSequence {
  std::string name;
  Index line = 0;  // of its first event
  std::vector<Event> events;
};

/// The sequences in order of appearance. Marks are numbered by `marks`, to which new ones are added where
/// `adds_marks`; else these are errors: they are not among the symbols of the run.
std::vector<EventSequence> read_events_csv(const std::filesystem::path& path, Vocabulary& marks,
                                           bool adds_marks);

}  // namespace rlt
