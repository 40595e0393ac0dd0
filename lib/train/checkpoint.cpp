#include "train/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "io/safetensors.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* format_name = "rlt";
constexpr const char* layout_version = "2";
constexpr const char* version_without_checksum = "1";

/// visit(name, value) for every field; a new field is one line here.
template <typename State, typename Visit>
void for_each_field(State& state, Visit&& visit) {
  visit("step", state.step);
  visit("sequences", state.sequences);
  visit("tokens", state.tokens);
  visit("wall_seconds", state.wall_seconds);
  visit("best_metric", state.best_metric);
  visit("best_loss", state.best_loss);
  visit("best_step", state.best_step);
  visit("evaluations_without_gain", state.evaluations_without_gain);
  visit("solved_in_a_row", state.solved_in_a_row);
  visit("validation_due", state.validation_due);
  visit("last_loss", state.last_loss);
  visit("gradient_norm", state.gradient_norm);
  visit("interval_loss", state.interval.loss);
  visit("interval_tokens", state.interval.tokens);
  visit("interval_tokens_correct", state.interval.tokens_correct);
  visit("interval_sequences", state.interval.sequences);
  visit("interval_sequences_correct", state.interval.sequences_correct);
}

/// The fields that came later; a checkpoint from before has their defaults.
template <typename State, typename Visit>
void for_each_later_field(State& state, Visit&& visit) {
  visit("interval_policy_loss", state.interval.policy_loss);
  visit("interval_value_loss", state.interval.value_loss);
  visit("interval_entropy", state.interval.entropy);
  const auto visit_episodes = [&](const std::string& prefix, auto& episodes) {
    visit(prefix + "_count", episodes.count);
    visit(prefix + "_successes", episodes.successes);
    visit(prefix + "_steps", episodes.steps);
    visit(prefix + "_returns", episodes.returns);
    visit(prefix + "_squares", episodes.squares);
  };
  visit_episodes("episodes", state.episodes);
  visit_episodes("unvalidated", state.unvalidated);
}

Json to_json(Index value) { return value; }
Json to_json(bool value) { return value; }
/// JSON knows no infinity.
Json to_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/// False when the value is of another kind; every integer is a count, far from overflow.
bool from_json(const Json& json, Index& value) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 60;
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > limit) return false;
  value = json.get<Index>();
  return true;
}
bool from_json(const Json& json, bool& value) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}
bool from_json(const Json& json, double& value) {
  if (json.is_number()) {
    value = json.get<double>();
    return true;
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (json == "nan") value = std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") value = infinity;
  if (json == "-inf") value = -infinity;
  return json == "nan" || json == "inf" || json == "-inf";
}

std::string state_text(const TrainingState& state) {
  Json json = Json::object();
  const auto add = [&](const std::string& name, const auto& value) { json[name] = to_json(value); };
  for_each_field(state, add);
  for_each_later_field(state, add);
  return json.dump();
}

/// The first field that no run can have reached; null when there is none.
const char* impossible_field(const TrainingState& state) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Score& interval = state.interval;
  const bool evaluated = state.best_step > 0;
  const std::pair<const char*, bool> possible[] = {
      {"wall_seconds", std::isfinite(state.wall_seconds) && state.wall_seconds >= 0},
      {"best_metric", evaluated ? state.best_metric >= 0 && state.best_metric <= 1
                                : state.best_metric == -infinity},
      {"best_loss", state.best_loss >= 0},
      {"best_step", state.best_step <= state.step},
      {"evaluations_without_gain", state.evaluations_without_gain <= state.step},
      {"solved_in_a_row", state.solved_in_a_row <= state.step},
      {"last_loss", std::isfinite(state.last_loss)},
      {"gradient_norm", std::isfinite(state.gradient_norm)},
      {"interval_loss", std::isfinite(interval.loss)},
      {"interval_tokens", interval.tokens <= state.tokens},
      {"interval_tokens_correct", interval.tokens_correct <= interval.tokens},
      {"interval_sequences", interval.sequences <= state.sequences},
      {"interval_sequences_correct", interval.sequences_correct <= interval.sequences},
  };
  for (const auto& [name, is_possible] : possible) {
    if (!is_possible) return name;
  }
  return nullptr;
}

