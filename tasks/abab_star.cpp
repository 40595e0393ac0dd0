// abab_star: (abab)*, is the string so far a whole number of abab?
// Paper: FL (arXiv 2310.16076), data of Bhattamishra et al. 2020.
// Label: 1 if x_1..x_t = (abab)^j, that is t mod 4 = 0, else 0.
// Paper rule: r uniform in the window, string (abab)^floor(r / 4), rejected outside the window.
// Honest rule: the first r symbols of abababab..., r uniform in the window.
// Quirks: one string per length, so a bin holds at most 12 or 13 (paper) or 50 (honest) and Bin0
//   repeats the training strings; under the paper rule the last label is always 1.
#include "tasks/registry.hpp"
#include "tasks/star.hpp"

namespace rlt {
namespace {

class AbabStar final : public Star {
 public:
  explicit AbabStar(const TaskOptions& options) : Star(abab_star_info(options), {0, 1, 0, 1}) {}
};

}  // namespace

TaskInfo abab_star_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "abab_star";
  info.summary = "(abab)*: is what was read so far abab repeated?";
  info.source = formal_languages_source;
  info.rule = options.rule;
  info.label = "1 if x_1..x_t is (abab)^j, that is t mod 4 = 0, else 0";
  info.quirks = "one string per length: Bin0 holds nothing but training strings";
  if (options.rule == "paper") {
    info.quirks +=
        "; a bin has 12 or 13 strings; only multiples of 4, so the last label is always 1";
  }
  info.inputs = {"a", "b"};
  info.outputs = {"0", "1"};
  return info;
}

std::unique_ptr<Task> make_abab_star(const TaskOptions& options) {
  return std::make_unique<AbabStar>(options);
}

}  // namespace rlt
