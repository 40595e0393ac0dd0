#include "data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "setting_flags.hpp"
#include "tasks/behaviour.hpp"
#include "tasks/npy_form.hpp"
#include "tasks/text_form.hpp"
#include "train/dataset.hpp"

namespace rlt {
namespace {

// A line for each position.
void print_rows(const std::vector<float>& numbers, Index width) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const bool last = (i + 1) % static_cast<std::size_t>(width) == 0;
    fmt::print("{:.5g}{}", numbers[i], last ? "\n" : " ");
  }
}

void print_examples(const TaskInfo& info, const std::vector<Example>& examples) {
  for (const Example& example : examples) {
    if (!info.inputs.empty()) {
      for (const int token : example.tokens) {
        fmt::print("{} ", info.inputs[static_cast<std::size_t>(token)]);
      }
      fmt::print("\n");
    }
    print_rows(example.reals, info.features);
    for (const int target : example.targets) {
      fmt::print("{} ", target < 0 ? "." : info.outputs[static_cast<std::size_t>(target)]);
    }
    if (!example.targets.empty()) fmt::print("\n");
    print_rows(example.real_targets, info.real_targets);
    fmt::print("\n");
  }
  if (!info.quirks.empty()) print_message("{}: {}", info.name, info.quirks);
  print_message("{} distinct strings, data {}", examples.size(), data_hash(examples));
}

namespace fs = std::filesystem;
/// Where to, and what.
using Files = std::vector<std::pair<fs::path, std::string>>;

/// All of them or none, and none that is there already.
void write_new(const fs::path& folder, const Files& files) {
  for (const auto& [path, content] : files) require_new("write", path);
  make_folder(folder);
  std::size_t written = 0;
  try {
    for (; written < files.size(); ++written) {
      write_file(files[written].first, files[written].second);
    }
  } catch (const Error&) {
    for (std::size_t i = 0; i < written; ++i) {
      std::error_code ignored;
      fs::remove(files[i].first, ignored);
    }
    throw;
  }
}

// train, valid (bin 0) and test (bin 1): the text form as `--task file` reads it, or NumPy's.
void write_sets(const DataCommand& command, const Task& task) {
  const bool as_text = !command.write.empty();
  const fs::path folder(as_text ? command.write : command.write_npy);
  const RunConfig& config = command.config;
  const Index size = training_size(config, task);
  if (size == 0) {
    fail(Exit::usage, "--train-size 0: fresh samples have no set that could be written");
  }
  const std::vector<Example> valid =
      evaluation_set(task, training_window(config, task), config.eval_sequences, config.eval_seed);
  const std::vector<Example> test =
      evaluation_set(task, bin_window(task.info(), 1), config.eval_sequences, config.eval_seed);
  const std::vector<Example> train =
      training_set(task, training_window(config, task), size, config.seed, valid);
  const std::pair<std::string, const std::vector<Example>*> sets[] = {
      {"train", &train}, {"valid", &valid}, {"test", &test}};
  Files files;
  for (const auto& [name, set] : sets) {
    if (as_text) {
      TextForm form = text_form(task.info(), *set);
      files.emplace_back(folder / (name + ".src"), std::move(form.src));
      files.emplace_back(folder / (name + ".tgt"), std::move(form.tgt));
    } else {
      NpyForm form = npy_form(*set);
      files.emplace_back(folder / (name + ".tokens.npy"), std::move(form.tokens));
      files.emplace_back(folder / (name + ".targets.npy"), std::move(form.targets));
      files.emplace_back(folder / (name + ".lengths.npy"), std::move(form.lengths));
    }
  }
  write_new(folder, files);
  const char* const ends = as_text ? ".src .tgt" : ".tokens.npy .targets.npy .lengths.npy";
  for (const auto& [name, set] : sets) {
    print_message("{}/{}{}: {} strings, data {}", folder.string(), name, ends, set->size(),
                  data_hash(*set));
  }
}

