// Tables that are described column by column, so that the header, the rows and `rlt info --columns` agree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/csv.hpp"

namespace rlt {

template <typename Row>
struct CsvColumn {
  std::string_view name;
  std::string_view meaning;
  CsvCell (*cell)(const Row&);
};

template <typename Row>
std::vector<std::string> header_of(const std::vector<CsvColumn<Row>>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const CsvColumn<Row>& column : columns) names.emplace_back(column.name);
  return names;
}

template <typename Row>
std::vector<CsvCell> cells_of(const std::vector<CsvColumn<Row>>& columns, const Row& row) {
  std::vector<CsvCell> cells;
  cells.reserve(columns.size());
  for (const CsvColumn<Row>& column : columns) cells.push_back(column.cell(row));
  return cells;
}

}  // namespace rlt
