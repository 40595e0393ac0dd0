#include "base/level.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace rlt {
namespace {

constexpr std::array<std::string_view, 3> lowest_first = {"x86-64", "x86-64-v3", "x86-64-v4"};

// What is no level ("native") runs wherever it is.
std::ptrdiff_t height(std::string_view name) {
  const auto* const place = std::find(lowest_first.begin(), lowest_first.end(), name);
  return place == lowest_first.end() ? 0 : place - lowest_first.begin();
}

}  // namespace

std::string_view level() { return RLT_LEVEL; }

std::string_view processor_level() {
#if defined(__x86_64__)
#if !defined(__clang__)  // clang 14, which lints, does not know these names
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
  return "x86-64";
#else
  return "default";
#endif
}

std::string choose_level(const std::vector<std::string>& present, std::string_view most,
                         std::string_view asked) {
  if (asked.empty()) {
    std::string_view best;
    for (const std::string& name : present) {
      if (height(name) <= height(most) && (best.empty() || height(name) > height(best))) {
        best = name;
      }
    }
    if (best.empty()) {
      fail(Exit::usage, "this program needs a processor of level {}, this one is of level {}",
           present.front(), most);
    }
    return std::string(best);
  }
  const bool is_present = std::find(present.begin(), present.end(), asked) != present.end();
  if (!is_present &&
      std::find(lowest_first.begin(), lowest_first.end(), asked) == lowest_first.end()) {
    fail(Exit::usage, "RLT_LEVEL={}: no such level{}", asked,
         suggestion(asked, {lowest_first.begin(), lowest_first.end()}));
  }
  if (height(asked) > height(most)) {
    fail(Exit::usage, "RLT_LEVEL={}: this processor is of level {}", asked, most);
  }
  if (!is_present) {
    fail(Exit::usage, "RLT_LEVEL={}: not built or not installed here; there is: {}", asked,
         fmt::join(present, ", "));
  }
  return std::string(asked);
}

std::string missing_levels(std::string_view own, const std::vector<std::string>& present,
                           std::string_view most, std::string_view folder) {
  if (own != lowest_first.front() || present.size() > 1 || height(most) == 0) return {};
  return fmt::format(
      "runs at level {}, slowly: this processor is of level {}, but '{}' has no faster rlt; it "
      "belongs to this program (RLT_LEVEL={} runs without this note)",
      own, most, folder, own);
}

std::string hand_over(char** argv) {
  namespace fs = std::filesystem;
  const std::string own(level());
  std::error_code unreadable;  // then this program stands alone
  const fs::path here = fs::read_symlink("/proc/self/exe", unreadable);
  const fs::path folder = here.parent_path() / RLT_LEVEL_FOLDER;
  const auto path_of = [&](std::string_view name) {
    return (folder / fmt::format("{}-{}", here.filename().string(), name)).string();
  };
  std::vector<std::string> present = {own};
  if (own == lowest_first.front()) {
    for (const std::string_view name : lowest_first) {
      if (name != own && access(path_of(name).c_str(), X_OK) == 0) present.emplace_back(name);
    }
  }
  const char* const variable = std::getenv("RLT_LEVEL");
  const std::string_view asked = variable == nullptr ? "" : variable;
  const std::string chosen = choose_level(present, processor_level(), asked);
  if (chosen == own) {
    if (!asked.empty()) return {};
    return missing_levels(own, present, processor_level(), folder.lexically_normal().string());
  }
  const std::string path = path_of(chosen);
  execv(path.c_str(), argv);  // returns only when it could not
  fail(Exit::failed, "'{}': {}", path, std::generic_category().message(errno));
}

}  // namespace rlt
