// Settings that only some cell or task has: `--cell-option NAME=VALUE`, `--task-option NAME=VALUE`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rlt {

struct Option {
  std::string name;
  std::string value;  // default
  std::string help;
  std::vector<std::string> choices;  // allowed words; empty: a number in [low, high]
  double low = 0;
  double high = 0;
  bool whole = false;  // the number has no fraction
  std::string form =
      {};  // "S3, A4xZ5 ...": what texts look like that are neither, which the owner itself checks
  std::string only_with =
      {};  // "feature_map=dpfp": with other values of that one, this changes nothing
};

/// Values by name, as text.
using OptionValues = std::map<std::string, std::string>;

/// "NAME=VALUE" items as values; Error(usage) naming `flag` ("cell-option") when one has no '='.
OptionValues parse_options(std::string_view flag, const std::vector<std::string>& items);

/// `chosen` with the defaults of `known` filled in. Error(usage), one clear line, when `owner` (the cell or
/// task) knows no such option or does not take the value.
OptionValues complete_options(std::string_view flag, std::string_view owner,
                              const std::vector<Option>& known, OptionValues chosen);

}  // namespace rlt
