#include "train/checkpoint.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/rng.hpp"
#include "io/file.hpp"
#include "io/full_disk.hpp"
#include "io/raw_safetensors.hpp"
#include "io/safetensors.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;
namespace fs = std::filesystem;

namespace {

/// A model of two parameters, whose sizes are no multiple of a cache line.
template <typename T>
struct Model {
  ParameterSet<T> parameters;
  Optimizer<T> optimizer;

  explicit Model(std::uint64_t seed, const std::string& kind = "adam",
                 std::vector<Index> shape = {3, 5})
      : optimizer({.kind = kind}, declare(parameters, std::move(shape))) {
    parameters.initialize(seed);
  }
  static Index declare(ParameterSet<T>& parameters, std::vector<Index> shape) {
    parameters.add("cell.weight", std::move(shape), init::normal(1));
    parameters.add("cell.bias", {7}, init::uniform(1));
    parameters.allocate();
    return parameters.flat_size();
  }
  void train(Index first, Index last) {
    for (Index step = first; step <= last; ++step) {
      for (const Parameter<T>& parameter : parameters.all()) {
        const Rng rng = Rng(9).stream(static_cast<std::uint64_t>(step)).stream(parameter.name);
        for (Index i = 0; i < parameter.count(); ++i) {
          parameter.gradient[i] = static_cast<T>(rng.normal(i));
        }
      }
      optimizer.update(parameters, step, 0.1);
    }
  }
  std::vector<T> flat() const {
    return {parameters.values(), parameters.values() + parameters.flat_size()};
  }
};

TrainingState sample_state() {
  TrainingState state;
  state.step = 5;
  state.sequences = 160;
  state.tokens = Index{1} << 40;
  state.wall_seconds = 0.1 + 0.2;
  state.best_metric = 1.0 / 3;
  state.best_step = 4;
  state.evaluations_without_gain = 2;
  state.solved_in_a_row = 2;
  state.best_loss = 0.7;
  state.last_loss = 0.9;
  state.gradient_norm = 1.1;
  state.interval = {12.25, 5, 4, 3, 2};
  return state;
}

/// Loads into a model that differs from the file's and checks that a refused file changes nothing.
/// The message comes without the leading "1: 'PATH': ".
template <typename T = float>
std::string error_loading(const fs::path& path, bool with_optimizer = true,
                          Model<T> model = Model<T>(2)) {
  const std::vector<T> before = model.flat();
  TrainingState state;
  const std::string message = error_of([&] {
    load_checkpoint<T>(path, model.parameters, with_optimizer ? &model.optimizer : nullptr, state);
  });
  if (message == "no error") return message;
  CHECK(model.flat() == before);
  CHECK(state.step == 0);
  const std::string start = "1: '" + path.string() + "': ";
  return message.starts_with(start) ? message.substr(start.size()) : message;
}

struct Saved {
  test::TemporaryFolder folder;
  fs::path path = folder.path() / "last.safetensors";
  Model<float> model{1};

  explicit Saved(bool with_optimizer = true) {
    model.train(1, 5);
    save_checkpoint<float>(path, model.parameters, with_optimizer ? &model.optimizer : nullptr,
                           sample_state(), {{"cell", "deltanet"}});
  }
  /// Writes the file anew, as version 1, which has no checksum, with its tensors and metadata changed by `change`.
  std::string error_with_state(const std::string& field, const std::string& value) const {
    return error_after([&](auto&, auto& metadata) {
      std::string& state = metadata["state"];
      const std::size_t place = state.find("\"" + field + "\":") + field.size() + 3;
      state.replace(place, state.find_first_of(",}", place) - place, value);
    });
  }
  template <typename Change>
  std::string error_after(Change&& change) const {
    const Safetensors file(path);
    std::vector<TensorView> tensors = file.tensors();
    Facts metadata = file.metadata();
    metadata["version"] = "1";
    metadata.erase(checksum_key);
    change(tensors, metadata);
    const fs::path changed = folder.path() / "changed.safetensors";
    write_safetensors(changed, tensors, metadata);
    return error_loading(changed);
  }
};

/// The same tensor with one number replaced, in memory of `memory`.
template <typename T>
void replace_number(TensorView& tensor, std::vector<std::byte>& memory, Index position, T value) {
  memory.assign(tensor.bytes.begin(), tensor.bytes.end());
  std::memcpy(memory.data() + static_cast<std::size_t>(position) * sizeof(T), &value, sizeof(T));
  tensor.bytes = memory;
}

TensorView& named(std::vector<TensorView>& tensors, const std::string& name) {
  for (TensorView& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  FAIL("no tensor " << name);
  return tensors.front();
}

}  // namespace

TEST_CASE_TEMPLATE("checkpoint: save, load, continue equals not stopped, bit for bit", T, float,
                   double) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "last.safetensors";
  for (const std::string kind : {"adam", "adamw", "sgd", "adafactor"}) {
    CAPTURE(kind);
    Model<T> straight(1, kind);
    straight.train(1, 10);
    Model<T> first(1, kind);
    first.train(1, 5);
    save_checkpoint(path, first.parameters, &first.optimizer, sample_state(), {});
    Model<T> second(2, kind);
    second.train(1, 2);  // old memory must not shine through
    TrainingState state;
    load_checkpoint(path, second.parameters, &second.optimizer, state);
    CHECK(second.flat() == first.flat());
    second.train(6, 10);
    CHECK(second.flat() == straight.flat());
  }
}

