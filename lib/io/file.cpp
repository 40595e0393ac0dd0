#include "io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
  Descriptor file(name, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) fail_system("write", path, errno);
  Aside aside(std::move(name));
  if (old != nullptr) ::fchmod(file.number(), old->st_mode & 07777);
  if (const int code = write_pieces(file, pieces); code != 0) fail_system("write", path, code);
  if (const int code = aside.rename_to(target); code != 0) fail_system("write", path, code);
  flush_folder(target.parent_path(), path);
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
    return replace(path, path, nullptr, pieces);
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

std::string read_file(const fs::path& path) {
  Descriptor file(path, O_RDONLY);
  if (!file.is_open()) fail_system("read", path, errno);
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) fail_system("read", path, errno);
  if (S_ISDIR(facts.st_mode)) fail_system("read", path, EISDIR);
  // One byte more than the stated size: the end shows without a second allocation. Pipes and /proc
  // state 0, so that the text may grow.
  std::string text(static_cast<std::size_t>(facts.st_size) + 1, '\0');
  std::size_t used = 0;
  while (true) {
    if (used == text.size()) text.resize(2 * text.size() + 4096);
    const ssize_t count = ::read(file.number(), text.data() + used, text.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system("read", path, errno);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  text.resize(used);
  return text;
}

void make_folder(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) fail_system("make the folder", path, code.value());
  if (!fs::is_directory(path, code)) fail_system("make the folder", path, ENOTDIR);
}

}  // namespace rlt
