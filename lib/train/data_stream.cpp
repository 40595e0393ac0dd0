#include "train/data_stream.hpp"

#include <algorithm>
#include <numeric>

namespace rlt {

DataStream::DataStream(const RunConfig& config, const Task& task,
                       const std::vector<Example>& validation)
    : config_(config), task_(task), validation_(validation) {
  if (task.fixed_set("train") == nullptr) window_ = training_window(config, task);
  if (config.train_size > 0) {
    examples_ = training_set(task, window_, config.train_size, config.seed, validation);
    order_.resize(examples_.size());
  } else {
    examples_.resize(static_cast<std::size_t>(config.batch));
  }
}

Index DataStream::steps_per_epoch() const {
  return config_.train_size == 0 ? 0 : divide_up(std::ssize(examples_), config_.batch);
}

// Fisher-Yates; the order of an epoch depends on the seed and the epoch alone.
void DataStream::shuffle(Index epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  Draws draws(Rng(config_.seed).stream("order").stream(static_cast<std::uint64_t>(epoch)));
  for (std::size_t i = order_.size(); i > 1; --i) {
    std::swap(order_[i - 1], order_[static_cast<std::size_t>(draws.below(static_cast<Index>(i)))]);
  }
}

const std::vector<const Example*>& DataStream::at(Index step) {
  batch_.clear();
  if (config_.train_size == 0) {
    const Rng rng = Rng(config_.seed).stream("data").stream(static_cast<std::uint64_t>(step));
    for (std::size_t row = 0; row < examples_.size(); ++row) {
      fresh_example(task_, window_, rng.stream(row), validation_, examples_[row]);
      batch_.push_back(&examples_[row]);
    }
    return batch_;
  }
  const Index epoch = (step - 1) / steps_per_epoch();
  shuffle(epoch);
  const std::size_t first =
      static_cast<std::size_t>((step - 1 - epoch * steps_per_epoch()) * config_.batch);
  const std::size_t last =
      std::min(examples_.size(), first + static_cast<std::size_t>(config_.batch));
  for (std::size_t i = first; i < last; ++i) batch_.push_back(&examples_[order_[i]]);
  return batch_;
}

}  // namespace rlt
