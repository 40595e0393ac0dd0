#include "tasks/npy_form.hpp"

#include <algorithm>
#include <cstdint>
#include <xtensor/xnpy.hpp>
#include <xtensor/xtensor.hpp>

namespace rlt {

NpyForm npy_form(const std::vector<Example>& examples) {
  std::size_t longest = 0;
  for (const Example& example : examples) longest = std::max(longest, example.tokens.size());
  const std::array<std::size_t, 2> shape = {examples.size(), longest};
  xt::xtensor<std::int32_t, 2> tokens(shape, 0);
  xt::xtensor<std::int32_t, 2> targets(shape, not_scored);
  xt::xtensor<std::int64_t, 1> lengths({examples.size()}, 0);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    std::ranges::copy(examples[i].tokens, &tokens(i, 0));
    std::ranges::copy(examples[i].targets, &targets(i, 0));
    lengths(i) = std::ssize(examples[i].tokens);
  }
  return {xt::dump_npy(tokens), xt::dump_npy(targets), xt::dump_npy(lengths)};
}

}  // namespace rlt
