// file: the user's own labelled strings, or the paper's original files, from a folder (--data).
// Form: train.src/.tgt, valid.src/.tgt and, if there, test.src/.tgt as in text_form.hpp; the
//   official names train_50, valid_50, test_50 do as well.
// Label: whatever the .tgt files say; every symbol is an ordinary class, `_` too.
// Sampling: none. The sets are fixed (Task::fixed_set) and used as they are, duplicates included,
//   under either rule; the vocabulary is that of the training set, in order of appearance.
#include "io/file.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "tasks/fixed_sets.hpp"
#include "tasks/registry.hpp"
#include "tasks/text_form.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

/// FOLDER/SPLIT or FOLDER/SPLIT_50, whichever has a .src or .tgt; empty when neither has.
fs::path base_of(const fs::path& folder, const std::string& split) {
  for (const std::string& name : {split, split + "_50"}) {
    if (file_exists(folder / (name + ".src")) || file_exists(folder / (name + ".tgt"))) {
      return folder / name;
    }
  }
  return {};
}

class File final : public FixedSets {
 public:
  explicit File(const TaskOptions& options) : folder_(options.data) {
    if (options.data.empty()) {
      fail(Exit::usage,
           "--task file: needs --data FOLDER with train.src, train.tgt, valid.src, ...");
    }
    if (!is_folder(folder_)) {
      fail(Exit::failed, "--data {}: no such folder", options.data);
    }
    Vocabulary inputs, outputs;
    sets_["train"] = read("train", inputs, outputs, NewSymbols::add);
    sets_["valid"] = read("valid", inputs, outputs, NewSymbols::refuse);
    if (!base_of(folder_, "test").empty()) {
      sets_["test"] = read("test", inputs, outputs, NewSymbols::refuse);
    }
    describe(options, inputs, outputs);
  }

 private:
  std::vector<Example> read(const std::string& split, Vocabulary& inputs, Vocabulary& outputs,
                            NewSymbols new_symbols) const {
    const fs::path base = base_of(folder_, split);
    if (base.empty()) {
      fail(Exit::failed, "--data {}: holds neither {}.src nor {}_50.src", folder_.string(), split,
           split);
    }
    return read_text_form(base.string() + ".src", base.string() + ".tgt", inputs, outputs,
                          new_symbols);
  }

  void describe(const TaskOptions& options, const Vocabulary& inputs, const Vocabulary& outputs) {
    info_.name = "file";
    info_.summary = "labelled strings from .src and .tgt files";
    info_.source = folder_.string();
    info_.rule = options.rule;
    info_.label = "as the .tgt files say";
    info_.quirks = "fixed sets, used as they are";
    info_.inputs = inputs.symbols();
    info_.outputs = outputs.symbols();
    measure_training();
  }

  fs::path folder_;
};

}  // namespace

std::unique_ptr<Task> make_file(const TaskOptions& options) {
  return std::make_unique<File>(options);
}

}  // namespace rlt
