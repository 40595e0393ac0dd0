// aa_star: (aa)*, is the number of symbols read so far even?
// Paper: FL (arXiv 2310.16076), data of Bhattamishra et al. 2020.
// Label: 1 if t is even, else 0.
// Paper rule: r uniform in the window, string a^(2 floor(r / 2)), rejected outside the window.
// Honest rule: a^r, r uniform in the window.
// Quirks: one string per length, so a bin holds at most 25 (paper) or 50 (honest) and Bin0
//   repeats the training strings; under the paper rule the last label is always 1.
#include "tasks/registry.hpp"
#include "tasks/star.hpp"

namespace rlt {
namespace {

class AaStar final : public Star {
 public:
  explicit AaStar(const TaskOptions& options) : Star(aa_star_info(options), {0, 0}) {}
};

}  // namespace

TaskInfo aa_star_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "aa_star";
  info.summary = "(aa)*: is the number of symbols read so far even?";
  info.source = formal_languages_source;
  info.rule = options.rule;
  info.label = "1 if t is even, else 0";
  info.quirks = "one string per length: Bin0 holds nothing but training strings";
  if (options.rule == "paper") {
    info.quirks += "; a bin has 25 strings; only even lengths, so the last label is always 1";
  }
  info.inputs = {"a"};
  info.outputs = {"0", "1"};
  return info;
}

std::unique_ptr<Task> make_aa_star(const TaskOptions& options) {
  return std::make_unique<AaStar>(options);
}

}  // namespace rlt