TEST_CASE("checkpoint: the training state comes back, infinity too") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "last.safetensors";
  Model<float> model(1);
  const auto through_file = [&](const TrainingState& state) {
    save_checkpoint<float>(path, model.parameters, nullptr, state, {});
    TrainingState back;
    back.best_metric = 0.5;
    load_checkpoint<float>(path, model.parameters, nullptr, back);
    return back;
  };
  TrainingState state = sample_state();
  state.interval = {12.25, 5, 4, 0, 0, 3, 2};
  state.validation_due = true;
  const TrainingState back = through_file(state);
  CHECK(back.step == state.step);
  CHECK(back.sequences == state.sequences);
  CHECK(back.tokens == state.tokens);
  CHECK(back.wall_seconds == state.wall_seconds);
  CHECK(back.best_metric == state.best_metric);
  CHECK(back.best_step == state.best_step);
  CHECK(back.evaluations_without_gain == state.evaluations_without_gain);
  CHECK(back.solved_in_a_row == state.solved_in_a_row);
  CHECK(back.validation_due);
  CHECK(back.best_loss == state.best_loss);
  CHECK(back.last_loss == state.last_loss);
  CHECK(back.gradient_norm == state.gradient_norm);
  CHECK(back.interval.loss == state.interval.loss);
  CHECK(back.interval.tokens == state.interval.tokens);
  CHECK(back.interval.tokens_correct == state.interval.tokens_correct);
  CHECK(back.interval.sequences == state.interval.sequences);
  CHECK(back.interval.sequences_correct == state.interval.sequences_correct);
  CHECK(through_file({}).best_metric == -std::numeric_limits<double>::infinity());
  CHECK_FALSE(through_file({}).validation_due);
}

TEST_CASE("checkpoint: a training state that no run can reach is refused and named") {
  const Saved saved;
  const std::pair<const char*, const char*> impossible[] = {
      {"step", "-5"},
      {"step", "2.5"},
      {"step", "9223372036854775807"},
      {"sequences", "-1"},
      {"tokens", "-1"},
      {"wall_seconds", "\"nan\""},
      {"wall_seconds", "\"inf\""},
      {"wall_seconds", "-0.5"},
      {"best_metric", "\"nan\""},
      {"best_metric", "\"-inf\""},
      {"best_metric", "1.5"},
      {"best_loss", "\"nan\""},
      {"best_loss", "-1.0"},
      {"best_step", "6"},
      {"best_step", "-1"},
      {"evaluations_without_gain", "-1"},
      {"evaluations_without_gain", "6"},
      {"solved_in_a_row", "6"},
      {"last_loss", "\"nan\""},
      {"gradient_norm", "\"inf\""},
      {"interval_loss", "\"nan\""},
      {"interval_tokens", "2000000000000"},
      {"interval_tokens_correct", "6"},
      {"interval_sequences", "161"},
      {"interval_sequences_correct", "1"},
      {"validation_due", "7"},
  };
  for (const auto& [field, value] : impossible) {
    CAPTURE(field);
    CAPTURE(value);
    const bool in_version_1 = std::string(field) != "validation_due";
    const std::string expected =
        fmt::format("the training state has no valid '{}': found {}", field, value);
    CHECK(saved.error_with_state(field, value) == (in_version_1 ? expected : "no error"));
  }
}

