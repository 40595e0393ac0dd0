#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "base/utf8.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/safetensors.hpp"
#include "train/data_identity.hpp"
#include "train/run_folder.hpp"

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
}

Exit run(const std::string& path) {
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

Action declare(const Flags& flags) {
  const auto path = std::make_shared<std::string>();
  flags.required_argument("path", *path, "RUN", "run folder or checkpoint");
  return [path] { return run(*path); };
}

}  // namespace

const Command info_command = {"info", "describe a run folder or a checkpoint", declare};

}  // namespace rlt
