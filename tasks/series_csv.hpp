// Reads real-valued series from CSV, in the form of the ETT and Weather files: a header; the first column `date`, all
// others channels; rows in order of time.
//
// Rules; an error names file, line and column:
// - `date`: YYYY-MM-DD, with a time HH:MM, HH:MM:SS or HH:MM:SS.fraction after a blank or a T, or a plain number (a
//   step, a time in whatever unit); one kind in a file. Dates must grow: an equal or earlier one is an error.
// - Unequal steps between dates are accepted, with a note of the first; positions are counted, not timed.
// - Channels hold numbers in decimal digits. Empty cells, NaN, NA and null are missing: an error, or with
//   Missing::forward the channel's last value, counted in a note; in the first row an error in any case.
// - Every row has as many cells as the header, and there are two rows or more. Blank lines may stand at the end.
// - Names of channels are neither empty nor given twice.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/index.hpp"

namespace rlt {

enum class Missing { error, forward };

struct SeriesTable {
  std::vector<std::string> channels;
  std::vector<double> values;  // (rows, channels)
  Index rows = 0;
};

SeriesTable read_series(const std::filesystem::path& path, Missing missing);

}  // namespace rlt
