#include <system_error>

#include "base/error.hpp"
#include "commands.hpp"

namespace rlt {

namespace fs = std::filesystem;

void require_new(std::string_view flag, const fs::path& path) {
  std::error_code problem;
  const fs::file_type type = fs::symlink_status(path, problem).type();
  if (type == fs::file_type::not_found) return;
  if (type == fs::file_type::none) fail(Exit::failed, "{}: {}", path.string(), problem.message());
  const fs::file_status target = fs::status(path, problem);
  if (fs::exists(target) && fs::is_other(target)) return;
  fail(Exit::failed, "--{}: {} is there already and is not replaced; choose another place", flag,
       path.string());
}

}  // namespace rlt
