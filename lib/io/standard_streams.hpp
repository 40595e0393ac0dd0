// stdin, stdout and stderr of the program: results go to stdout and must arrive, messages to stderr
// and may get lost.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace rlt {

/// The first thing that a program does. Opens descriptors 0, 1 and 2 on /dev/null where they are
/// closed, so that no file gets their numbers: still to be told apart, because nothing can be read
/// from 0 nor written to 1 and 2. Writing to a pipe without reader, or more than `ulimit -f` allows,
/// becomes an error of that write instead of the end of the process.
void prepare_standard_streams();

/// Call it after the last result. Error(failed) unless all that was printed has arrived.
void close_stdout();

/// One line on stderr, made `printable`. Never throws for want of a reader.
void write_message(std::string_view text);

template <typename... Args>
void print_message(fmt::format_string<Args...> format, Args&&... args) {
  write_message(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace rlt
