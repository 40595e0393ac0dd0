#include "train/run_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "io/descriptor.hpp"
#include "train/eval_csv.hpp"
#include "train/horizon_csv.hpp"
#include "train/run_folder.hpp"
#include "train/train_csv.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

/// Enough to hold the settings of a checkpoint.
std::string beginning(const fs::path& file) {
  std::array<char, 65536> text{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(stream.gcount())};
}

bool begins(std::string_view text, std::string_view expected) {
  return text.starts_with(expected) || expected.starts_with(text);
}

std::string header(const std::vector<std::string>& columns) {
  return fmt::format("{}\n", fmt::join(columns, ","));
}

bool is_own(const fs::path& file) {
  return std::ranges::count(own_files(file.parent_path()), file) > 0;
}

/// A table of `rlt eval --csv`, under whatever name.
bool is_evaluation(const fs::path& file) {
  std::error_code ignored;
  if (file.extension() != ".csv" || !fs::is_regular_file(file, ignored) || is_own(file))
    return false;
  const std::string text = beginning(file);
  return text.starts_with(header(eval_header())) || text.starts_with(header(horizon_header()));
}

/// NAME.PROCESS.partial, where NAME is what a run or `rlt eval --csv` writes.
bool is_left_aside(const fs::path& file) {
  const fs::path with_process = file.parent_path() / file.stem();
  const fs::path original = file.parent_path() / with_process.stem();
  const std::string process = with_process.extension().string();
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return file.extension() == ".partial" && process.size() > 1 &&
         std::ranges::all_of(process.substr(1), is_digit) &&
         (is_own(original) || original.extension() == ".csv");
}

/// The files of the folder that `chosen` accepts.
template <typename Chosen>
std::vector<fs::path> files_in(const fs::path& folder, const Chosen& chosen) {
  std::vector<fs::path> files;
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, code)) {
    if (chosen(entry.path())) files.push_back(entry.path());
  }
  if (code) fail_system("read the folder", folder, code.value());
  return files;
}

}  // namespace

std::vector<fs::path> own_files(const fs::path& folder) {
  const RunFolder run(folder);
  return {run.done(),     run.last(), run.best(),  run.train_csv(),
          run.eval_csv(), run.meta(), run.config()};
}

bool written_by_run(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return false;
  const std::string text = beginning(file);
  const RunFolder run(file.parent_path());
  if (file == run.config()) return begins(text, fmt::format("# {}\n", config_comment));
  if (file == run.meta()) return begins(text, "{\n  \"task\": ");
  if (file == run.train_csv())
    return begins(text, header(train_header("a2c"))) || begins(text, header(train_header()));
  if (file == run.eval_csv()) return begins(text, header(eval_header()));
  if (file == run.done()) {  // the time
    return text.size() <= 21 && text.find_first_not_of("0123456789-:TZ\n") == std::string::npos;
  }
  return text.empty() || text.find("\"format\":\"rlt\"") != std::string::npos;
}

std::vector<fs::path> files_of_run(const fs::path& folder) {
  std::vector<fs::path> files = own_files(folder);
  const std::vector<fs::path> others = files_in(
      folder, [](const fs::path& file) { return is_left_aside(file) || is_evaluation(file); });
  files.insert(files.end() - 1, others.begin(), others.end());
  std::erase_if(files, [](const fs::path& file) {
    std::error_code ignored;
    return !fs::exists(fs::symlink_status(file, ignored));
  });
  return files;
}

std::vector<fs::path> files_left_aside(const fs::path& folder) {
  return files_in(folder, is_left_aside);
}

void remove_together(const std::vector<fs::path>& files) {
  std::vector<std::pair<fs::path, fs::path>> moved;
  for (const fs::path& file : files) {
    fs::path aside = file;
    aside += fmt::format(".{}.partial", ::getpid());
    std::error_code ignored;
    const bool keeps_files = fs::is_directory(fs::symlink_status(file, ignored));
    if (!keeps_files && std::rename(file.c_str(), aside.c_str()) == 0) {
      moved.emplace_back(file, aside);
      continue;
    }
    const int code = keeps_files ? EISDIR : errno;
    for (auto pair = moved.rbegin(); pair != moved.rend(); ++pair) {
      const auto& [original, renamed] = *pair;
      std::rename(renamed.c_str(), original.c_str());
    }
    fail_system("remove", file, code);
  }
  for (const auto& [original, renamed] : moved) {
    if (::unlink(renamed.c_str()) != 0) fail_system("remove", original, errno);
  }
}

}  // namespace rlt
