#include "train/applicable.hpp"

#include <fmt/format.h>

#include <initializer_list>

#include "base/error.hpp"
#include "io/standard_streams.hpp"

namespace rlt {
namespace {

/// What was chosen: the settings that are not at their defaults.
class Chosen {
 public:
  explicit Chosen(const RunConfig& config)
      : values_(to_facts(config)), defaults_(to_facts(RunConfig())) {}

  /// report("--NAME VALUE") for each of `names` that was chosen.
  template <typename Report>
  void among(std::initializer_list<const char*> names, Report&& report) const {
    for (const std::string name : names) {
      const std::string& value = values_.at(name);
      if (value != defaults_.at(name)) report(fmt::format("--{} {}", name, value));
    }
  }

 private:
  std::map<std::string, std::string> values_, defaults_;
};

}  // namespace

void require_applicable(const RunConfig& config, const TaskInfo& task) {
  const Chosen chosen(config);
  const auto refuse = [&](std::initializer_list<const char*> names, std::string_view why) {
    chosen.among(names, [&](const std::string& setting) {
      fail(Exit::usage, "{}: does not apply to task {}, {}", setting, task.name, why);
    });
  };
  if (!task.documents)
    refuse({"segment"}, "which has no documents to cut: its strings are read whole");
  if (task.data.empty()) return;
  refuse({"rule", "window", "protocol", "eval-sequences", "eval-seed"},
         "whose sets are your own, not drawn");
  if (task.documents)
    refuse({"train-size", "bucket"}, "which reads all its documents segment by segment");
  if (config.train_size == 0) {
    fail(Exit::usage, "--train-size 0: task {} draws no fresh samples, its sets are your own",
         task.name);
  }
}

void note_cut(const RunConfig& config, const Task& task) {
  const std::vector<Example>* const given = task.fixed_set("train");
  if (given == nullptr || !config.train_size || *config.train_size == std::ssize(*given)) return;
  print_message("--train-size {}: {} of the {} sequences of the training set are used",
                *config.train_size, training_size(config, task), given->size());
}

}  // namespace rlt
