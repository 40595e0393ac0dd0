// The folder of one run: config.toml, meta.json, train.csv, eval.csv, last.safetensors, best.safetensors,
// DONE.
#pragma once

#include <filesystem>
#include <string>

#include "train/run_config.hpp"

namespace rlt {

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  enum class State { absent, interrupted, finished };
  State state() const;

  /// Makes the folder and writes config.toml. Error(failed) when it cannot be written.
  void begin(const RunConfig& config) const;
  /// Removes everything that a run writes, nothing else.
  void clear() const;
  /// Error(failed), naming the first difference, when the run there has other settings.
  void require_same(const RunConfig& config) const;
  /// Writes meta.json: what ran where; `exit` is empty while the run goes on.
  void write_meta(const RunConfig& config, const std::string& command_line,
                  const std::string& start, const std::string& stop, const std::string& exit) const;
  void finish() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path meta() const { return path_ / "meta.json"; }
  std::filesystem::path train_csv() const { return path_ / "train.csv"; }
  std::filesystem::path eval_csv() const { return path_ / "eval.csv"; }
  std::filesystem::path last() const { return path_ / "last.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }
  std::filesystem::path done() const { return path_ / "DONE"; }

 private:
  std::filesystem::path path_;
};

/// The text of config.toml: the resolved settings, ready for `--config`.
std::string config_text(const RunConfig& config);

/// Now, in UTC: 2026-01-31T12:34:56Z.
std::string utc_time();

}  // namespace rlt