Exit run(const DataCommand& command) {
  refuse_inapplicable(command.given, command.config);
  if (is_environment(command.config.task)) return record_episodes(command);
  refuse_flags(command.given, {"policy", "write-csv"},
               command.config.task + " has labelled strings, no episodes");
  const std::unique_ptr<Task> task = make_task(command.config);
  if (!task->info().is_drawn()) {
    refuse_flags(command.given, {"write", "write-npy", "bin", "lengths", "train-size", "seed"},
                 "the first --sequences of the training set are printed");
  }
  if (task->fixed_set("train") != nullptr) {
    const std::vector<Example>& all = *task->fixed_set("train");
    const std::size_t count = std::min(all.size(), static_cast<std::size_t>(command.sequences));
    print_examples(task->info(), {all.begin(), all.begin() + static_cast<Index>(count)});
    return Exit::done;
  }
  if (!command.write.empty() || !command.write_npy.empty()) {
    write_sets(command, *task);
    return Exit::done;
  }
  for (const char* const name : {"train-size", "eval-sequences", "seed"}) {
    note_idle(command.given, name, "only --write and --write-npy draw whole sets");
  }
  if (command.bin > 0) note_idle(command.given, "window", "--bin chose another one");
  if (!command.lengths.empty()) note_idle(command.given, "window", "--lengths are exact");
  if (command.lengths.empty()) {
    const Window window = command.bin == 0 ? training_window(command.config, *task)
                                           : bin_window(task->info(), command.bin);
    print_examples(task->info(),
                   evaluation_set(*task, window, command.sequences, command.config.eval_seed));
    return Exit::done;
  }
  for (const Index length : parse_list("lengths", command.lengths, 1, max_length)) {
    const Index possible = task->possible_length(length);
    if (possible == 0) {
      fail(Exit::usage, "--lengths {}: {} has no string that short", length, task->info().name);
    }
    print_examples(task->info(),
                   exact_set(*task, possible, command.sequences, command.config.eval_seed));
  }
  return Exit::done;
}

Action declare_data(const Flags& flags) {
  const auto command = std::make_shared<DataCommand>();
  const auto settings = std::make_shared<SettingFlags>(
      flags, command->config,
      std::vector<std::string>{"task", "rule", "data", "task-option", "window", "train-size",
                               "eval-sequences", "eval-seed", "seed"});
  flags.number<Index>("bin", command->bin, 0, max_length, "bin to print from");
  flags.text("lengths", command->lengths, "LIST", "exact lengths instead of a bin")
      .excludes("--bin");
  flags.number<Index>("sequences", command->sequences, 1, most_sequences,
                      "strings to print, or episodes to record");
  flags
      .text("write", command->write, "FOLDER",
            "write train, valid, test in the paper's text form; replaces no file")
      .excludes("--bin")
      .excludes("--lengths")
      .excludes("--sequences");
  flags
      .text("write-npy", command->write_npy, "FOLDER",
            "the same as NumPy arrays: tokens and targets (N, longest), lengths (N)")
      .excludes("--bin")
      .excludes("--lengths")
      .excludes("--sequences")
      .excludes("--write");
  flags
      .value("policy", "",
             with_values("in an environment: who acts",
                         fmt::format("{}", fmt::join(behaviours(), ", "))),
             [command](const std::string& text) {
               if (std::ranges::find(behaviours(), text) == behaviours().end()) {
                 fail(Exit::usage, "--policy {}: unknown{}", shown(text),
                      suggestion(text, behaviours()));
               }
               command->policy = text;
             })
      .shows(command->policy);
  flags.text("write-csv", command->write_csv, "FILE",
             "in an environment: write the episodes, a row for each step, for --learner "
             "return_conditioned; replaces no file");
  return [command, settings, flags] {
    command->given = settings->complete();
    for (const std::string& flag : flags.given()) command->given.push_back(flag);
    return run(*command);
  };
}

}  // namespace

const Command data_command = {"data", "print samples with labels or episodes, or write whole sets",
                              declare_data};

}  // namespace rlt
