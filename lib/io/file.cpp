#include "io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "io/descriptor.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;
using Pieces = std::span<const std::span<const std::byte>>;

int write_pieces(Descriptor& file, Pieces pieces) {
  for (const std::span<const std::byte> piece : pieces) {
    if (const int code = file.write(piece); code != 0) return code;
  }
  if (const int code = file.flush(); code != 0) return code;
  return file.close();  // network file systems report a full disk only here
}

/// Removes the file on destruction unless it was renamed away.
class Aside {
 public:
  explicit Aside(fs::path path) : path_(std::move(path)) {}
  ~Aside() {
    if (!renamed_) ::unlink(path_.c_str());
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  const fs::path& path() const { return path_; }
  /// A system error code, or 0.
  int rename_to(const fs::path& target) {
    renamed_ = std::rename(path_.c_str(), target.c_str()) == 0;
    return renamed_ ? 0 : errno;
  }

 private:
  fs::path path_;
  bool renamed_ = false;
};

/// A rename lasts only when the folder is on the disk too.
void flush_folder(const fs::path& folder, const fs::path& path) {
  Descriptor opened(folder.empty() ? fs::path(".") : folder, O_RDONLY | O_DIRECTORY);
  if (!opened.is_open()) return;  // writable but not readable: nothing can be flushed
  if (const int code = opened.flush(); code != 0) fail_system("write", path, code);
}

void replace(const fs::path& path, const fs::path& target, const struct stat* old, Pieces pieces) {
  fs::path name = target;
  name += "." + std::to_string(::getpid()) + ".partial";
  ::unlink(name.c_str());  // left by a killed process of the same number, or a link to elsewhere
  Descriptor file(name, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.is_open()) fail_system("write", path, errno);
  Aside aside(std::move(name));
  if (old != nullptr) ::fchmod(file.number(), old->st_mode & 07777);
  if (const int code = write_pieces(file, pieces); code != 0) fail_system("write", path, code);
  if (const int code = aside.rename_to(target); code != 0) fail_system("write", path, code);
  flush_folder(target.parent_path(), path);
}

/// Where a chain of links ends that leads to nothing yet.
fs::path end_of_links(const fs::path& path) {
  fs::path end = path;
  std::error_code code;
  for (fs::path next; next = fs::read_symlink(end, code), !code;) end = end.parent_path() / next;
  return end;
}

struct stat facts_of(const Descriptor& file, const fs::path& path) {
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) fail_system("read", path, errno);
  return facts;
}

const char* kind_name(mode_t mode) {
  if (S_ISFIFO(mode)) return "pipe";
  return S_ISSOCK(mode) ? "socket" : "device";
}

[[noreturn]] void fail_too_large(const fs::path& path, std::size_t largest) {
  fail(Exit::failed, "cannot read '{}': it has more than {} bytes", path.string(), largest);
}

fs::file_type type_of(const fs::path& path) {
  std::error_code code;
  const fs::file_type type = fs::status(path, code).type();
  if (type == fs::file_type::none) fail_system("read", path, code.value());
  return type;
}

}  // namespace

void write_file(const fs::path& path, Pieces pieces) {
  if (std::optional<Descriptor> stream = Descriptor::stream(path)) {
    if (const int code = write_pieces(*stream, pieces); code != 0) fail_system("write", path, code);
    return;
  }
  struct stat old {};
  if (::stat(path.c_str(), &old) != 0) {
    if (errno != ENOENT) fail_system("write", path, errno);
    return replace(path, end_of_links(path), nullptr, pieces);
  }
  if (S_ISDIR(old.st_mode)) fail_system("write", path, EISDIR);
  std::error_code code;
  const fs::path target = fs::is_symlink(path, code) ? fs::canonical(path, code) : path;
  if (code) fail_system("write", path, code.value());
  replace(path, target, &old, pieces);
}

void write_file(const fs::path& path, std::span<const std::byte> content) {
  write_file(path, Pieces(&content, 1));
}

void write_file(const fs::path& path, std::string_view content) {
  write_file(path, std::as_bytes(std::span(content)));
}

Descriptor open_regular(const fs::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) fail_system("read", path, errno);
  if (S_ISDIR(facts.st_mode)) fail_system("read", path, EISDIR);
  if (!S_ISREG(facts.st_mode)) {
    fail(Exit::failed, "cannot read '{}': it is a {}, expected a regular file", path.string(),
         kind_name(facts.st_mode));
  }
  Descriptor file(path, O_RDONLY);
  if (!file.is_open()) fail_system("read", path, errno);
  return file;
}

std::uint64_t file_size(const Descriptor& file, const fs::path& path) {
  return static_cast<std::uint64_t>(facts_of(file, path).st_size);
}

std::size_t read_at(const Descriptor& file, const fs::path& path, std::uint64_t offset,
                    std::span<std::byte> bytes) {
  constexpr std::size_t largest = std::size_t{1} << 30;  // systems refuse 2 GiB at once
  std::size_t used = 0;
  while (used < bytes.size()) {
    const ssize_t count =
        ::pread(file.number(), bytes.data() + used, std::min(bytes.size() - used, largest),
                static_cast<off_t>(offset + used));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system("read", path, errno);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  return used;
}

std::string read_file(const fs::path& path, std::size_t largest) {
  // Without O_NONBLOCK a pipe that nobody writes to would be waited for; with it, it is empty.
  Descriptor file(path, O_RDONLY | O_NONBLOCK);
  if (!file.is_open()) fail_system("read", path, errno);
  const struct stat facts = facts_of(file, path);
  if (S_ISDIR(facts.st_mode)) fail_system("read", path, EISDIR);
  if (static_cast<std::uint64_t>(facts.st_size) > largest) fail_too_large(path, largest);
  // One byte more than the stated size: the end shows without a second allocation. Pipes and /proc
  // state 0, so that the text may grow.
  std::string text(static_cast<std::size_t>(facts.st_size) + 1, '\0');
  std::size_t used = 0;
  while (true) {
    if (used > largest) fail_too_large(path, largest);
    if (used == text.size()) text.resize(std::min(2 * text.size() + 4096, largest + 1));
    const ssize_t count = ::read(file.number(), text.data() + used, text.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN && ::fcntl(file.number(), F_SETFL, 0) == 0) continue;
    if (count < 0) fail_system("read", path, errno);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  if (used == 0 && S_ISFIFO(facts.st_mode)) {
    fail(Exit::failed, "cannot read '{}': a pipe that nobody writes to", path.string());
  }
  text.resize(used);
  return text;
}

bool file_exists(const fs::path& path) { return type_of(path) != fs::file_type::not_found; }

bool is_folder(const fs::path& path) { return type_of(path) == fs::file_type::directory; }

void make_folder(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) fail_system("make the folder", path, code.value());
  if (!fs::is_directory(path, code)) fail_system("make the folder", path, ENOTDIR);
}

}  // namespace rlt
