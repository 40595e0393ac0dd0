// anbn: a^n b^n, the symbols that may come next (counter-2 of the paper).
// Paper: FL (arXiv 2310.16076), data of Bhattamishra et al. 2020.
// Label: every a -> {a, b}; b_1..b_(n-1) -> {b}; b_n -> {T}, the end.
// Paper rule: n uniform in the window. Honest rule: length 2n in the window, n uniform.
// Quirks: the paper's window bounds n, not the length (n up to 50: 100 symbols); one string per
//   n, so Bin0 repeats the training strings.
#include "tasks/counter.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

class Anbn final : public Counter {
 public:
  explicit Anbn(const TaskOptions& options) : Counter(anbn_info(options)) {}
};

}  // namespace

TaskInfo anbn_info(const TaskOptions& options) {
  TaskInfo info = counter_info(options, {"a", "b"});
  info.name = "anbn";
  info.summary = "a^n b^n: which symbols may come next?";
  info.label = "a -> a|b; b_1..b_(n-1) -> b; b_n -> T (end)";
  return info;
}

std::unique_ptr<Task> make_anbn(const TaskOptions& options) {
  return std::make_unique<Anbn>(options);
}

}  // namespace rlt
