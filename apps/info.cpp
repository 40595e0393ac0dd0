#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "base/utf8.hpp"
#include "blocks/block.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/safetensors.hpp"
#include "model/model_config.hpp"
#include "train/data_identity.hpp"
#include "train/eval_csv.hpp"
#include "train/forecast_csv.hpp"
#include "train/horizon_csv.hpp"
#include "train/play_csv.hpp"
#include "train/run_folder.hpp"
#include "train/train_csv.hpp"

namespace rlt {
namespace {

/// How many there are, and as many as a line holds.
void print_symbols(std::string_view name, const std::vector<std::string>& symbols) {
  if (symbols.empty()) return;
  constexpr std::size_t width = 60;
  std::string line;
  std::size_t shown = 0;
  while (shown < symbols.size() && line.size() + symbols[shown].size() < width) {
    line += " " + printable(symbols[shown++]);
  }
  fmt::print("  {:<16} {}:{}{}\n", name, symbols.size(), line,
             shown < symbols.size() ? " ..." : "");
}

/// What one sequence carries after one token.
void print_state(const RunConfig& config) {
  TaskInfo any;  // its symbols do not change the state
  any.inputs.resize(1);
  any.outputs.resize(1);
  const ModelConfig model =
      is_environment(config.task)
          ? model_config(config, make_environment(config.task,
                                                  parse_options("task-option", config.task_options))
                                     ->info())
          : model_config(config, any);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const StateLayout layout = make_block<float>(model.layers[i])->state_layout(1);
    fmt::print("  {:<16} {}\n", fmt::format("state, layer {}", i), layout_text(layout));
  }
  const StateLayout input = Input<float>(model.input, model.width()).state_layout();
  fmt::print("  {:<16} {}\n", "state, input", layout_text(input));
}

void print_checkpoint(const std::filesystem::path& path) {
  const Safetensors file(path);
  fmt::print("{}\n", printable(path.string()));
  for (const auto& [key, value] : file.metadata()) {
    if (value.empty() || key == "vocabulary") continue;
    fmt::print("  {:<16} {}\n", printable(key), printable(value));
  }
  const Symbols symbols = data_identity(file.metadata()).symbols;
  print_symbols("inputs", symbols.inputs);
  print_symbols("classes", symbols.outputs);
  for (const TensorView& tensor : file.tensors()) {
    if (!tensor.name.starts_with("model.")) continue;
    fmt::print("  {:<48} {} ({})\n", printable(tensor.name), tensor.dtype,
               fmt::join(tensor.shape, ", "));
  }
  if (file.metadata().contains("format")) print_state(checkpoint_config(path));
}

template <typename Columns>
void print_columns(std::string_view file, const Columns& columns) {
  fmt::print("{}\n", file);
  for (const auto& column : columns) fmt::print("  {:<28} {}\n", column.name, column.meaning);
}

Exit run(const std::string& path, bool columns) {
  if (columns == !path.empty()) fail(Exit::usage, "info needs RUN or --columns, one of them");
  if (columns) {
    print_columns("train.csv (from steps_per_s on: of learners that act)", train_columns("a2c"));
    print_columns("eval.csv", eval_columns());
    print_columns("eval.csv where real numbers are asked", forecast_columns());
    print_columns("eval.csv of an environment", play_columns());
    print_columns("horizon.csv", horizon_columns());
    return Exit::done;
  }
  if (!is_folder(path)) {
    print_checkpoint(path);
    return Exit::done;
  }
  const RunFolder folder(path);
  switch (folder.state()) {
    case RunFolder::State::absent:
      fail(Exit::failed, "{} is no run folder: it has no config.toml", path);
    case RunFolder::State::begun:
    case RunFolder::State::interrupted:
      fmt::print("{}: interrupted or running; `rlt train --config {} --out {} --resume` goes on\n",
                 printable(path), printable(folder.config().string()), printable(path));
      break;
    case RunFolder::State::finished:
      fmt::print("{}: finished\n", printable(path));
      break;
  }
  fmt::print("{}", read_file(folder.config(), largest_text));
  if (file_exists(folder.meta())) fmt::print("{}", read_file(folder.meta(), largest_text));
  if (file_exists(folder.best())) print_checkpoint(folder.best());
  return Exit::done;
}

Action declare_info(const Flags& flags) {
  const auto path = std::make_shared<std::string>();
  const auto columns = std::make_shared<bool>(false);
  flags.argument("path", *path, "RUN", "run folder or checkpoint");
  flags.toggle("columns", *columns,
               "say instead what each column of train.csv, eval.csv and horizon.csv means");
  return [path, columns] { return run(*path, *columns); };
}

}  // namespace

const Command info_command = {"info", "describe a run folder or a checkpoint", declare_info};

}  // namespace rlt
