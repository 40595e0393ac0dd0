// One table of everything that decides the result of a training run: the command line, the environment, config.toml and
// the facts inside a checkpoint all read and write the same names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "train/run_config.hpp"

namespace rlt {

/// One entry of the table: all that is known of a setting, for help, parsing and checks alike.
struct Setting {
  std::string name;  // as on the command line, without dashes
  std::string help;
  std::variant<std::string*, Index*, std::optional<Index>*, double*, std::uint64_t*,
               std::vector<std::string>*>
      value;
  std::string group;
  std::vector<std::string> choices = {};  // of a word; empty: any text
  double low = 0;                         // of a number, both included; seeds are any of 64 bits
  double high = 0;
};

/// The table over `config`, in the order of the help text and of config.toml.
std::vector<Setting> settings(RunConfig& config);
/// Whether it has a value: all but an optional one that nobody chose. Such a one is written nowhere.
bool has_value(const Setting& setting);
/// The value as text; lists joined by commas.
std::string to_text(const Setting& setting);
/// What a value may be, "from 1 to 1000" or "adam, adamw, sgd"; empty: any text.
std::string values_text(const Setting& setting);
/// Error(usage), one line, when the text is no value of that setting; `source` says where it comes from:
/// "--batch", "RLT_BATCH".
void set_from_text(const Setting& setting, std::string_view source, const std::string& text);

/// All settings as text, for checkpoints; and back: a setting that is missing, because the checkpoint is
/// older, has its default. Error(failed) for a name that is no setting or a value that is none.
std::map<std::string, std::string> to_facts(RunConfig config);
RunConfig from_facts(const std::map<std::string, std::string>& facts);

}  // namespace rlt
