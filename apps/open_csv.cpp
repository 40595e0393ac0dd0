#include <utility>

#include "commands.hpp"

namespace rlt {

CsvFile open_csv(const std::string& csv, std::vector<std::string> columns) {
  if (csv.empty() || csv == "-") return CsvFile::standard_output(std::move(columns));
  return CsvFile::open(csv, std::move(columns));
}

}  // namespace rlt
