#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "base/error.hpp"
#include "base/gradient_check.hpp"
#include "commands.hpp"
#include "io/safetensors.hpp"
#include "losses/cross_entropy.hpp"
#include "model/training_step.hpp"

namespace rlt {
namespace {

struct GradcheckCommand {
  std::string cell;
  bool all = false;
  double tolerance = 1e-6;
  Index entries = 40;       // checked of each parameter
  std::string spoil;        // falsifies this gradient on purpose, to see the check fail
  std::string export_file;  // instead of checking: a small model with logits and gradients
  bool in_float = false;    // exported as training computes
};

// Enough steps for two spans between the states that a recurrence keeps, and enough rows for two parts of
// several blocks.
constexpr Extent extent{8, 33};
constexpr Index vocabulary_in = 5;
constexpr Index vocabulary_out = 4;
constexpr Index layers = 2;

// A whole model of one cell with its batch: the loss as a function of the parameters.
template <std::floating_point T>
class Subject {
 public:
  explicit Subject(const ModelConfig& config)
      : model_(config),
        step_(model_, std::make_unique<CrossEntropy<T>>(model_.outputs())),
        batch_(extent) {
    model_.parameters().initialize(1);
    // Away from the start: gains of 1 and biases of 0 would hide a factor or a sum that is missing.
    for (const Parameter<T>& parameter : model_.parameters().all()) {
      const Rng noise = Rng(2).stream(parameter.name);
      for (Index i = 0; i < parameter.count(); ++i) {
        parameter.value[i] += static_cast<T>(0.3 * (2 * noise.uniform(i) - 1));
      }
    }
    model_.carve(extent);
    const Rng rng = Rng(1).stream("gradcheck");
    batch_.reset(extent.batch, extent.steps);
    for (Index b = 0; b < extent.batch; ++b) {
      Example example;
      for (Index t = 0; t < extent.steps - b; ++t) {  // rows of unequal length
        const Index i = b * extent.steps + t;
        example.tokens.push_back(static_cast<int>(rng.below(2 * i, vocabulary_in)));
        example.targets.push_back(static_cast<int>(rng.below(2 * i + 1, vocabulary_out)));
      }
      batch_.set(b, example);
    }
  }

  double loss() {
    const Score score = step_.run(batch_, {.rate = model_.config().dropout, .key = Rng(2)});
    return score.loss_per_token();
  }
  SequenceModel<T>& model() { return model_; }
  const Batch& batch() const { return batch_; }