TEST_CASE("checkpoint: names, shapes and facts are as documented") {
  const Saved saved;
  const Safetensors file(saved.path);
  CHECK(file.names() ==
        std::vector<std::string>{"model.cell.weight", "model.cell.bias",
                                 "optimizer.first.cell.weight", "optimizer.first.cell.bias",
                                 "optimizer.second.cell.weight", "optimizer.second.cell.bias"});
  CHECK(file.find("optimizer.second.cell.weight")->shape == std::vector<Index>{3, 5});
  CHECK(file.find("model.cell.bias")->bytes.size() == 7 * sizeof(float));  // no padding
  const Facts facts = checkpoint_facts(saved.path);
  CHECK(file.metadata().at("format") == "rlt");
  CHECK(file.metadata().at("step") == "5");
  for (const char* const own : {"format", "version", "step", "state", checksum_key}) {
    CHECK(!facts.contains(own));
  }
  CHECK(facts.at("cell") == "deltanet");
  CHECK(checkpoint_state(saved.path).best_step == 4);
}

TEST_CASE("checkpoint: weights alone serve evaluation but not further training") {
  const Saved saved(false);
  CHECK(error_loading(saved.path, false) == "no error");
  CHECK(error_loading(saved.path) == "holds weights only, expected the optimizer's memory too");
  CHECK(error_loading(Saved().path, false).starts_with("cannot read") == false);
  const Saved full;
  CHECK(error_loading(full.path, false) == "no error");
}

TEST_CASE("checkpoint: a model or optimiser of another kind is refused") {
  const Saved saved;
  CHECK(error_loading(saved.path, true, Model<float>(2, "adam", {5, 3})) ==
        "tensor 'model.cell.weight' has the shape [3, 5], expected [5, 3]");
  CHECK(error_loading<double>(saved.path) == "tensor 'model.cell.weight' is F32, expected F64");
  CHECK(error_loading(saved.path, true, Model<float>(2, "sgd")) ==
        "tensor 'optimizer.second.cell.weight' has no place in this model or optimizer");
  Model<float> larger(2);
  larger.parameters.add("head.weight", {2}, init::constant(0));
  larger.parameters.allocate();
  CHECK(error_loading(saved.path, false, std::move(larger)) ==
        "tensor 'model.head.weight' is missing");
}

TEST_CASE("checkpoint: missing, additional and reshaped tensors are named") {
  const Saved saved;
  CHECK(saved.error_after([](auto&, auto&) {}) == "no error");
  CHECK(saved.error_after([](auto& tensors, auto&) {
    std::erase_if(tensors, [](const auto& tensor) { return tensor.name == "model.cell.bias"; });
  }) == "tensor 'model.cell.bias' is missing");
  CHECK(saved.error_after([](auto& tensors, auto&) {
    std::erase_if(tensors, [](const auto& t) { return t.name == "optimizer.first.cell.bias"; });
  }) == "tensor 'optimizer.first.cell.bias' is missing");
  CHECK(saved.error_after([](auto& tensors, auto&) {
    tensors.push_back({"model.extra", "F32", {0}, {}});
  }) == "tensor 'model.extra' has no place in this model or optimizer");
  CHECK(saved.error_after([](auto& tensors, auto&) {
    named(tensors, "model.cell.weight").shape = {15};
  }) == "tensor 'model.cell.weight' has the shape [15], expected [3, 5]");
}

TEST_CASE("checkpoint: nan or infinity inside is found with its index") {
  const Saved saved;
  std::vector<std::byte> memory;
  CHECK(saved.error_after([&](auto& tensors, auto&) {
    replace_number(named(tensors, "model.cell.weight"), memory, 13, std::nanf(""));
  }) == "tensor 'model.cell.weight' has nan at [2, 3], expected finite numbers");
  CHECK(saved.error_after([&](auto& tensors, auto&) {
    replace_number(named(tensors, "optimizer.second.cell.bias"), memory, 6, -HUGE_VALF);
  }) == "tensor 'optimizer.second.cell.bias' has infinity at [6], expected finite numbers");
}

TEST_CASE("checkpoint: numbers that are not finite do not replace a good file") {
  Saved saved;
  const std::string old = read_file(saved.path);
  saved.model.parameters.all()[0].value[4] = std::nanf("");
  CHECK(error_of([&] {
          save_checkpoint<float>(saved.path, saved.model.parameters, nullptr, {}, {});
        }) == "3: '" + saved.path.string() +
                  "': tensor 'model.cell.weight' has nan at [0, 4], expected finite numbers");
  CHECK(read_file(saved.path) == old);
}

