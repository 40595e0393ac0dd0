// Reads labelled series in the form of the UCR and UEA archives (.ts): comments (#) and header lines
//   @problemName NAME, @univariate true|false, @dimensions C, @equalLength true|false, @seriesLength T,
//   @missing true|false, @timeStamps false, @classLabel true CLASS CLASS ..., @data
// in upper or lower case, then one series a line: dimensions separated by ':', values by ',', its class last.
//
// Rules; an error names file and line:
// - All series have as many dimensions, and all dimensions of a series the same length; series may differ in length
//   unless @equalLength true or @seriesLength say otherwise.
// - @dimensions, @univariate and @problemName may be missing; where they stand, the data must agree.
// - '?' and NaN are missing: an error, or with Missing::forward the dimension's last value, counted in a note; at
//   the beginning of a dimension an error in any case.
// - Series with time stamps, without classes, or with a number for a label (@targetLabel) are refused.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/index.hpp"
#include "tasks/series_csv.hpp"

namespace rlt {

struct TsSeries {
  std::vector<float> values;  // (T, C)
  int label = 0;              // place in TsFile::classes
  Index line = 0;
};

struct TsFile {
  Index channels = 0;
  std::vector<std::string> classes;  // in the order of the header
  std::vector<TsSeries> series;
};

TsFile read_ts(const std::filesystem::path& path, Missing missing);

}  // namespace rlt
