// rlt: the command line. The only file that knows CLI11.
// Precedence of a setting: default < --config FILE < environment RLT_NAME < flag.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <new>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/cpu.hpp"
#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/nearest.hpp"
#include "base/number.hpp"
#include "base/parallel.hpp"
#include "base/utf8.hpp"
#include "base/version.hpp"
#include "commands.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "io/text.hpp"
#include "train/run_folder.hpp"

namespace {

using rlt::Exit;
using rlt::fail;
using rlt::Index;
using rlt::RunConfig;
using rlt::Setting;

/// A flag with a value, which `take` gets; of several the last.
CLI::Option* value_flag(CLI::App* command, const std::string& name, const std::string& help,
                        const std::function<void(const std::string&)>& take) {
  return command->add_option_function<std::string>("--" + name, take, help)
      ->type_name("")
      ->take_last();
}

std::string with_values(const std::string& help, const std::string& values) {
  return values.empty() ? help : fmt::format("{} ({})", help, values);
}

template <typename Number>
CLI::Option* number_flag(CLI::App* command, const std::string& name, Number& value, Number low,
                         Number high, const std::string& help) {
  return value_flag(command, name, with_values(help, fmt::format("from {} to {}", low, high)),
                    [&value, low, high, source = "--" + name](const std::string& text) {
                      value = rlt::number_from<Number>(source, text, low, high);
                    })
      ->default_str(fmt::format("{}", value));
}

CLI::Option* text_flag(CLI::App* command, const std::string& name, std::string& value,
                       const std::string& type, const std::string& help) {
  return value_flag(command, name, help,
                    [&value, name](const std::string& text) {
                      if (text.empty()) fail(Exit::usage, "--{} '': needs a value", name);
                      value = text;
                    })
      ->type_name(type);
}

/// The flags of a command that stand for the table of RunConfig, and where else their values may come from.
class Settings {
 public:
  /// Adds a flag for each setting of `names` (all when empty) to `command`.
  Settings(CLI::App* command, RunConfig& config, const std::vector<std::string>& names = {})
      : settings_(rlt::settings(config)) {
    for (const Setting& setting : settings_) known_.push_back(setting.name);
    std::erase_if(settings_, [&](const Setting& setting) {
      return !names.empty() && std::ranges::find(names, setting.name) == names.end();
    });
    for (const Setting& setting : settings_) {
      CLI::Option* option = nullptr;
      if (auto* const list = std::get_if<std::vector<std::string>*>(&setting.value)) {
        option = command->add_option("--" + setting.name, **list, setting.help)->delimiter(',');
        option->type_name("NAME=VALUE")->take_all();
      } else {
        option =
            value_flag(command, setting.name, with_values(setting.help, rlt::values_text(setting)),
                       [setting](const std::string& text) {
                         rlt::set_from_text(setting, "--" + setting.name, text);
                       })
                ->default_str(rlt::to_text(setting));
      }
      options_.push_back(option->group(setting.group));
      defaults_.push_back(rlt::to_text(setting));
    }
    text_flag(command, "config", file_, "FILE",
              "TOML file of settings, such as the config.toml of a run; what this command does not "
              "know of a run is passed over")
        ->group("Run");
  }

