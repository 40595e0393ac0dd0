// The command line as the commands see it: each declares its flags, and what it does once they are parsed.
// flags.cpp alone knows CLI11, whose header takes long to compile.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/number.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace rlt {

/// What the user chose, by name: a flag on the command line, or a setting wherever it came from. Also when it
/// is what the default would be, but not what a file says by default.
using GivenFlags = std::vector<std::string>;

/// "HELP (VALUES)"; the help alone when there is nothing to say of the values.
std::string with_values(const std::string& help, const std::string& values);

/// One declared flag.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}

  /// Under which heading the help text lists it.
  Flag group(const std::string& name) const;
  /// The default that the help text shows.
  Flag shows(const std::string& value) const;
  /// It cannot be given together with `other` ("--bin").
  Flag excludes(const std::string& other) const;
  bool given() const;

 private:
  CLI::Option* option_;
};

/// The flags of one command. What they fill must outlive the parsing. Names are without dashes.
class Flags {
 public:
  Flags(CLI::App* command, std::string line) : command_(command), line_(std::move(line)) {}

  /// A flag with a value, which `take` gets; of several the last.
  Flag value(const std::string& name, const std::string& type, const std::string& help,
             const std::function<void(const std::string&)>& take) const;
  /// Any text but the empty one.
  Flag text(const std::string& name, std::string& value, const std::string& type,
            const std::string& help) const;
  /// NAME=VALUE, as often as it is given, or joined by commas.
  Flag list(const std::string& name, std::vector<std::string>& values,
            const std::string& help) const;
  Flag toggle(const std::string& name, bool& value, const std::string& help) const;
  /// A word without dashes.
  void argument(const std::string& name, std::string& value, const std::string& type,
                const std::string& help) const;
  void required_argument(const std::string& name, std::string& value, const std::string& type,
                         const std::string& help) const;
  /// Below the help text.
  void footer(const std::string& text) const;

  template <typename Number>
  Flag number(const std::string& name, Number& value, Number low, Number high,
              const std::string& help) const {
    return this
        ->value(name, "", with_values(help, fmt::format("from {} to {}", low, high)),
                [&value, low, high, source = "--" + name](const std::string& text) {
                  value = number_from<Number>(source, text, low, high);
                })
        .shows(fmt::format("{}", value));
  }

  /// Those on the command line; after parsing.
  GivenFlags given() const;
  /// All words, for the record.
  const std::string& line() const { return line_; }

 private:
  CLI::App* command_;
  std::string line_;
};

/// What the program does once its flags are parsed.
using Action = std::function<Exit()>;

/// A command of the program: rlt NAME. `declare` adds its flags.
struct Command {
  const char* name;
  const char* help;
  Action (*declare)(const Flags& flags);
};

/// The command line of the whole program.
class CommandLine {
 public:
  CommandLine(int argc, char** argv, const std::string& help, const std::string& version);
  ~CommandLine();

  /// `common` declares the flags that every command has.
  void add(const Command& command, const std::function<void(const Flags&)>& common);
  /// What the words ask for. A help text or the version is printed here, and nothing is left to do.
  /// Error(usage), one line, for what is mistyped or lacks its value.
  Action parse();

 private:
  std::vector<std::string> words_;
  std::string line_ = "rlt";
  std::unique_ptr<CLI::App> app_;
  Action chosen_;
};

}  // namespace rlt
