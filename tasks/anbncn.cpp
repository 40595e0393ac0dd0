// anbncn: a^n b^n c^n, the symbols that may come next (counter-3 of the paper).
// Paper: FL (arXiv 2310.16076), data of Bhattamishra et al. 2020.
// Label: every a -> {a, b}; b_1..b_(n-1) -> {b}; b_n, c_1..c_(n-1) -> {c}; c_n -> {T}, the end.
// Paper rule: n uniform in the window. Honest rule: length 3n in the window, n uniform.
// Quirks: the paper's window bounds n, not the length (n up to 50: 150 symbols); one string per
//   n, so Bin0 repeats the training strings.
#include "tasks/counter.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

class Anbncn final : public Counter {
 public:
  explicit Anbncn(const TaskOptions& options) : Counter(anbncn_info(options)) {}
};

}  // namespace

TaskInfo anbncn_info(const TaskOptions& options) {
  TaskInfo info = counter_info(options, {"a", "b", "c"});
  info.name = "anbncn";
  info.summary = "a^n b^n c^n: which symbols may come next?";
  info.label = "a -> a|b; b_1..b_(n-1) -> b; b_n, c_1..c_(n-1) -> c; c_n -> T (end)";
  return info;
}

std::unique_ptr<Task> make_anbncn(const TaskOptions& options) {
  return std::make_unique<Anbncn>(options);
}

}  // namespace rlt
