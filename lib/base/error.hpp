// One exception type for everything that a user can cause or meet; it carries the exit code.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace rlt {

/// Exit codes of the program.
enum class Exit : int {
  done = 0,
  failed = 1,        // file, disk, data
  usage = 2,         // command line or configuration
  diverged = 3,      // NaN or infinity in training
  no = 4,            // the answer is no: gradients differ, accuracy below --require
  stopped = 75,      // time limit or signal; resumable
  interrupted = 130  // Ctrl-C; checkpoint written
};

class Error : public std::runtime_error {
 public:
  Error(Exit code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Exit code() const { return code_; }

 private:
  Exit code_;
};

/// The exit code for whatever was thrown.
inline Exit exit_of(const std::exception& error) {
  const auto* const known = dynamic_cast<const Error*>(&error);
  return known == nullptr ? Exit::failed : known->code();
}

/// Throws an Error; the message says what was asked, what was found and what to do.
template <typename... Args>
[[noreturn]] void fail(Exit code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace rlt
