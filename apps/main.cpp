// rlt: the command line. The only file that knows CLI11.
// Precedence of a setting: default < --config FILE < environment RLT_NAME < flag.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <system_error>

#include "base/cpu.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"
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
using rlt::RunConfig;
using rlt::Setting;

/// The flags of a command that stand for the table of RunConfig, and where else their values may come from.
class Settings {
 public:
  /// Adds a flag to `command` for each setting that it reads, given by name (all when empty).
  Settings(CLI::App* command, RunConfig& config, const std::vector<std::string>& read = {})
      : settings_(rlt::settings(config)) {
    for (const Setting& setting : settings_) known_.push_back(setting.name);
    std::erase_if(settings_, [&](const Setting& setting) {
      return !read.empty() && std::ranges::find(read, setting.name) == read.end();
    });
    for (const Setting& setting : settings_) {
      CLI::Option* option = nullptr;
      if (auto* const list = std::get_if<std::vector<std::string>*>(&setting.value)) {
        option = command->add_option("--" + setting.name, **list, setting.help)->delimiter(',');
        option->type_name("NAME=VALUE")->take_all();
      } else {
        option = command->add_option_function<std::string>(
            "--" + setting.name,
            [setting](const std::string& text) { rlt::set_from_text(setting, text); },
            setting.help);
        option->type_name("")->default_str(rlt::to_text(setting))->take_last();
      }
      options_.push_back(option->group(setting.group));
    }
    command
        ->add_option("--config", file_, "TOML file of settings, such as the config.toml of a run")
        ->type_name("FILE")
        ->group("Run");
  }

  /// Fills what no flag set from the environment or else from the file, whose settings for other commands
  /// are passed over. Call after parsing.
  void complete() {
    std::map<std::string, std::string> from_file = read_file();
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      const Setting& setting = settings_[i];
      const auto in_file = from_file.extract(setting.name);
      if (options_[i]->count() > 0) continue;
      if (const char* const text = std::getenv(variable(setting.name).c_str())) {
        rlt::set_from_text(setting, text);
      } else if (!in_file.empty()) {
        rlt::set_from_text(setting, in_file.mapped());
      }
    }
    for (const auto& [key, value] : from_file) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      fail(Exit::usage, "{}: unknown key '{}'{}", file_, key, rlt::suggestion(key, known_));
    }
  }

 private:
  static std::string variable(std::string name) {
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

  std::vector<std::string> known_;  // of all commands
  std::vector<Setting> settings_;   // of this one
  std::vector<CLI::Option*> options_;
  std::string file_;
};

/// "90", "90s", "15m", "3h50m" in seconds.
double parse_duration(const std::string& text) {
  double total = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t used = 0;
    double number = -1;
    try {
      number = std::stod(text.substr(at), &used);
    } catch (const std::exception&) {
      used = 0;
    }
    at += used;
    const char unit = at < text.size() ? text[at++] : 's';
    const double scale = unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : -1;
    if (used == 0 || number < 0 || scale < 0) {
      fail(Exit::usage, "--time-limit {}: must be a time such as 90s, 15m or 3h50m", text);
    }
    total += number * scale;
  }
  return total;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

/// A mistyped command or flag, before CLI11 sees it: one line with the nearest name.
void check_words(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::string name = argv[1];
  const std::vector<std::string> commands = command_names(app);
  if (std::ranges::find(commands, name) == commands.end()) {
    fail(Exit::usage, "'{}': no such command{}", name, rlt::suggestion(name, commands));
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_subcommand(name)->get_options()) {
    for (const std::string& flag : option->get_lnames()) known.push_back("--" + flag);
  }
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string flag = word.substr(0, word.find('='));
    if (!word.starts_with("--") || flag == "--") continue;
    if (std::ranges::find(known, flag) != known.end()) continue;
    const std::string near = rlt::nearest(flag, known);
    fail(Exit::usage, "{}: {} has no such flag{}", flag, name,
         near.empty() ? fmt::format("; see rlt {} --help", name)
                      : fmt::format("; did you mean '{}'?", near));
  }
}