TEST_CASE("checkpoint: a full disk leaves the old file whole") {
  Saved saved;
  const std::string old = read_file(saved.path);
  saved.model.train(6, 7);
  {
    const test::FullDisk full(500);
    CHECK(error_of([&] {
            save_checkpoint<float>(saved.path, saved.model.parameters, &saved.model.optimizer, {},
                                   {});
          }) == "1: cannot write '" + saved.path.string() + "': File too large");
  }
  CHECK(read_file(saved.path) == old);
  CHECK(error_loading(saved.path) == "no error");
}

TEST_CASE("checkpoint: a foreign file, another version and a broken state are told") {
  const Saved saved;
  const std::string foreign =
      "a safetensors file, but no checkpoint of this program: its metadata has format ";
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata.clear(); }) ==
        foreign + "none, expected 'rlt'");
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata["format"] = "pt"; }) ==
        foreign + "'pt', expected 'rlt'");
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata["version"] = "3"; }) ==
        "a checkpoint of version '3', expected '1' or '2'");
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata["version"] = "2"; }) ==
        "damaged: a checkpoint of version '2' without a checksum");
  const std::string no_state = "the metadata holds no training state";
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata.erase("state"); }) == no_state);
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata["state"] = "{"; }) == no_state);
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata["state"] = "[]"; }) == no_state);
  CHECK(saved.error_after([](auto&, auto& metadata) { metadata["state"] = "{}"; }) ==
        "the training state has no valid 'step'");
  CHECK(saved.error_after([](auto&, auto& metadata) {
    metadata["state"] = "{\"step\": 18446744073709551615}";
  }) == "the training state has no valid 'step': found 18446744073709551615");

  const fs::path csv = saved.folder.path() / "train.csv";
  write_file(csv, "task,cell,seed,step\n");
  CHECK(error_of([&] {
          checkpoint_facts(csv);
        }).starts_with("1: '" + csv.string() + "': not a safetensors file"));
  CHECK(error_of([&] {
          checkpoint_facts(saved.folder.path() / "none");
        }).ends_with("/none': No such file or directory"));
}

TEST_CASE("checkpoint: a fact may not take a name of ours") {
  Saved saved;
  CHECK(error_of([&] {
          save_checkpoint<float>(saved.path, saved.model.parameters, nullptr, {}, {{"step", "9"}});
        }).starts_with("1: internal error: the fact 'step'"));
}

TEST_CASE("checkpoint: a file whose bits flipped is refused in one line, wherever they are") {
  const Saved saved;
  const std::string whole = read_file(saved.path);
  REQUIRE(error_loading(saved.path) == "no error");
  const fs::path path = saved.folder.path() / "damaged";
  const Rng rng = Rng(1).stream("flips");
  const auto refused = [&](std::size_t at, int mask) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ mask);
    saved.folder.write("damaged", damaged);
    const std::string message = error_loading(path);
    CAPTURE(at);
    CAPTURE(mask);
    CHECK(message != "no error");
    CHECK(message.find('\n') == std::string::npos);
    CHECK(!message.starts_with("3: "));
    CHECK(error_of([&] { checkpoint_facts(path); }).starts_with("1: "));
  };
  // One bit, and several, of every byte of length, header, padding and tensors.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    const auto i = static_cast<Index>(at);
    refused(at, 1 << rng.below(2 * i, 8));
    refused(at, static_cast<int>(1 + rng.below(2 * i + 1, 255)));
  }
  // Every bit of the checksum, and of the version, which decides whether there must be one.
  for (const std::string entry : {"\"xxh3\":\"", "\"version\":\""}) {
    const std::size_t first = whole.find(entry);
    REQUIRE(first != std::string::npos);
    for (std::size_t at = first; at < first + entry.size() + 16; ++at) {
      for (int bit = 0; bit < 8; ++bit) refused(at, 1 << bit);
    }
  }
}

TEST_CASE("checkpoint: damage is told as such before it shows as something else") {
  const Saved saved;
  std::string damaged = read_file(saved.path);
  const std::size_t place = damaged.find("model.cell.weight");
  damaged[place] = 'n';
  saved.folder.write("damaged", damaged);
  CHECK(error_loading(saved.folder.path() / "damaged")
            .starts_with("damaged: its bytes do not give its checksum '"));
}
