// file: the user's own labelled strings, or the paper's original files, from a folder (--data).
// Form: train.src/.tgt, valid.src/.tgt and, if there, test.src/.tgt as in text_form.hpp; the
//   official names train_50, valid_50, test_50 do as well.
// Label: whatever the .tgt files say; every symbol is an ordinary class, `_` too.
// Sampling: none. The sets are fixed (Task::fixed_set) and used as they are, duplicates included,
//   under either rule; the vocabulary is that of the training set, in order of appearance.
#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "tasks/registry.hpp"
#include "tasks/text_form.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

/// FOLDER/SPLIT or FOLDER/SPLIT_50, whichever has a .src or .tgt; empty when neither has.
fs::path base_of(const fs::path& folder, const std::string& split) {
  for (const std::string& name : {split, split + "_50"}) {
    if (fs::exists(folder / (name + ".src")) || fs::exists(folder / (name + ".tgt"))) {
      return folder / name;
    }
  }
  return {};
}

class File final : public Task {
 public:
  explicit File(const TaskOptions& options) : folder_(options.data) {
    if (options.data.empty()) {
      fail(Exit::usage,
           "--task file: needs --data FOLDER with train.src, train.tgt, valid.src, ...");
    }
    if (!fs::is_directory(folder_)) {
      fail(Exit::failed, "--data {}: no such folder", options.data);
    }
    Vocabulary inputs, outputs;
    train_ = read("train", inputs, outputs, NewSymbols::add);
    valid_ = read("valid", inputs, outputs, NewSymbols::refuse);
    has_test_ = !base_of(folder_, "test").empty();
    if (has_test_) test_ = read("test", inputs, outputs, NewSymbols::refuse);
    describe(options, inputs, outputs);
  }

  const TaskInfo& info() const override { return info_; }

  void draw(Draws&, Window, Example&) const override { refuse(); }
  void draw_exact(Draws&, Index, Example&) const override { refuse(); }
  Index possible_length(Index) const override { return 0; }

  const std::vector<Example>* fixed_set(std::string_view split) const override {
    if (split == "train") return &train_;
    if (split == "valid") return &valid_;
    return split == "test" && has_test_ ? &test_ : nullptr;
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
    const auto [shortest, longest] = std::minmax_element(
        train_.begin(), train_.end(),
        [](const Example& a, const Example& b) { return a.tokens.size() < b.tokens.size(); });
    info_.training = {std::ssize(shortest->tokens), std::ssize(longest->tokens)};
  }

  [[noreturn]] static void refuse() {
    fail(Exit::usage, "task file: its sets are fixed; no string can be drawn, of whatever length");
  }

  fs::path folder_;
  std::vector<Example> train_, valid_, test_;
  bool has_test_ = false;
  TaskInfo info_;
};

}  // namespace

std::unique_ptr<Task> make_file(const TaskOptions& options) {
  return std::make_unique<File>(options);
}

}  // namespace rlt
