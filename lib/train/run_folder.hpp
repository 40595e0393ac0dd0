// The folder of one run: config.toml, meta.json, train.csv, eval.csv, last.safetensors, best.safetensors,
// DONE.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "io/folder_lock.hpp"
#include "train/checkpoint.hpp"
#include "train/run_config.hpp"

namespace rlt {

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  /// For the one process that trains here; the folder is made. For those who only append to a CSV in it.
  /// Error(failed), naming who holds the folder, when it is in use.
  FolderLock lock() const;
  FolderLock share() const;

  /// begun: nothing of it is worth keeping, as no checkpoint was written yet.
  enum class State { absent, begun, interrupted, finished };
  State state() const;

  /// Error(failed) when a file that a run would write is there and no run wrote it, or nothing can be written.
  void require_own() const;
  /// Error(failed) when config.toml is missing or cut, Error(usage), naming the first difference, when the run
  /// there has other settings.
  void require_same(const RunConfig& config) const;
  /// Error(failed), naming the first difference, when a checkpoint that lies here is missing or belongs to a run
  /// with other settings.
  void require_own(const std::filesystem::path& checkpoint) const;

  /// Removes what runs left here and writes config.toml. Error(failed) when that is impossible.
  void begin(const RunConfig& config) const;
  /// Removes what a process that was killed had begun to write.
  void go_on() const;
  /// Writes meta.json: what runs or ran where, since when; no `exit` while it goes on.
  void write_meta(const RunConfig& config, const std::string& command_line,
                  const std::string& start, std::optional<Exit> exit) const;
  /// meta.json is there and whole.
  bool has_meta() const;
  void finish() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path meta() const { return path_ / "meta.json"; }
  std::filesystem::path train_csv() const { return path_ / "train.csv"; }
  std::filesystem::path eval_csv() const { return path_ / "eval.csv"; }
  /// What `rlt eval --horizon` found.
  std::filesystem::path horizon_csv() const { return path_ / "horizon.csv"; }
  std::filesystem::path last() const { return path_ / "last.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }
  std::filesystem::path done() const { return path_ / "DONE"; }

 private:
  [[noreturn]] void refuse_use() const;
  std::string config_content() const;

  std::filesystem::path path_;
};

/// The settings that a checkpoint was trained with. Error(failed) when it does not say them.
RunConfig checkpoint_config(const std::filesystem::path& checkpoint);

/// When the file lies, or would lie, in the folder of a run, if only through a link: the right to append to it
/// (RunFolder::share).
std::optional<FolderLock> share_run_of(const std::filesystem::path& file);

/// The text of config.toml: the resolved settings, ready for `--config`.
std::string config_text(const RunConfig& config);

/// Now, in UTC: 2026-01-31T12:34:56Z.
std::string utc_time();

}  // namespace rlt
