#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "base/central_difference.hpp"
#include "base/error.hpp"
#include "commands.hpp"
#include "io/safetensors.hpp"
#include "model/sequence_model.hpp"

namespace rlt {
namespace {

// Odd and unequal sizes, long enough for two segments of the recurrences' checkpoints and for two parts of
// several blocks of rows.
constexpr Extent extent{8, 33};
constexpr Index vocabulary_in = 5;
constexpr Index vocabulary_out = 4;

// A whole model of one cell with its batch: the loss as a function of the parameters.
template <std::floating_point T>
class Subject {
 public:
  explicit Subject(const ModelConfig& config) : model_(config), batch_(extent) {
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
    const Score score = model_.train(batch_, {.rate = model_.config().dropout, .key = Rng(2)});
    return score.loss / static_cast<double>(score.tokens);
  }
  SequenceModel<T>& model() { return model_; }
  const Batch& batch() const { return batch_; }

 private:
  SequenceModel<T> model_;
  Batch batch_;
};

ModelConfig model_of(const std::string& cell, double dropout) {
  return complete(ModelConfig{.cell = cell,
                              .cell_config = {.d_model = 12, .heads = 2, .options = {}},
                              .layers = 2,
                              .ff = 2,
                              .dropout = dropout,
                              .vocabulary_in = vocabulary_in,
                              .vocabulary_out = vocabulary_out});
}

// |gradient - difference| / max(|gradient|, |difference|, 1e-3). A kink of relu inside the interval spoils
// one step size, not all: the best of five counts. A wrong gradient fits none.
double relative_error(Subject<double>& subject, double& entry, double gradient) {
  double best = 1e300;
  for (const double step : {1e-5, 3e-6, 1e-6, 3e-7, 1e-7}) {
    const double difference = central_difference(entry, step, [&] { return subject.loss(); });
    const double size = std::max({std::abs(gradient), std::abs(difference), 1e-3});
    best = std::min(best, std::abs(gradient - difference) / size);
    if (best < 1e-7) break;
  }
  return best;
}

bool check_cell(const std::string& cell, const GradcheckCommand& command) {
  Subject<double> subject(model_of(cell, 0.1));
  subject.loss();
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
      worst = std::max(worst,
                       relative_error(subject, parameter.value[i],
                                      gradients[static_cast<std::size_t>(parameter.offset + i)]));
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

// A float model of one cell, a batch, its logits, loss and gradients, for comparison with other programs.
void export_cell(const std::string& cell, const std::string& path) {
  Subject<float> subject(model_of(cell, 0));
  SequenceModel<float>& model = subject.model();
  const Matrix<float> output = model.forward(extent, subject.batch().tokens(), {});
  const std::vector<float> logits(output.data, output.data + output.rows * output.cols);
  const std::vector<std::int64_t> tokens(subject.batch().tokens(),
                                         subject.batch().tokens() + extent.rows());
  const std::vector<std::int64_t> targets(subject.batch().targets(),
                                          subject.batch().targets() + extent.rows());
  const double loss = subject.loss();
  std::vector<TensorView> tensors = {
      {"tokens", "I64", {extent.batch, extent.steps}, bytes_of(tokens.data(), extent.rows())},
      {"targets", "I64", {extent.batch, extent.steps}, bytes_of(targets.data(), extent.rows())},
      {"loss", "F64", {1}, bytes_of(&loss, 1)},
      {"logits",
       "F32",
       {extent.batch, extent.steps, vocabulary_out},
       bytes_of(logits.data(), std::ssize(logits))}};
  for (const Parameter<float>& parameter : model.parameters().all()) {
    const Index count = parameter.count();
    tensors.push_back(
        {"model." + parameter.name, "F32", parameter.shape, bytes_of(parameter.value, count)});
    tensors.push_back({"gradient." + parameter.name, "F32", parameter.shape,
                       bytes_of(parameter.gradient, count)});
  }
  const ModelConfig& config = model.config();
  write_safetensors(path, tensors,
                    {{"cell", cell},
                     {"d-model", std::to_string(config.cell_config.d_model)},
                     {"heads", std::to_string(config.cell_config.heads)},
                     {"layers", std::to_string(config.layers)},
                     {"ff", std::to_string(config.ff)}});
}

}  // namespace

Exit run_gradcheck(const GradcheckCommand& command) {
  if (command.all == !command.cell.empty()) {
    fail(Exit::usage, "gradcheck needs --cell NAME or --all");
  }
  if (!command.export_file.empty()) {
    if (command.all) fail(Exit::usage, "--export writes one model: give it with --cell");
    require_new("export", command.export_file);
    export_cell(cell_info(command.cell).name, command.export_file);
    return Exit::done;
  }
  fmt::print("cell,parameter,entries,worst_relative_error\n");
  bool all_right = true;
  for (const CellEntry& entry : all_cells()) {
    if (!command.all && entry.info.name != cell_info(command.cell).name) continue;
    all_right = check_cell(entry.info.name, command) && all_right;
  }
  return all_right ? Exit::done : Exit::no;
}

}  // namespace rlt
