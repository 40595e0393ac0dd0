#include "flags.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <utility>

#include "base/index.hpp"
#include "base/nearest.hpp"

namespace rlt {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

/// The flag and its value, from `word` ("--lr" or "--lr=1") and the words behind it.
std::pair<std::string, std::string> flag_and_value(const std::string& word,
                                                   const std::string* next) {
  if (const std::size_t equals = word.find('='); equals != std::string::npos) {
    return {word.substr(0, equals), word.substr(equals + 1)};
  }
  if (next == nullptr) fail(Exit::usage, "{}: needs a value", word);
  if (next->starts_with("--") || *next == "-h") {
    fail(Exit::usage, "{} {}: needs a value; one that begins with dashes is written {}={}", word,
         *next, word, *next);
  }
  return {word, *next};
}

/// The words of the command line, each value apart from its flag. A mistyped command or flag and a flag
/// without its value end here, before CLI11 sees them: with one line, and the nearest name.
std::vector<std::string> checked_words(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty() || words[0].starts_with("-")) return words;
  const std::string& name = words[0];
  const std::vector<std::string> commands = command_names(app);
  if (std::ranges::find(commands, name) == commands.end()) {
    fail(Exit::usage, "'{}': no such command{}", name, suggestion(name, commands));
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_subcommand(name)->get_options()) {
    for (const std::string& flag : option->get_lnames()) known.push_back("--" + flag);
  }
  std::vector<std::string> checked = {name};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      checked.insert(checked.end(), words.begin() + static_cast<Index>(i), words.end());
      break;
    }
    if (!word.starts_with("--")) {
      checked.push_back(word);
      continue;
    }
    const std::string flag = word.substr(0, word.find('='));
    if (std::ranges::find(known, flag) == known.end()) {
      const std::string near = nearest(flag, known);
      fail(Exit::usage, "{}: {} has no such flag{}", flag, name,
           near.empty() ? fmt::format("; see rlt {} --help", name)
                        : fmt::format("; did you mean '{}'?", near));
    }
    if (app.get_subcommand(name)->get_option(flag)->get_items_expected_max() == 0) {
      checked.push_back(word);
      continue;
    }
    const auto& [key, value] = flag_and_value(word, i + 1 < words.size() ? &words[i + 1] : nullptr);
    if (key == word) ++i;
    checked.push_back(key);
    checked.push_back(value);
  }
  return checked;
}

/// The flags on the command line.
}  // namespace

std::string with_values(const std::string& help, const std::string& values) {
  return values.empty() ? help : fmt::format("{} ({})", help, values);
}

Flag Flag::group(const std::string& name) const { return Flag(option_->group(name)); }
Flag Flag::shows(const std::string& value) const { return Flag(option_->default_str(value)); }
Flag Flag::excludes(const std::string& other) const { return Flag(option_->excludes(other)); }
bool Flag::given() const { return option_->count() > 0; }

Flag Flags::value(const std::string& name, const std::string& type, const std::string& help,
                  const std::function<void(const std::string&)>& take) const {
  return Flag(command_->add_option_function<std::string>("--" + name, take, help)
                  ->type_name(type)
                  ->take_last());
}

Flag Flags::text(const std::string& name, std::string& value, const std::string& type,
                 const std::string& help) const {
  return this->value(name, type, help, [&value, name](const std::string& text) {
    if (text.empty()) fail(Exit::usage, "--{} '': needs a value", name);
    value = text;
  });
}

Flag Flags::list(const std::string& name, std::vector<std::string>& values,
                 const std::string& help) const {
  return Flag(command_->add_option("--" + name, values, help)
                  ->delimiter(',')
                  ->type_name("NAME=VALUE")
                  ->take_all());
}

Flag Flags::toggle(const std::string& name, bool& value, const std::string& help) const {
  return Flag(command_->add_flag("--" + name, value, help));
}

void Flags::argument(const std::string& name, std::string& value, const std::string& type,
                     const std::string& help) const {
  command_->add_option(name, value, help)->type_name(type);
}

void Flags::required_argument(const std::string& name, std::string& value, const std::string& type,
                              const std::string& help) const {
  command_->add_option(name, value, help)->required()->type_name(type);
}

void Flags::footer(const std::string& text) const { command_->footer(text); }

GivenFlags Flags::given() const {
  GivenFlags given;
  for (const CLI::Option* option : command_->get_options()) {
    if (option->count() == 0) continue;
    given.insert(given.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  return given;
}

CommandLine::CommandLine(int argc, char** argv, const std::string& help, const std::string& version)
    : words_(argv + 1, argv + argc), app_(std::make_unique<CLI::App>(help, "rlt")) {
  for (const std::string& word : words_) line_ += " " + word;
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->get_formatter()->column_width(34);
}

CommandLine::~CommandLine() = default;

void CommandLine::add(const Command& command, const std::function<void(const Flags&)>& common) {
  CLI::App* const made = app_->add_subcommand(command.name, command.help);
  const Flags flags(made, line_);
  common(flags);
  const Action action = command.declare(flags);
  made->callback([this, action] { chosen_ = action; });
}

Action CommandLine::parse() {
  try {
    std::vector<std::string> words = checked_words(*app_, words_);
    std::ranges::reverse(words);  // as CLI11 wants them
    app_->parse(std::move(words));
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream text;
    app_->exit(success, text, text);
    fmt::print("{}", text.str());
    return [] { return Exit::done; };
  } catch (const CLI::ParseError& error) {
    fail(Exit::usage, "{}", error.what());
  }
  return chosen_;
}

}  // namespace rlt
