#include "train/eval_csv.hpp"

#include <numbers>

namespace rlt {
namespace {

/// Missing where nothing was counted.
CsvCell share(Index part, Index whole) {
  if (whole == 0) return {};
  return static_cast<double>(part) / static_cast<double>(whole);
}

CsvCell size(Index bound) { return bound == 0 ? CsvCell() : CsvCell(bound); }

CsvCell bits(double nats) { return nats / std::numbers::ln2; }

}  // namespace

const std::vector<EvalColumn>& eval_columns() {
  using Row = const EvalRow&;
  // clang-format off
  static const std::vector<EvalColumn> columns = {
      {"task", "task trained and measured on", [](Row r) { return CsvCell(r.run.config.task); }},
      {"rule", "paper or honest", [](Row r) { return CsvCell(r.run.config.rule); }},
      {"protocol", "how the checkpoint was selected", [](Row r) { return CsvCell(r.run.config.protocol); }},
      {"cell", "sequence cell", [](Row r) { return CsvCell(r.run.config.cell); }},
      {"options", "choices of cell and task that differ from the defaults", [](Row r) { return CsvCell(option_summary(r.run.config)); }},
      {"parameters", "numbers trained", [](Row r) { return CsvCell(r.run.parameters); }},
      {"state_size", "numbers that a sequence carries after the longest string of the set", [](Row r) { return CsvCell(r.run.state_size); }},
      {"seed", "of the training run", [](Row r) { return CsvCell(r.run.config.seed); }},
      {"step", "updates before the measured checkpoint", [](Row r) { return CsvCell(r.run.step); }},
      {"select", "the measured checkpoint: best, last or a file", [](Row r) { return CsvCell(r.run.select); }},
      {"split", "the set: bin0, bin1, ..., length, valid, test", [](Row r) { return CsvCell(r.run.set.split); }},
      {"size_min", "smallest size asked for, in the task's unit", [](Row r) { return size(r.run.set.window.low); }},
      {"size_max", "largest size asked for", [](Row r) { return size(r.run.set.window.high); }},
      {"length_min", "tokens of the shortest string", [](Row r) { return CsvCell(r.run.set.length_min); }},
      {"length_max", "tokens of the longest string", [](Row r) { return CsvCell(r.run.set.length_max); }},
      {"sequences", "strings measured", [](Row r) { return CsvCell(r.run.score.sequences); }},
      {"sequences_correct", "of these, with every scored position right", [](Row r) { return CsvCell(r.run.score.sequences_correct); }},
      {"tokens", "scored positions", [](Row r) { return CsvCell(r.run.score.tokens); }},
      {"tokens_correct", "of these, right", [](Row r) { return CsvCell(r.run.score.tokens_correct); }},
      {"answers", "scored positions where an answer is due", [](Row r) { return CsvCell(r.run.score.answers); }},
      {"answers_correct", "of these, right", [](Row r) { return CsvCell(r.run.score.answers_correct); }},
      {"token_accuracy", "tokens_correct / tokens", [](Row r) { return r.run.score.tokens == 0 ? CsvCell(0.0) : share(r.run.score.tokens_correct, r.run.score.tokens); }},
      {"sequence_accuracy", "sequences_correct / sequences", [](Row r) { return r.run.score.sequences == 0 ? CsvCell(0.0) : share(r.run.score.sequences_correct, r.run.score.sequences); }},
      {"answer_accuracy", "answers_correct / answers", [](Row r) { return share(r.run.score.answers_correct, r.run.score.answers); }},
      {"blank_accuracy", "share of right ones among positions without an answer", [](Row r) { return share(r.run.score.tokens_correct - r.run.score.answers_correct, r.run.score.tokens - r.run.score.answers); }},
      {"loss", "mean over scored positions, in nats", [](Row r) { return CsvCell(r.run.score.loss_per_token()); }},
      {"bits", "the same in bits", [](Row r) { return bits(r.run.score.loss_per_token()); }},
      {"chance", "token accuracy of a uniform guess", [](Row r) { return CsvCell(r.baselines.chance.token); }},
      {"best_constant", "token accuracy of the best single class", [](Row r) { return CsvCell(r.baselines.best_constant.token); }},
      {"position_majority", "token accuracy of the most frequent class of each position", [](Row r) { return CsvCell(r.baselines.position_majority.token); }},
      {"chance_sequence", "sequence accuracy of a uniform guess", [](Row r) { return CsvCell(r.baselines.chance.sequence); }},
      {"best_constant_sequence", "sequence accuracy of the best single class", [](Row r) { return CsvCell(r.baselines.best_constant.sequence); }},
      {"position_majority_sequence", "sequence accuracy of the most frequent class of each position", [](Row r) { return CsvCell(r.baselines.position_majority.sequence); }},
      {"answer_constant", "answer accuracy of the best single class", [](Row r) { return CsvCell(r.baselines.answer_constant); }},
      {"class_bits", "bits per position of a guess by the classes' frequencies", [](Row r) { return bits(r.baselines.class_loss); }},
      {"bytes", "of text that the scored positions stand for, in UTF-8", [](Row r) { return size(r.run.set.bytes); }},
      {"bits_per_byte", "loss of all scored positions in bits, over bytes", [](Row r) { return r.run.set.bytes == 0 ? CsvCell() : bits(r.run.score.loss / static_cast<double>(r.run.set.bytes)); }},
      {"data_hash", "of the set (`rlt data` prints it)", [](Row r) { return CsvCell(r.run.set.hash); }},
  };
  // clang-format on
  return columns;
}

std::vector<std::string> eval_header() { return header_of(eval_columns()); }

std::vector<CsvCell> eval_cells(const EvalRow& row) { return cells_of(eval_columns(), row); }

}  // namespace rlt
