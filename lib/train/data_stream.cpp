#include "train/data_stream.hpp"

#include <algorithm>
#include <numeric>

namespace rlt {
namespace {

// Fisher-Yates over `count` groups of `size` entries each.
void permute(Draws& draws, Index count, Index size, std::vector<std::size_t>& order) {
  for (Index i = count; i > 1; --i) {
    const Index j = draws.below(i);
    if (j == i - 1) continue;
    std::swap_ranges(order.begin() + (i - 1) * size, order.begin() + i * size,
                     order.begin() + j * size);
  }
}

}  // namespace

DataStream::DataStream(const RunConfig& config, const Task& task,
                       const std::vector<Example>& validation)
    : config_(config), task_(task), validation_(validation) {
  if (config.segment > 0) {
    segments_.emplace(*task.fixed_set("train"), config.batch, config.segment);
    return;
  }
  if (task.fixed_set("train") == nullptr) window_ = training_window(config, task);
  const Index size = training_size(config, task);
  fresh_ = size == 0;
  if (fresh_) {
    examples_.resize(static_cast<std::size_t>(config.batch));
  } else {
    examples_ = training_set(task, window_, size, config.seed, validation);
    order_.resize(examples_.size());
  }
}

Index DataStream::steps_per_epoch() const {
  if (segments_) return segments_->steps_per_epoch();
  return fresh_ ? 0 : divide_up(std::ssize(examples_), config_.batch);
}

Extent DataStream::choose(Index step) {
  if (segments_) {
    step_of_epoch_ = (step - 1) % steps_per_epoch();
    return extent_ = segments_->extent(step_of_epoch_);
  }
  chosen_.clear();
  if (fresh_) {
    choose_fresh(step);
  } else {
    choose_from_set(step);
  }
  Index longest = 0;
  for (const Example* example : chosen_) longest = std::max(longest, std::ssize(example->tokens));
  return extent_ = {std::ssize(chosen_), longest};
}

void DataStream::fill(Batch& batch) const {
  if (segments_) {
    segments_->fill(step_of_epoch_, batch);
    return;
  }
  batch.reset(extent_.batch, extent_.steps);
  for (Index b = 0; b < extent_.batch; ++b) {
    batch.set(b, *chosen_[static_cast<std::size_t>(b)]);
  }
}

void DataStream::choose_fresh(Index step) {
  const Rng rng = Rng(config_.seed).stream("data").stream(static_cast<std::uint64_t>(step));
  std::size_t bytes = 0;
  for (std::size_t row = 0; row < examples_.size(); ++row) {
    fresh_example(task_, window_, rng.stream(row), validation_, examples_[row]);
    chosen_.push_back(&examples_[row]);
    bytes += 2 * sizeof(int) * examples_[row].tokens.capacity();
    require_memory(bytes, "the strings of a batch", "--batch or --window", left_);
  }
}

void DataStream::choose_from_set(Index step) {
  const Index epoch = (step - 1) / steps_per_epoch();
  shuffle(epoch);
  const std::size_t first =
      static_cast<std::size_t>((step - 1 - epoch * steps_per_epoch()) * config_.batch);
  const std::size_t last =
      std::min(examples_.size(), first + static_cast<std::size_t>(config_.batch));
  for (std::size_t i = first; i < last; ++i) chosen_.push_back(&examples_[order_[i]]);
}

// The order of an epoch depends on the seed and the epoch alone. With --bucket n, the strings of n batches at a
// time are sorted by length, so that a batch holds strings of like length and little padding; then the batches
// are shuffled (the last one, which may be smaller, stays last).
void DataStream::shuffle(Index epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  Draws draws(Rng(config_.seed).stream("order").stream(static_cast<std::uint64_t>(epoch)));
  permute(draws, std::ssize(order_), 1, order_);
  if (config_.bucket <= 1) return;
  const Index size = config_.bucket * config_.batch;
  for (Index first = 0; first < std::ssize(order_); first += size) {
    const Index last = std::min(std::ssize(order_), first + size);
    std::stable_sort(order_.begin() + first, order_.begin() + last,
                     [&](std::size_t a, std::size_t b) {
                       return examples_[a].tokens.size() < examples_[b].tokens.size();
                     });
  }
  permute(draws, std::ssize(order_) / config_.batch, config_.batch, order_);
}

}  // namespace rlt
