#include "setting_flags.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "commands.hpp"
#include "io/text.hpp"
#include "io/toml.hpp"

namespace rlt {
namespace {

std::string variable_of(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return "RLT_" + name;
}

Flag declare(const Flags& flags, const Setting& setting) {
  if (auto* const list = std::get_if<std::vector<std::string>*>(&setting.value)) {
    return flags.list(setting.name, **list, setting.help);
  }
  return flags
      .value(
          setting.name, "", with_values(setting.help, values_text(setting)),
          [setting](const std::string& text) { set_from_text(setting, "--" + setting.name, text); })
      .shows(to_text(setting));
}

std::vector<std::string> listed(const Setting& setting, const std::string& text) {
  std::vector<std::string> values;
  if (std::holds_alternative<Index*>(setting.value)) {
    for (const Index value : parse_list(setting.name, text, static_cast<Index>(setting.low),
                                        static_cast<Index>(setting.high))) {
      values.push_back(fmt::format("{}", value));
    }
    return values;
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    values.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return values;
}

}  // namespace

SettingFlags::SettingFlags(const Flags& flags, RunConfig& config,
                           const std::vector<std::string>& names,
                           const std::vector<std::string>& swept)
    : config_(config) {
  for (const Setting& setting : settings(config)) {
    known_.push_back(setting.name);
    if (!names.empty() && std::ranges::find(names, setting.name) == names.end()) continue;
    if (std::ranges::find(swept, setting.name) == swept.end()) {
      entries_.push_back({setting, declare(flags, setting).group(setting.group), to_text(setting)});
      continue;
    }
    Sweep& sweep = *sweeps_.emplace_back(std::make_unique<Sweep>(Sweep{setting.name, {}}));
    const Flag flag =
        flags
            .value(setting.name, "LIST", with_values(setting.help, values_text(setting)),
                   [setting, &sweep](const std::string& text) {
                     sweep.values = listed(setting, text);
                     for (const std::string& value : sweep.values) {
                       set_from_text(setting, "--" + setting.name, value);
                     }
                     set_from_text(setting, "--" + setting.name, sweep.values.front());
                   })
            .shows(to_text(setting))
            .group(setting.group);
    entries_.push_back({setting, flag, to_text(setting)});
  }
  flags
      .text("config", file_, "FILE",
            "TOML file of settings, such as the config.toml of a run; what this command does not "
            "know of a run is passed over")
      .group("Run");
}

GivenFlags SettingFlags::complete() const {
  const std::map<std::string, std::string> from_file = read_file();
  GivenFlags given;
  std::vector<std::string> left;
  for (const auto& [setting, flag, standard] : entries_) {
    const std::string variable = variable_of(setting.name);
    bool is_given = true;
    if (!flag.given()) {
      if (const char* const text = std::getenv(variable.c_str())) {
        set_from_text(setting, variable, text);
      } else if (const auto entry = from_file.find(setting.name); entry != from_file.end()) {
        set_from_text(setting, fmt::format("{}: {}", file_, setting.name), entry->second);
        is_given = to_text(setting) != standard;
      } else {
        is_given = false;
        left.push_back(setting.name);
      }
    }
    if (is_given) given.push_back(setting.name);
  }
  const std::map<std::string, std::string> defaults = learner_defaults(config_);
  for (const Entry& entry : entries_) {
    const auto found = defaults.find(entry.setting.name);
    if (found == defaults.end() || std::ranges::count(left, found->first) == 0) continue;
    set_from_text(entry.setting, found->first, found->second);
  }
  for (const auto& [key, value] : from_file) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    fail(Exit::usage, "{}: unknown key '{}'{}", file_, key, suggestion(key, known_));
  }
  return given;
}

std::vector<RunConfig> SettingFlags::combinations() const {
  std::vector<RunConfig> configs = {config_};
  for (const std::unique_ptr<Sweep>& sweep : sweeps_) {
    if (sweep->values.empty()) continue;
    std::vector<RunConfig> more;
    for (const RunConfig& config : configs) {
      for (const std::string& value : sweep->values) {
        RunConfig& one = more.emplace_back(config);
        for (const Setting& setting : settings(one)) {
          if (setting.name == sweep->name) set_from_text(setting, "--" + sweep->name, value);
        }
      }
    }
    configs = std::move(more);
  }
  return configs;
}

std::map<std::string, std::string> SettingFlags::read_file() const {
  if (file_.empty()) return {};
  std::string text;
  try {
    text = read_text(file_, largest_text);
  } catch (const Error& error) {
    fail(Exit::usage, "--config: {}", error.what());
  }
  return read_toml(text, "--config " + file_);
}

}  // namespace rlt
