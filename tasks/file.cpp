// file: the user's own labelled strings, or the paper's original files, from a folder (--data).
// Form: train.src/.tgt, valid.src/.tgt and, if there, test.src/.tgt as in text_form.hpp; the
//   official names train_50, valid_50, test_50 do as well.
// Label: whatever the .tgt files say; every symbol is an ordinary class, `_` too.
// Sampling: none. The sets are fixed (Task::fixed_set) and used as they are, duplicates included.
// Symbols: those of the run, or else of the training set in order of appearance.
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
  explicit File(const TaskOptions& options) : FixedSets(file_info(options)), folder_(options.data) {
    if (!is_folder(options.data)) fail(Exit::failed, "--data {}: must be a folder", options.data);
    Vocabulary inputs(options.symbols.inputs), outputs(options.symbols.outputs);
    const bool known = !options.symbols.inputs.empty();
    const NewSymbols elsewhere = known ? NewSymbols::not_in_run : NewSymbols::not_in_training;
    sets_["train"] = read("train", inputs, outputs, known ? elsewhere : NewSymbols::add);
    sets_["valid"] = read("valid", inputs, outputs, elsewhere);
    if (!base_of(folder_, "test").empty()) {
      sets_["test"] = read("test", inputs, outputs, elsewhere);
    }
    info_.inputs = inputs.symbols();
    info_.outputs = outputs.symbols();
    measure_training();
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

  fs::path folder_;
};

}  // namespace

TaskInfo file_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "file";
  info.summary = "your own labelled sequences";
  info.source = options.data;
  info.rule = options.rule;
  info.label = "as the .tgt files say";
  info.quirks = "fixed sets, used as they are";
  info.data =
      "FOLDER with train.src, train.tgt, valid.src, valid.tgt and, if you like, test.src, test.tgt";
  return info;
}

std::unique_ptr<Task> make_file(const TaskOptions& options) {
  return std::make_unique<File>(options);
}

}  // namespace rlt