rlt::GivenFlags given_flags(const CLI::App* command) {
  rlt::GivenFlags given;
  for (const CLI::Option* option : command->get_options()) {
    if (option->count() > 0) given.insert(option->get_lnames().begin(), option->get_lnames().end());
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
      "  rlt cells rdn                               what a cell computes, and its options");
  app.set_version_flag(
      "--version", fmt::format("rlt {} ({}, {})", rlt::version(), rlt::commit(), rlt::compiler()));
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  std::function<Exit()> chosen;
  int threads = 0;
  const auto command = [&](const char* name, const char* help) {
    CLI::App* const made = app.add_subcommand(name, help);
    made->add_option("--threads", threads, "threads; the result does not depend on it")
        ->type_name("")
        ->envname("RLT_THREADS")
        ->check(CLI::Range(1, 1024))
        ->group("Run");
    return made;
  };

  rlt::TrainCommand train;
  CLI::App* const train_command = command("train", "train a cell on a task");
  Settings train_settings(train_command, train.config);
  bool print_config = false;
  std::string time_limit;
  train_command->footer(
      "Example: rlt train --task reset_dyck1 --cell deltanet --protocol paper --seed 3 --out "
      "runs/a\n"
      "Exit codes: 0 done, 1 failed, 2 usage, 3 diverged, 4 below --require, 75 stopped and "
      "resumable,\n"
      "130 interrupted and resumable.");
  train_command->add_option("--out", train.out, "run folder [runs/TASK_RULE/CELL/seed-N]")
      ->type_name("FOLDER")
      ->group("Run");
  train_command->add_flag("--resume", train.resume, "go on with an interrupted run")->group("Run");
  train_command->add_flag("--force", train.force, "start over, replacing the run in --out")
      ->group("Run");
  train_command
      ->add_option("--time-limit", time_limit, "stop with a checkpoint after 90s, 15m, 3h50m")
      ->type_name("TIME")
      ->group("Run");
  train_command
      ->add_option("--require", train.require, "exit 4 when validation accuracy ends below this")
      ->type_name("")
      ->check(CLI::Range(0.0, 1.0))
      ->group("Run");
  train_command->add_flag("--quiet", train.quiet, "no progress")->group("Run");
  train_command->add_flag("--print-config", print_config, "print the resolved settings and stop")
      ->group("Run");
  train_command->callback([&] {
    chosen = [&] {
      train_settings.complete();
      train.time_limit = parse_duration(time_limit);
      train.command_line = joined(argc, argv);
      if (print_config) {
        rlt::complete(train.config);
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
  eval_command->add_option("--bins", eval.bins, "bins, such as 0,1,2 [0,1,2]")->type_name("LIST");
  eval_command->add_option("--lengths", eval.lengths, "exact lengths, such as 50,100-500:50")
      ->type_name("LIST");
  eval_command->add_option("--sequences", eval.sequences, "distinct sequences of each set")
      ->capture_default_str();
  eval_command->add_option("--select", eval.select, "checkpoint: best or last")
      ->capture_default_str();
  eval_command->add_option("--eval-seed", eval.eval_seed, "seed of the evaluation sets")
      ->capture_default_str();
  eval_command->add_option("--batch", eval.batch, "sequences read at once")->capture_default_str();
  eval_command->add_option("--piece", eval.piece, "tokens read at once, state carried between")
      ->capture_default_str();
  eval_command->add_option("--csv", eval.csv, "file to append to; - for stdout [-]")
      ->type_name("FILE");
  eval_command->add_option("--data", eval.data, "where the run's own data lie now")
      ->type_name("PATH");
  eval_command->callback([&] {
    chosen = [&] {
      eval.given = given_flags(eval_command);
      return rlt::run_eval(eval);
    };
  });

  rlt::GradcheckCommand gradcheck;
  CLI::App* const gradcheck_command =
      command("gradcheck", "compare hand-written gradients with central differences in double");
  gradcheck_command->add_option("--cell", gradcheck.cell, "one cell")->type_name("CELL");
  gradcheck_command->add_flag("--all", gradcheck.all, "every cell");
  CLI::Option* const export_option =
      gradcheck_command
          ->add_option(
              "--export", gradcheck.export_file,
              "write a small model, a batch, its logits and gradients as safetensors instead")
          ->type_name("FILE");
  gradcheck_command->add_option("--tolerance", gradcheck.tolerance, "largest relative error")
      ->capture_default_str()
      ->excludes(export_option);
  gradcheck_command->add_option("--entries", gradcheck.entries, "entries checked of a parameter")
      ->capture_default_str()
      ->excludes(export_option);
  gradcheck_command
      ->add_option("--spoil", gradcheck.spoil,
                   "falsify the gradient of this parameter, to see the check fail")
      ->type_name("PARAMETER")
      ->excludes(export_option);
  gradcheck_command->callback([&] { chosen = [&] { return rlt::run_gradcheck(gradcheck); }; });

  rlt::BenchCommand bench;
  CLI::App* const bench_command =
      command("bench", "time a training step beside its dense products alone");
  Settings bench_settings(bench_command, bench.config,
                          {"cell", "d-model", "layers", "heads", "ff", "dropout", "positions",
                           "cell-option", "batch", "optimizer", "lr", "beta1", "beta2", "epsilon",
                           "weight-decay", "momentum", "seed", "precision"});
  bench_command->add_option("--length", bench.length, "tokens of each sequence")
      ->capture_default_str();
  bench_command->add_option("--repeats", bench.repeats, "measured steps; medians are printed")
      ->capture_default_str();
  bench_command
      ->add_option("--csv", bench.csv,
                   "CSV file to append to, instead of a table on stdout; - for stdout")
      ->type_name("FILE");
  bench_command->callback([&] {
    chosen = [&] {
      bench_settings.complete();
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
  tasks_command->add_option("--rule", rule, "paper or honest [paper]")->type_name("");
  tasks_command->callback([&] { chosen = [&] { return rlt::run_tasks(task, rule); }; });

  rlt::DataCommand data;
  CLI::App* const data_command = command("data", "print samples with labels, or write whole sets");
  Settings data_settings(data_command, data.config,
                         {"task", "rule", "data", "task-option", "window", "train-size",
                          "eval-sequences", "eval-seed", "seed"});
  data_command->add_option("--bin", data.bin, "bin to print from")->capture_default_str();
  data_command->add_option("--lengths", data.lengths, "exact lengths instead of a bin")
      ->type_name("LIST");
  data_command->add_option("--sequences", data.sequences, "strings to print")
      ->capture_default_str();
  data_command
      ->add_option("--write", data.write,
                   "write train, valid, test in the paper's text form; replaces no file")
      ->type_name("FOLDER");
  data_command->callback([&] {
    chosen = [&] {
      data_settings.complete();
      data.given = given_flags(data_command);
      return rlt::run_data(data);
    };
  });

  std::string path;
  CLI::App* const info_command = command("info", "describe a run folder or a checkpoint");
  info_command->add_option("path", path, "run folder or checkpoint")->required()->type_name("RUN");
  info_command->callback([&] { chosen = [&] { return rlt::run_info(path); }; });

  try {
    check_words(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream text;
    app.exit(success, text, text);
    fmt::print("{}", text.str());
    return Exit::done;
  } catch (const CLI::ParseError& error) {
    fail(Exit::usage, "{}", error.what());
  }
  if (threads > 0) rlt::set_thread_count(threads);
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
  } catch (const std::exception& error) {
    rlt::print_message("rlt: internal error: {}", error.what());
    return static_cast<int>(Exit::failed);
  }
}