TrainingState parse_state(const fs::path& path, const Facts& facts) {
  const auto text = facts.find("state");
  const Json json = text == facts.end() ? Json() : Json::parse(text->second, nullptr, false);
  if (!json.is_object()) {
    fail(Exit::failed, "'{}': the metadata holds no training state", path.string());
  }
  TrainingState state;
  const auto refuse = [&](const std::string& name) {
    fail(Exit::failed, "'{}': the training state has no valid '{}'{}", path.string(), name,
         json.contains(name) ? ": found " + json[name].dump() : "");
  };
  const bool old = facts.at("version") == version_without_checksum;
  for_each_field(state, [&](const char* name, auto& value) {
    if (old && std::string_view(name) == "validation_due") return;
    if (!json.contains(name) || !from_json(json[name], value)) refuse(name);
  });
  for_each_later_field(state, [&](const std::string& name, auto& value) {
    if (json.contains(name) && !from_json(json[name], value)) refuse(name);
  });
  if (const char* const name = impossible_field(state)) refuse(name);
  return state;
}

void check_format(const Safetensors& file) {
  const Facts& facts = file.metadata();
  const auto value = [&](const char* key) {
    const auto found = facts.find(key);
    return found == facts.end() ? "none" : "'" + found->second + "'";
  };
  if (value("format") != fmt::format("'{}'", format_name)) {
    fail(Exit::failed,
         "'{}': a safetensors file, but no checkpoint of this program: its metadata has format {}, "
         "expected '{}'",
         file.path().string(), value("format"), format_name);
  }
  const std::string version = value("version");
  if (version == fmt::format("'{}'", version_without_checksum)) return;
  if (version != fmt::format("'{}'", layout_version)) {
    fail(Exit::failed, "'{}': a checkpoint of version {}, expected '{}' or '{}'",
         file.path().string(), version, version_without_checksum, layout_version);
  }
  if (!facts.contains(checksum_key)) {
    fail(Exit::failed, "'{}': damaged: a checkpoint of version {} without a checksum",
         file.path().string(), version);
  }
}

/// One array that the file holds, and where it lies in memory.
template <typename T>
struct Slot {
  std::string name;
  std::vector<Index> shape;
  std::span<T> values;
};

/// Everything a checkpoint of these parameters holds, in order.
template <typename T>
std::vector<Slot<T>> slots(const ParameterSet<T>& parameters, Optimizer<T>* optimizer,
                           const std::vector<Carried<T>>& carried) {
  std::vector<Slot<T>> all;
  const auto add = [&](const std::string& prefix, const Parameter<T>& parameter, T* values) {
    const auto count = static_cast<std::size_t>(parameter.count());
    all.push_back({prefix + parameter.name, parameter.shape, {values, count}});
  };
  for (const Parameter<T>& parameter : parameters.all()) add("model.", parameter, parameter.value);
  for (const auto& [name, values] : carried) {
    const auto count = static_cast<std::size_t>(values.rows * values.cols);
    all.push_back({"carried." + name, {values.rows, values.cols}, {values.data, count}});
  }
  if (optimizer == nullptr) return all;
  for (const auto& moment : optimizer->moments()) {
    const std::string prefix = fmt::format("optimizer.{}.", moment.name);
    for (const Parameter<T>& parameter : parameters.all()) {
      add(prefix, parameter, moment.values.data() + parameter.offset);
    }
  }
  return all;
}

/// "[2, 0, 5]" for the entry at `position` of a row-major array.
std::string index_text(Index position, const std::vector<Index>& shape) {
  std::vector<Index> index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = position % shape[axis];
    position /= shape[axis];
  }
  return fmt::format("[{}]", fmt::join(index, ", "));
}

/// Error when an entry is nan or infinite; `values` may lie unaligned.
template <typename T>
void check_finite(Exit code, const fs::path& path, const std::string& name,
                  const std::vector<Index>& shape, std::span<const std::byte> values) {
  const auto count = static_cast<Index>(values.size() / sizeof(T));
  for (Index i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, values.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
    if (std::isfinite(value)) continue;
    fail(code, "'{}': tensor '{}' has {} at {}, expected finite numbers", path.string(), name,
         std::isnan(value) ? "nan" : "infinity", index_text(i, shape));
  }
}

