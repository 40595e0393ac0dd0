// The flags of a command that stand for the table of RunConfig, and where else their values may come from.
// Precedence: default < --config FILE < environment RLT_NAME < flag.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flags.hpp"
#include "train/settings.hpp"

namespace rlt {

class SettingFlags {
 public:
  /// Adds a flag for each setting of `names` (all when empty), and --config, to `flags`. Those of `swept` take a list,
  /// as words or as parse_list reads numbers; `config` has the first of it.
  SettingFlags(const Flags& flags, RunConfig& config, const std::vector<std::string>& names = {},
               const std::vector<std::string>& swept = {});
  SettingFlags(const SettingFlags&) = delete;  // --config fills its name in place
  SettingFlags& operator=(const SettingFlags&) = delete;

  /// Fills what no flag set from the environment or else from the file, or with the published settings of the
  /// learner and the cell. Returns the names of what the user
  /// chose; what a file says by default was not chosen. Call after parsing.
  GivenFlags complete() const;

  /// `config`, once for every combination of what the swept flags list; the last one changes first.
  std::vector<RunConfig> combinations() const;

 private:
  struct Sweep {
    std::string name;
    std::vector<std::string> values;  // empty: not given
  };
  struct Entry {
    Setting setting;
    Flag flag;
    std::string standard;  // the default, as text
  };
  std::map<std::string, std::string> read_file() const;

  const RunConfig& config_;
  std::vector<std::string> known_;  // to every command
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<Sweep>> sweeps_;  // the flags fill them in place
  std::string file_;
};

}  // namespace rlt