  /// Fills what no flag set from the environment or else from the file. Returns the names of what the user
  /// chose; what a file says by default was not chosen. Call after parsing.
  rlt::GivenFlags complete() {
    const std::map<std::string, std::string> from_file = read_file();
    rlt::GivenFlags given;
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      const Setting& setting = settings_[i];
      const std::string variable = variable_of(setting.name);
      bool is_given = true;
      if (options_[i]->count() == 0) {
        if (const char* const text = std::getenv(variable.c_str())) {
          rlt::set_from_text(setting, variable, text);
        } else if (const auto entry = from_file.find(setting.name); entry != from_file.end()) {
          rlt::set_from_text(setting, fmt::format("{}: {}", file_, setting.name), entry->second);
          is_given = rlt::to_text(setting) != defaults_[i];
        } else {
          is_given = false;
        }
      }
      if (is_given) given.push_back(setting.name);
    }
    for (const auto& [key, value] : from_file) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      fail(Exit::usage, "{}: unknown key '{}'{}", file_, key, rlt::suggestion(key, known_));
    }
    return given;
  }

 private:
  static std::string variable_of(std::string name) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) {
      return c == '-' ? '_' : static_cast<char>(std::toupper(c));
    });
    return "RLT_" + name;
  }

  std::map<std::string, std::string> read_file() const {
    std::map<std::string, std::string> values;
    if (file_.empty()) return values;
    try {
      std::istringstream stream(rlt::read_text(file_, rlt::largest_text));
      for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(stream)) {
        std::string joined;
        for (const std::string& input : item.inputs) joined += (joined.empty() ? "" : ",") + input;
        values[item.fullname()] = rlt::bytes_from_utf8(joined);
      }
    } catch (const rlt::Error& error) {
      fail(Exit::usage, "--config: {}", error.what());
    } catch (const CLI::Error& error) {
      fail(Exit::usage, "--config {}: {}", file_, error.what());
    }
    return values;
  }

  std::vector<std::string> known_;  // to every command
  std::vector<Setting> settings_;
  std::vector<CLI::Option*> options_;
  std::vector<std::string> defaults_;
  std::string file_;
};

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
std::vector<std::string> checked_words(const CLI::App& app, int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0].starts_with("-")) return words;
  const std::string& name = words[0];
  const std::vector<std::string> commands = command_names(app);
  if (std::ranges::find(commands, name) == commands.end()) {
    fail(Exit::usage, "'{}': no such command{}", name, rlt::suggestion(name, commands));
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_subcommand(name)->get_options()) {
    for (const std::string& flag : option->get_lnames()) known.push_back("--" + flag);
  }
  std::vector<std::string> checked = {name};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      checked.insert(checked.end(), words.begin() + static_cast<rlt::Index>(i), words.end());
      break;
    }
    if (!word.starts_with("--")) {
      checked.push_back(word);
      continue;
    }
    const std::string flag = word.substr(0, word.find('='));
    if (std::ranges::find(known, flag) == known.end()) {
      const std::string near = rlt::nearest(flag, known);
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
rlt::GivenFlags given_flags(const CLI::App* command) {
  rlt::GivenFlags given;
  for (const CLI::Option* option : command->get_options()) {
    if (option->count() == 0) continue;
    given.insert(given.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  return given;
}

std::string joined(int argc, char** argv) {
  std::string line = "rlt";
  for (int i = 1; i < argc; ++i) line += std::string(" ") + argv[i];
  return line;
}

Exit run(int argc, char** argv) {
  CLI::App app(
      "rlt trains recurrent and linear-attention sequence cells on formal languages and diagnostic "
      "tasks,\n"
      "tests how they generalise to lengths they never saw, and writes tidy CSV.\n\n"
      "  rlt train --task parity --cell rdn          train, select, evaluate; writes a run folder\n"
      "  rlt eval runs/... --lengths 50-500:50       accuracy at each length\n"
      "  rlt cells rdn                               what a cell computes, and its options\n\n"
      "Numbers are decimal. Of a flag that is given twice the last one counts.",
      "rlt");
  app.set_version_flag(
      "--version", fmt::format("rlt {} ({}, {})", rlt::version(), rlt::commit(), rlt::compiler()));
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  std::function<Exit()> chosen;
  constexpr Index most_threads = 1024;
  Index threads = 0;
  const auto command = [&](const char* name, const char* help) {
    CLI::App* const made = app.add_subcommand(name, help);
    number_flag<Index>(made, "threads", threads, 1, most_threads,
                       "threads; the result does not depend on it")
        ->default_str("")
        ->group("Run");
    return made;
  };

  rlt::TrainCommand train;
  CLI::App* const train_command = command("train", "train a cell on a task");
  Settings train_settings(train_command, train.config);
  bool print_config = false;
  train_command->footer(
      "Example: rlt train --task reset_dyck1 --cell deltanet --protocol paper --seed 3 --out "
      "runs/a\n"
      "Exit codes: 0 done, 1 failed, 2 usage, 3 diverged, 4 below --require, 75 stopped and "
      "resumable,\n"
      "130 interrupted and resumable.");
  text_flag(train_command, "out", train.out, "FOLDER", "run folder [runs/TASK_RULE/CELL/seed-N]")
      ->group("Run");
  train_command->add_flag("--resume", train.resume, "go on with an interrupted run")->group("Run");
  train_command->add_flag("--force", train.force, "start over, replacing the run in --out")
      ->excludes("--resume")
      ->group("Run");
  value_flag(
      train_command, "time-limit", "stop with a checkpoint after 90s, 15m, 3h50m",
      [&](const std::string& text) { train.time_limit = rlt::parse_duration("time-limit", text); })
      ->type_name("TIME")
      ->group("Run");
  number_flag<double>(train_command, "require", train.require, 0, 1,
                      "exit 4 when validation accuracy ends below this")
      ->group("Run");
  train_command->add_flag("--quiet", train.quiet, "no progress")->group("Run");
  train_command->add_flag("--print-config", print_config, "print the resolved settings and stop")
      ->group("Run");
  train_command->callback([&] {
    chosen = [&] {
      train.given = train_settings.complete();
      train.command_line = joined(argc, argv);
      if (print_config) {
        rlt::refuse_inapplicable(train.given, train.config);
        rlt::complete(train.config);
        rlt::note_idle(train.given, train.config);
        fmt::print("{}", rlt::config_text(train.config));
        return Exit::done;
      }
      return rlt::run_train(train);
    };
  });

  rlt::EvalCommand eval;
  CLI::App* const eval_command = command("eval", "measure a trained run on bins or exact lengths");
  eval_command->add_option("run", eval.run, "run folder or checkpoint")
      ->required()
      ->type_name("RUN");
  text_flag(eval_command, "bins", eval.bins, "LIST", "bins, such as 0,1,2 [0,1,2]");
  text_flag(eval_command, "lengths", eval.lengths, "LIST", "exact lengths, such as 50,100-500:50");
  number_flag<Index>(eval_command, "sequences", eval.sequences, 1, rlt::most_sequences,
                     "distinct sequences of each set");
  text_flag(eval_command, "select", eval.select, "",
            "checkpoint of a run folder: best or last [best]");
  number_flag<std::uint64_t>(eval_command, "eval-seed", eval.eval_seed, 0, UINT64_MAX,
                             "seed of the evaluation sets");
  number_flag<Index>(eval_command, "batch", eval.batch, 1, rlt::largest_batch,
                     "sequences read at once");
  number_flag<Index>(eval_command, "piece", eval.piece, 1, rlt::max_length,
                     "tokens read at once, state carried between");
  text_flag(eval_command, "csv", eval.csv, "FILE", "file to append to; - for stdout [-]");
  text_flag(eval_command, "data", eval.data, "PATH", "where the run's own data lie now");
  eval_command->callback([&] {
    chosen = [&] {
      eval.given = given_flags(eval_command);
      return rlt::run_eval(eval);
    };
  });

  rlt::GradcheckCommand gradcheck;
  CLI::App* const gradcheck_command =
      command("gradcheck", "compare hand-written gradients with central differences in double");
  text_flag(gradcheck_command, "cell", gradcheck.cell, "CELL", "one cell");
  gradcheck_command->add_flag("--all", gradcheck.all, "every cell");
  number_flag<double>(gradcheck_command, "tolerance", gradcheck.tolerance, 0, 1,
                      "largest relative error");
  number_flag<Index>(gradcheck_command, "entries", gradcheck.entries, 1, 1'000'000'000,
                     "entries checked of a parameter");
  text_flag(gradcheck_command, "spoil", gradcheck.spoil, "PARAMETER",
            "falsify the gradient of this parameter, to see the check fail");
  text_flag(gradcheck_command, "export", gradcheck.export_file, "FILE",
            "write a small model, a batch, its logits and gradients as safetensors instead")
      ->excludes("--tolerance")
      ->excludes("--entries")
      ->excludes("--spoil");
  gradcheck_command->callback([&] { chosen = [&] { return rlt::run_gradcheck(gradcheck); }; });

  rlt::BenchCommand bench;
  CLI::App* const bench_command =
      command("bench", "time a training step beside its dense products alone");
  Settings bench_settings(bench_command, bench.config,
                          {"cell", "d-model", "layers", "heads", "ff", "dropout", "positions",
                           "cell-option", "batch", "optimizer", "lr", "beta1", "beta2", "epsilon",
                           "weight-decay", "momentum", "seed", "precision"});
  number_flag<Index>(bench_command, "length", bench.length, 1, rlt::max_length,
                     "tokens of each sequence");
  number_flag<Index>(bench_command, "repeats", bench.repeats, 1, 1'000'000,
                     "measured steps; medians are printed");
  text_flag(bench_command, "csv", bench.csv, "FILE",
            "CSV file to append to, instead of a table on stdout; - for stdout");
  bench_command->callback([&] {
    chosen = [&] {
      bench.given = bench_settings.complete();
      return rlt::run_bench(bench);
    };
  });

  std::string cell;
  CLI::App* const cells_command = command("cells", "list the cells, or describe one");
  cells_command->add_option("name", cell, "cell")->type_name("NAME");
  cells_command->callback([&] { chosen = [&] { return rlt::run_cells(cell); }; });

  std::string task;
  std::string rule;
  CLI::App* const tasks_command = command("tasks", "list the tasks, or describe one");
  tasks_command->add_option("name", task, "task")->type_name("NAME");
  text_flag(tasks_command, "rule", rule, "", "paper or honest [paper]");
  tasks_command->callback([&] { chosen = [&] { return rlt::run_tasks(task, rule); }; });

  rlt::DataCommand data;
  CLI::App* const data_command = command("data", "print samples with labels, or write whole sets");
  Settings data_settings(data_command, data.config,
                         {"task", "rule", "data", "task-option", "window", "train-size",
                          "eval-sequences", "eval-seed", "seed"});
  number_flag<Index>(data_command, "bin", data.bin, 0, rlt::max_length, "bin to print from");
  text_flag(data_command, "lengths", data.lengths, "LIST", "exact lengths instead of a bin")
      ->excludes("--bin");
  number_flag<Index>(data_command, "sequences", data.sequences, 1, rlt::most_sequences,
                     "strings to print");
  text_flag(data_command, "write", data.write, "FOLDER",
            "write train, valid, test in the paper's text form; replaces no file")
      ->excludes("--bin")
      ->excludes("--lengths")
      ->excludes("--sequences");
  data_command->callback([&] {
    chosen = [&] {
      data.given = data_settings.complete();
      for (const std::string& flag : given_flags(data_command)) data.given.push_back(flag);
      return rlt::run_data(data);
    };
  });

  std::string path;
  CLI::App* const info_command = command("info", "describe a run folder or a checkpoint");
  info_command->add_option("path", path, "run folder or checkpoint")->required()->type_name("RUN");
  info_command->callback([&] { chosen = [&] { return rlt::run_info(path); }; });

  try {
    std::vector<std::string> words = checked_words(app, argc, argv);
    std::ranges::reverse(words);  // as CLI11 wants them
    app.parse(std::move(words));
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream text;
    app.exit(success, text, text);
    fmt::print("{}", text.str());
    return Exit::done;
  } catch (const CLI::ParseError& error) {
    fail(Exit::usage, "{}", error.what());
  }
  if (const char* const text = std::getenv("RLT_THREADS"); text != nullptr && threads == 0) {
    threads = rlt::number_from<Index>("RLT_THREADS", text, 1, most_threads);
  }
  if (threads > 0) rlt::set_thread_count(static_cast<int>(threads));
  return chosen();
}

/// Runs, and sees to it that all that was printed has arrived.
Exit run_and_deliver(int argc, char** argv) {
  try {
    const Exit exit = run(argc, argv);
    rlt::close_stdout();
    return exit;
  } catch (const std::filesystem::filesystem_error& error) {
    fail(Exit::failed, "'{}': {}", error.path1().string(), error.code().message());
  } catch (const std::system_error& error) {  // only fmt::print throws it
    rlt::fail_stdout(error.code().value());
  }
}

}  // namespace

int main(int argc, char** argv) {
  rlt::prepare_standard_streams();
  rlt::limit_spinning(argv);
  rlt::prepare_processor();
  try {
    return static_cast<int>(run_and_deliver(argc, argv));
  } catch (const rlt::Error& error) {
    rlt::print_message("rlt: {}", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    const rlt::MemoryLeft left = rlt::memory_left();
    rlt::print_message(
        "rlt: out of memory: {} are left {}, and this needed more; make --batch, --d-model, "
        "--layers, --window, --lengths, --piece or --length smaller",
        rlt::bytes_text(left.bytes), left.where);
    return static_cast<int>(Exit::failed);
  } catch (const std::exception& error) {
    rlt::print_message("rlt: internal error: {}", error.what());
    return static_cast<int>(Exit::failed);
  }
}
