#include "mixing/cell_config.hpp"

#include <array>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace rlt {
namespace {

constexpr std::array<std::pair<Positions, std::string_view>, 5> position_names{{
    {Positions::none, "none"},
    {Positions::sinusoidal, "sinusoidal"},
    {Positions::learned, "learned"},
    {Positions::alibi, "alibi"},
    {Positions::rotary, "rotary"},
}};

}  // namespace

std::string_view to_string(Positions positions) {
  for (const auto& [value, name] : position_names) {
    if (value == positions) return name;
  }
  return "";
}

std::string_view to_string(RealInput input) {
  switch (input) {
    case RealInput::linear:
      return "linear";
    case RealInput::relu:
      return "relu";
    case RealInput::direct:
      return "direct";
  }
  return "";
}

Positions parse_positions(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [value, known_name] : position_names) {
    if (known_name == name) return value;
    known.emplace_back(known_name);
  }
  fail(Exit::usage, "--positions {}: unknown{}", name, suggestion(name, known));
}

}  // namespace rlt