 private:
  SequenceModel<T> model_;
  TrainingStep<T> step_;
  Batch batch_;
};

ModelConfig model_of(const std::string& cell, double dropout, const OptionValues& options = {}) {
  const LayerConfig layer{
      .cell = cell, .config = {.d_model = 12, .heads = 2, .options = options}, .ff = 2};
  return classifier(layer, layers, vocabulary_in, vocabulary_out, dropout);
}

// Windows and blocks that are shorter than the strings.
OptionValues small_windows(const std::string& cell) {
  OptionValues sizes;
  for (const Option& option : cell_info(cell).options) {
    if (option.name == "window" && option.choices.empty()) sizes["window"] = "8";
    if (option.name == "states") sizes["states"] = "3";
  }
  return sizes;
}

// Heads whose size does not follow from d_model are large by default: a check of theirs would take minutes.
OptionValues small_sizes(const std::string& cell) {
  OptionValues sizes = small_windows(cell);
  for (const Option& option : cell_info(cell).options) {
    if (option.name == "head_size") sizes["head_size"] = "0";
  }
  return sizes;
}

// The loss is a mean: its gradients are small.
constexpr GradientTolerance tolerance{.smallest = 3e-3};

bool check_cell(const std::string& cell, const GradcheckCommand& command) {
  Subject<double> subject(model_of(cell, 0.1, small_sizes(cell)));
  const auto loss = [&] { return subject.loss(); };
  loss();
  ParameterSet<double>& parameters = subject.model().parameters();
  std::vector<double> gradients(parameters.gradients(),
                                parameters.gradients() + parameters.flat_size());
  bool all_right = true;
  bool spoiled = command.spoil.empty();
  for (const Parameter<double>& parameter : parameters.all()) {
    if (parameter.name == command.spoil) {
      gradients[static_cast<std::size_t>(parameter.offset)] += 0.01;
      spoiled = true;
    }
    const Index stride = std::max<Index>(1, parameter.count() / command.entries);
    double worst = 0;
    Index checked = 0;
    for (Index i = 0; i < parameter.count(); i += stride, ++checked) {
      const double gradient = gradients[static_cast<std::size_t>(parameter.offset + i)];
      worst = std::max(worst, gradient_error(parameter.value[i], gradient, loss, tolerance));
    }
    const bool right = worst < command.tolerance;
    fmt::print("{},{},{},{:.1e}{}\n", cell, parameter.name, checked, worst, right ? "" : ",WRONG");
    all_right = all_right && right;
  }
  if (!spoiled) {
    fail(Exit::usage, "--spoil {}: {} has no such parameter", command.spoil, cell);
  }
  return all_right;
}

template <typename T>
std::span<const std::byte> bytes_of(const T* data, Index count) {
  return std::as_bytes(std::span(data, static_cast<std::size_t>(count)));
}

// A model of one cell, a batch, its logits, loss and gradients, for comparison with other programs.
template <std::floating_point T>
void export_cell(const std::string& cell, const std::string& path) {
  const OptionValues options = small_windows(cell);
  Subject<T> subject(model_of(cell, 0, options));
  SequenceModel<T>& model = subject.model();
  const Matrix<T> output = model.forward(subject.batch().inputs(), {});
  const std::vector<T> logits(output.data, output.data + output.rows * output.cols);
  const std::vector<std::int64_t> tokens(subject.batch().tokens(),
                                         subject.batch().tokens() + extent.rows());
  const std::vector<std::int64_t> targets(subject.batch().classes(),
                                          subject.batch().classes() + extent.rows());
  const double loss = subject.loss();
  std::vector<TensorView> tensors = {
      {"tokens", "I64", {extent.batch, extent.steps}, bytes_of(tokens.data(), extent.rows())},
      {"targets", "I64", {extent.batch, extent.steps}, bytes_of(targets.data(), extent.rows())},
      {"loss", "F64", {1}, bytes_of(&loss, 1)},
      {"logits",
       dtype_of<T>(),
       {extent.batch, extent.steps, vocabulary_out},
       bytes_of(logits.data(), std::ssize(logits))}};
  for (const Parameter<T>& parameter : model.parameters().all()) {
    const Index count = parameter.count();
    const auto add = [&](const char* kind, const T* data) {
      tensors.push_back(
          {kind + parameter.name, dtype_of<T>(), parameter.shape, bytes_of(data, count)});
    };
    add("model.", parameter.value);
    add("gradient.", parameter.gradient);
  }
  const LayerConfig& layer = model.config().layers.front();
  std::map<std::string, std::string> facts = {{"cell", cell},
                                              {"d-model", std::to_string(layer.config.d_model)},
                                              {"heads", std::to_string(layer.config.heads)},
                                              {"layers", std::to_string(layers)},
                                              {"ff", std::to_string(layer.ff)}};
  for (const auto& [name, value] : options) {
    std::string& list = facts["cell-option"];
    list += fmt::format("{}{}={}", list.empty() ? "" : ",", name, value);
  }
  write_safetensors(path, tensors, facts);
}

Exit run(const GradcheckCommand& command) {
  if (command.all == !command.cell.empty()) {
    fail(Exit::usage, "gradcheck needs --cell NAME or --all");
  }
  if (!command.export_file.empty()) {
    if (command.all) fail(Exit::usage, "--export writes one model: give it with --cell");
    require_new("export", command.export_file);
    const auto export_it = command.in_float ? export_cell<float> : export_cell<double>;
    export_it(cell_info(command.cell).name, command.export_file);
    return Exit::done;
  }
  if (command.in_float) fail(Exit::usage, "--float goes with --export");
  fmt::print("cell,parameter,entries,worst_relative_error\n");
  bool all_right = true;
  for (const CellEntry& entry : all_cells()) {
    if (!command.all && entry.info.name != cell_info(command.cell).name) continue;
    all_right = check_cell(entry.info.name, command) && all_right;
  }
  return all_right ? Exit::done : Exit::no;
}

Action declare_gradcheck(const Flags& flags) {
  const auto command = std::make_shared<GradcheckCommand>();
  flags.text("cell", command->cell, "CELL", "one cell");
  flags.toggle("all", command->all, "every cell");
  flags.number<double>("tolerance", command->tolerance, 0, 1, "largest relative error");
  flags.number<Index>("entries", command->entries, 1, 1'000'000'000,
                      "entries checked of a parameter");
  flags.text("spoil", command->spoil, "PARAMETER",
             "falsify the gradient of this parameter, to see the check fail");
  flags
      .text("export", command->export_file, "FILE",
            "write a small model, a batch, its logits and gradients as safetensors instead")
      .excludes("--tolerance")
      .excludes("--entries")
      .excludes("--spoil");
  flags.toggle("float", command->in_float, "export what float gives, as in training, not double");
  return [command] { return run(*command); };
}

}  // namespace

const Command gradcheck_command = {
    "gradcheck", "compare hand-written gradients with central differences in double",
    declare_gradcheck};

}  // namespace rlt
