// A pipe under a name, which gives its text to the first who reads it and to no one after.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace rlt::test {

class Pipe {
 public:
  /// `text` must fit into the pipe: 64 KiB.
  Pipe(const std::filesystem::path& name, const std::string& text) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::write(ends[1], text.data(), text.size()) == std::ssize(text));
    ::close(ends[1]);
    end_ = ends[0];
    std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(end_), name);
  }
  ~Pipe() { ::close(end_); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

 private:
  int end_;
};

}  // namespace rlt::test
