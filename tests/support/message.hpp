// What an Error says and with which exit code, as one text to compare with.
#pragma once

#include <fmt/format.h>

#include <string>

#include "base/error.hpp"

namespace rlt::test {

/// "CODE: message" of the Error that `action` throws; "no error" when it throws none.
template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return fmt::format("{}: {}", static_cast<int>(error.code()), error.what());
  }
  return "no error";
}

}  // namespace rlt::test
