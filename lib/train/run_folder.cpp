#include "train/run_folder.hpp"

#include <array>
#include <chrono>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/cpu.hpp"
#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/utf8.hpp"
#include "base/version.hpp"
#include "io/file.hpp"
#include "io/toml.hpp"

namespace rlt {

RunFolder::State RunFolder::state() const {
  if (file_exists(done())) return State::finished;
  return file_exists(config()) ? State::interrupted : State::absent;
}

void RunFolder::begin(const RunConfig& config) const {
  make_folder(path_);
  write_file(this->config(), config_text(config));
}

void RunFolder::clear() const {
  for (const auto& file : {done(), config(), meta(), train_csv(), eval_csv(), last(), best()}) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  }
}

void RunFolder::require_same(const RunConfig& config) const {
  const std::string expected = config_text(config);
  const std::string found = read_file(this->config(), largest_text);
  if (found == expected) return;
  std::size_t first = 0;
  while (first < expected.size() && first < found.size() && expected[first] == found[first])
    ++first;
  const auto line_at = [first](const std::string& text) {
    const std::size_t begin = text.rfind('\n', first == 0 ? 0 : first - 1) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  fail(Exit::usage,
       "{} holds a run with other settings ({}; asked: {}); choose another --out, or --force to "
       "start "
       "over",
       path_.string(), line_at(found), line_at(expected));
}

void RunFolder::write_meta(const RunConfig& config, const std::string& command_line,
                           const std::string& start, const std::string& stop,
                           const std::string& exit) const {
  nlohmann::ordered_json meta = {
      {"task", config.task},
      {"rule", config.rule},
      {"protocol", config.protocol},
      {"cell", config.cell},
      {"options", option_summary(config)},
      {"seed", config.seed},
      {"command", printable(command_line)},
      {"version", version()},
      {"commit", commit()},
      {"compiler", compiler()},
      {"build", compiler_flags()},
      {"processor", processor_name()},
      {"blas", "OpenBLAS " + blas_kernels()},
      {"threads", thread_count()},
      {"start", start},
      {"stop", stop},
  };
  meta["exit"] = exit.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(std::stoi(exit));
  write_file(this->meta(), meta.dump(2) + "\n");
}

void RunFolder::finish() const { write_file(done(), utc_time() + "\n"); }

std::string config_text(const RunConfig& config) {
  RunConfig copy = config;
  std::vector<TomlEntry> entries;
  for (const Setting& setting : settings(copy)) {
    if (!has_value(setting)) continue;
    if (const auto* const number = std::get_if<Index*>(&setting.value)) {
      entries.push_back({setting.name, **number});
    } else if (const auto* const optional = std::get_if<std::optional<Index>*>(&setting.value)) {
      entries.push_back({setting.name, ***optional});
    } else if (const auto* const real = std::get_if<double*>(&setting.value)) {
      entries.push_back({setting.name, **real});
    } else if (const auto* const seed = std::get_if<std::uint64_t*>(&setting.value)) {
      // TOML's integers end at 2^63 - 1: larger ones are text.
      constexpr auto last = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
      if (**seed <= last) {
        entries.push_back({setting.name, static_cast<Index>(**seed)});
      } else {
        entries.push_back({setting.name, to_text(setting)});
      }
    } else {
      entries.push_back({setting.name, to_text(setting)});
    }
  }
  return toml_text("rlt train --config FILE repeats this run", entries);
}

std::string utc_time() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace rlt
