#include "train/run_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/cpu.hpp"
#include "base/error.hpp"
#include "base/level.hpp"
#include "base/parallel.hpp"
#include "base/utf8.hpp"
#include "base/version.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "io/toml.hpp"
#include "train/data_identity.hpp"
#include "train/run_files.hpp"
#include "train/settings.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The lines "KEY = VALUE" of a config.toml by their keys.
std::map<std::string, std::string> lines_by_key(const std::string& text) {
  std::map<std::string, std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with('#')) lines[line.substr(0, line.find(" = "))] = line;
  }
  return lines;
}

struct Difference {
  std::string found;
  std::string expected;
};

/// Empty for a setting that has no value, and so no line.
std::string line_of(const std::map<std::string, std::string>& lines, const std::string& key) {
  const auto found = lines.find(key);
  return found == lines.end() ? "" : found->second;
}

/// The first setting that `found`, the text of a config.toml, has other than `config`. A setting that it lacks,
/// because it is older, has its default.
std::optional<Difference> first_difference(const std::string& found, const RunConfig& config) {
  std::map<std::string, std::string> lines = lines_by_key(found);
  const std::map<std::string, std::string> defaults = lines_by_key(config_text({}));
  RunConfig copy = config;
  const std::map<std::string, std::string> expected = lines_by_key(config_text(config));
  for (const Setting& setting : settings(copy)) {
    const auto line = lines.extract(setting.name);
    const std::string is = line.empty() ? line_of(defaults, setting.name) : line.mapped();
    const std::string should = line_of(expected, setting.name);
    if (is != should) return Difference{is, should};
  }
  if (lines.empty()) return std::nullopt;
  return Difference{lines.begin()->second, "no such setting"};
}

Json read_meta(const fs::path& path) {
  return file_exists(path) ? Json::parse(read_file(path, largest_text), nullptr, false) : Json();
}

}  // namespace

FolderLock RunFolder::lock() const {
  std::optional<FolderLock> lock = FolderLock::exclusive(path_);
  if (!lock) refuse_use();
  if (!lock->missing().empty()) {
    print_message("'{}' cannot be locked ({}): see to it that no other process writes there",
                  path_.string(), lock->missing());
  }
  return std::move(*lock);
}

FolderLock RunFolder::share() const {
  std::optional<FolderLock> lock = FolderLock::shared(path_);
  if (!lock) refuse_use();
  return std::move(*lock);
}

void RunFolder::refuse_use() const {
  std::string holder = "another process";
  if (const std::optional<long> process = lock_holder(path_)) {
    holder = fmt::format("process {} on {}", *process, host_name());
  } else if (const Json meta = read_meta(this->meta());
             meta.is_object() && meta.contains("pid") && meta.contains("host")) {
    holder = fmt::format("process {} on {}", meta["pid"].dump(), meta["host"].dump());
  }
  fail(Exit::failed, "'{}' is in use by {}: wait until it ends, or choose another folder",
       path_.string(), holder);
}

RunFolder::State RunFolder::state() const {
  if (file_exists(done())) return State::finished;
  if (!file_exists(config())) return State::absent;
  return file_exists(last()) || file_exists(best()) ? State::interrupted : State::begun;
}

void RunFolder::require_own() const {
  if (::access(path_.c_str(), W_OK | X_OK) != 0) fail_system("write into", path_, errno);
  if (written_by_run(config())) return;
  for (const fs::path& file : own_files(path_)) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(file, ignored)) || written_by_run(file)) continue;
    fail(Exit::failed, "'{}' was not written by rlt and would be overwritten: choose another --out",
         file.string());
  }
}

std::string RunFolder::config_content() const {
  if (!file_exists(config())) {
    fail(Exit::failed, "'{}' is missing: without it nobody knows the settings of the run",
         config().string());
  }
  std::string text = read_file(config(), largest_text);
  RunConfig any;
  const std::string last_key = settings(any).back().name;
  if (!text.ends_with('\n') || text.find("\n" + last_key + " = ") == std::string::npos) {
    fail(Exit::failed, "'{}' is cut: it does not end with '{} = ...'; --force starts over",
         config().string(), last_key);
  }
  return text;
}

void RunFolder::require_same(const RunConfig& config) const {
  const std::optional<Difference> difference = first_difference(config_content(), config);
  if (!difference) return;
  fail(Exit::usage,
       "{} holds a run with other settings ({}; asked: {}); choose another --out, or --force to "
       "start over",
       path_.string(), difference->found, difference->expected);
}

void RunFolder::require_own(const fs::path& checkpoint) const {
  const std::string content = config_content();
  if (!file_exists(checkpoint)) {
    fail(Exit::failed, "'{}' is missing: it was removed, or the run has not come so far",
         checkpoint.string());
  }
  const std::optional<Difference> difference =
      first_difference(content, checkpoint_config(checkpoint));
  if (!difference) return;
  fail(Exit::failed, "'{}' belongs to another run: it says {}, but '{}' says {}",
       checkpoint.string(), difference->expected, config().string(), difference->found);
}

void RunFolder::begin(const RunConfig& config) const {
  make_folder(path_);
  remove_together(files_of_run(path_));
  write_file(this->config(), config_text(config));
}

void RunFolder::go_on() const { remove_together(files_left_aside(path_)); }

void RunFolder::write_meta(const RunConfig& config, const std::string& command_line,
                           const std::string& start, std::optional<Exit> exit) const {
  Json meta = {
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
      {"level", level()},
      {"processor", processor_name()},
      {"blas", "OpenBLAS " + blas_kernels()},
      {"threads", thread_count()},
      {"host", host_name()},
      {"pid", ::getpid()},
      {"start", start},
      {"stop", exit ? utc_time() : ""},
  };
  meta["exit"] = exit ? Json(static_cast<int>(*exit)) : Json();
  write_file(this->meta(), meta.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

bool RunFolder::has_meta() const { return read_meta(meta()).is_object(); }

void RunFolder::finish() const { write_file(done(), utc_time() + "\n"); }

RunConfig checkpoint_config(const fs::path& checkpoint) {
  try {
    return from_facts(without_data_identity(checkpoint_facts(checkpoint)));
  } catch (const Error& error) {
    const std::string path = checkpoint.string();
    const std::string message = error.what();
    const bool named = message.find(path) != std::string::npos;
    fail(Exit::failed, "{}{}", named ? "" : "'" + path + "': ", message);
  }
}

std::optional<FolderLock> share_run_of(const fs::path& file) {
  fs::path place = file;
  std::error_code code;
  constexpr int most_links = 40;
  for (int i = 0; i < most_links && fs::is_symlink(place, code); ++i) {
    place = place.parent_path() / fs::read_symlink(place, code);
  }
  const RunFolder folder(place.has_parent_path() ? place.parent_path() : ".");
  if (!file_exists(folder.config())) return std::nullopt;
  return folder.share();
}

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
  return toml_text(config_comment, entries);
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