template <typename T>
void check_tensor(const Safetensors& file, const Slot<T>& slot) {
  const std::string path = file.path().string();
  const TensorView* tensor = file.find(slot.name);
  if (tensor == nullptr && slot.name.starts_with("optimizer.") &&
      std::ranges::none_of(file.names(),
                           [](const auto& n) { return n.starts_with("optimizer."); })) {
    fail(Exit::failed, "'{}': holds weights only, expected the optimizer's memory too", path);
  }
  if (tensor == nullptr) fail(Exit::failed, "'{}': tensor '{}' is missing", path, slot.name);
  if (tensor->shape != slot.shape) {
    fail(Exit::failed, "'{}': tensor '{}' has the shape [{}], expected [{}]", path, slot.name,
         fmt::join(tensor->shape, ", "), fmt::join(slot.shape, ", "));
  }
  if (tensor->dtype != dtype_of<T>()) {
    fail(Exit::failed, "'{}': tensor '{}' is {}, expected {}", path, slot.name, tensor->dtype,
         dtype_of<T>());
  }
  check_finite<T>(Exit::failed, file.path(), slot.name, slot.shape, tensor->bytes);
}

}  // namespace

template <typename T>
void save_checkpoint(const fs::path& path, const ParameterSet<T>& parameters,
                     Optimizer<T>* optimizer, const TrainingState& state, const Facts& facts,
                     const std::vector<Carried<T>>& carried) {
  Facts metadata = {{"format", format_name},
                    {"version", layout_version},
                    {"step", std::to_string(state.step)},
                    {"state", state_text(state)},
                    {checksum_key, ""}};
  for (const auto& [key, value] : facts) {
    if (!metadata.insert({key, value}).second) {
      fail(Exit::failed, "internal error: the fact '{}' of '{}' is taken", key, path.string());
    }
  }
  std::vector<TensorView> tensors;
  for (const Slot<T>& slot : slots(parameters, optimizer, carried)) {
    const std::span<const std::byte> bytes = std::as_bytes(slot.values);
    check_finite<T>(Exit::diverged, path, slot.name, slot.shape, bytes);
    tensors.push_back({slot.name, dtype_of<T>(), slot.shape, bytes});
  }
  write_safetensors(path, tensors, metadata, Checksum::with);
}

template <typename T>
void load_checkpoint(const fs::path& path, ParameterSet<T>& parameters, Optimizer<T>* optimizer,
                     TrainingState& state, const std::vector<Carried<T>>& carried) {
  const Safetensors file(path);
  check_format(file);
  const TrainingState found = parse_state(path, file.metadata());
  const std::vector<Slot<T>> wanted = slots(parameters, optimizer, carried);
  std::set<std::string> names;
  for (const Slot<T>& slot : wanted) {
    check_tensor(file, slot);
    names.insert(slot.name);
  }
  for (const TensorView& tensor : file.tensors()) {
    const bool passed_over = (optimizer == nullptr && tensor.name.starts_with("optimizer.")) ||
                             (carried.empty() && tensor.name.starts_with("carried."));
    if (!passed_over && !names.contains(tensor.name)) {
      fail(Exit::failed, "'{}': tensor '{}' has no place in this model or optimizer", path.string(),
           tensor.name);
    }
  }
  for (const Slot<T>& slot : wanted) {
    std::ranges::copy(file.find(slot.name)->bytes, std::as_writable_bytes(slot.values).begin());
  }
  state = found;
}

Facts checkpoint_facts(const fs::path& path) {
  const Safetensors file(path);
  check_format(file);
  Facts facts = file.metadata();
  for (const char* const own : {"format", "version", "step", "state", checksum_key}) {
    facts.erase(own);
  }
  return facts;
}

TrainingState checkpoint_state(const fs::path& path) {
  const Safetensors file(path);
  check_format(file);
  return parse_state(path, file.metadata());
}

template void save_checkpoint<float>(const fs::path&, const ParameterSet<float>&, Optimizer<float>*,
                                     const TrainingState&, const Facts&,
                                     const std::vector<Carried<float>>&);
template void save_checkpoint<double>(const fs::path&, const ParameterSet<double>&,
                                      Optimizer<double>*, const TrainingState&, const Facts&,
                                      const std::vector<Carried<double>>&);
template void load_checkpoint<float>(const fs::path&, ParameterSet<float>&, Optimizer<float>*,
                                     TrainingState&, const std::vector<Carried<float>>&);
template void load_checkpoint<double>(const fs::path&, ParameterSet<double>&, Optimizer<double>*,
                                      TrainingState&, const std::vector<Carried<double>>&);

}  // namespace rlt
