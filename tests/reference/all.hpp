// The references by cell name; the contract fails for a cell without one.
#pragma once

#include "reference/deltanet.hpp"
#include "reference/srwm.hpp"
#include "reference/rdn.hpp"
#include "reference/linear.hpp"

namespace reference {

inline Forward find(const std::string& cell) {
  static const std::map<std::string, Forward> all = {
      {"deltanet", deltanet},
      {"srwm", srwm},
      {"rdn", rdn},
      {"linear", linear},
  };
  const auto found = all.find(cell);
  return found == all.end() ? Forward() : found->second;
}

}  // namespace reference
