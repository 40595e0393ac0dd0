#include "train/horizon_csv.hpp"

#include <algorithm>

namespace rlt {
namespace {

CsvCell known(std::optional<Index> number) { return number ? CsvCell(*number) : CsvCell(); }

/// Missing where no strings were read.
CsvCell counted(const HorizonRow& row, Index count) {
  return row.length_max == 0 ? CsvCell() : CsvCell(count);
}

}  // namespace

const std::vector<HorizonColumn>& horizon_columns() {
  using Row = const HorizonRow&;
  // clang-format off
  static const std::vector<HorizonColumn> columns = {
      {"task", "task trained and measured on", [](Row r) { return CsvCell(r.run.config.task); }},
      {"rule", "paper or honest", [](Row r) { return CsvCell(r.run.config.rule); }},
      {"protocol", "how the checkpoint was selected", [](Row r) { return CsvCell(r.run.config.protocol); }},
      {"cell", "sequence cell", [](Row r) { return CsvCell(r.run.config.cell); }},
      {"options", "choices of cell and task that differ from the defaults", [](Row r) { return CsvCell(option_summary(r.run.config)); }},
      {"parameters", "numbers trained", [](Row r) { return CsvCell(r.run.parameters); }},
      {"seed", "of the training run", [](Row r) { return CsvCell(r.run.config.seed); }},
      {"step", "updates before the measured checkpoint", [](Row r) { return CsvCell(r.run.step); }},
      {"select", "the measured checkpoint: best, last or a file", [](Row r) { return CsvCell(r.run.select); }},
      {"unit", "of lengths: symbols, or what the task counts", [](Row r) { return CsvCell(r.run.unit); }},
      {"train_length", "longest strings of the training", [](Row r) { return CsvCell(r.run.train_length); }},
      {"max_length", "where the search ended at the latest", [](Row r) { return CsvCell(r.run.max_length); }},
      {"kind", "length: strings of one length; positions: labels of the longest strings tried; horizon: the result", [](Row r) { return CsvCell(r.kind); }},
      {"low", "length tried; first position, from 1; longest length that was right, 0 when none was", [](Row r) { return CsvCell(r.low); }},
      {"high", "length tried; last position; shortest length that was wrong, empty when none was", [](Row r) { return known(r.high); }},
      {"length_max", "tokens of the longest string", [](Row r) { return counted(r, r.length_max); }},
      {"sequences", "strings measured", [](Row r) { return counted(r, r.sequences); }},
      {"sequences_correct", "of these, with every scored position right", [](Row r) { return known(r.sequences_correct); }},
      {"tokens", "scored positions", [](Row r) { return counted(r, r.labels.scored); }},
      {"tokens_correct", "of these, right", [](Row r) { return counted(r, r.labels.right); }},
      {"data_hash", "of the strings (`rlt data` prints it)", [](Row r) { return CsvCell(r.hash); }},
  };
  // clang-format on
  return columns;
}

std::vector<std::string> horizon_header() { return header_of(horizon_columns()); }

std::vector<CsvCell> horizon_cells(const HorizonRow& row) {
  return cells_of(horizon_columns(), row);
}

std::vector<HorizonRow> position_rows(const Searched& run, const EvaluationSet& set,
                                      const ByPosition& by_position) {
  std::vector<HorizonRow> rows;
  for (std::size_t entry = 0; entry < by_position.labels.size(); ++entry) {
    rows.push_back({.run = run,
                    .kind = "positions",
                    .low = by_position.low(entry),
                    .high = std::min(by_position.high(entry), set.length_max),
                    .length_max = set.length_max,
                    .sequences = std::ssize(set.examples),
                    .labels = by_position.labels[entry],
                    .hash = set.hash});
  }
  return rows;
}

}  // namespace rlt
