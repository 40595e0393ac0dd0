#include "train/evaluator.hpp"

#include <algorithm>
#include <bit>
#include <numbers>
#include <numeric>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "train/dataset.hpp"
#include "train/segments.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

using MeasureBaselines = std::function<Baselines(const std::vector<Example>&)>;

EvaluationSet described(const Task& task, std::string split, Window window,
                        std::vector<Example> examples, MeasureBaselines baselines) {
  EvaluationSet set;
  set.split = std::move(split);
  set.window = window;
  set.blank = task.info().blank;
  set.documents = task.info().documents;
  set.features = task.info().features;
  set.real_targets = task.info().real_targets;
  set.asks_last = task.info().asks_last;
  set.examples = std::move(examples);
  set.baselines = std::move(baselines);
  set.hash = data_hash(set.examples);
  const auto shorter = [](const Example& a, const Example& b) {
    return a.tokens.size() < b.tokens.size();
  };
  const auto [shortest, longest] = std::ranges::minmax_element(set.examples, shorter);
  set.length_min = std::ssize(shortest->tokens);
  set.length_max = std::ssize(longest->tokens);
  return set;
}

/// Position `from`, counted from 0, belongs to this entry.
std::size_t entry_of(const ByPosition& by_position, Index from) {
  return std::bit_width(static_cast<std::uint64_t>(from / by_position.first));
}

// Reads one batch of sequences in pieces of capacity.steps tokens with the state carried between.
template <std::floating_point T>
class Reader {
 public:
  Reader(SequenceModel<T>& model, const Loss<T>& loss, Extent capacity, const EvaluationSet& set,
         ByPosition* by_position)
      : model_(model),
        loss_(loss),
        batch_(capacity, set.features, set.real_targets, set.asks_last),
        blank_(set.blank),
        by_position_(by_position) {}

  Score read(const std::vector<const Example*>& examples, Index longest, Index piece) {
    const Index rows = std::ssize(examples);
    State<T> state = model_.fresh_state(rows, longest);
    std::vector<Score> scores(examples.size());
    for (Index from = 0, steps = 0; from < longest; from += steps) {
      check_stop();
      steps = std::min(piece, longest - from);
      if (by_position_ != nullptr) {
        steps = std::min(steps, by_position_->high(entry_of(*by_position_, from)) - from);
      }
      batch_.reset(rows, steps);
      for (Index b = 0; b < rows; ++b) batch_.set(b, *examples[static_cast<std::size_t>(b)], from);
      const Matrix<T> outputs =
          model_.forward(batch_.inputs(), {.state = &state, .keep = Pass<T>::Keep::nothing});
      const Score before = total(scores);
      loss_.apply(batch_.targets(blank_), T(0), outputs, scores);
      if (by_position_ != nullptr) count(from, before, total(scores));
    }
    return total(scores);
  }

 private:
  void count(Index from, const Score& before, const Score& after) {
    const std::size_t entry = entry_of(*by_position_, from);
    by_position_->labels.resize(std::max(by_position_->labels.size(), entry + 1));
    Labels& labels = by_position_->labels[entry];
    labels.scored += after.tokens - before.tokens;
    labels.right += after.tokens_correct - before.tokens_correct;
    labels.loss += after.loss - before.loss;
  }

  SequenceModel<T>& model_;
  const Loss<T>& loss_;
  Batch batch_;
  int blank_;
  ByPosition* by_position_;
};

}  // namespace

EvaluationSet bin_set(const RunConfig& config, const Task& task, Index bin, Index sequences,
                      std::uint64_t seed) {
  const Window window = bin == 0 ? training_window(config, task) : bin_window(task.info(), bin);
  std::vector<Example> examples = evaluation_set(task, window, sequences, seed);
  return described(task, fmt::format("bin{}", bin), window, std::move(examples),
                   [&task, window, seed](const std::vector<Example>& scored) {
                     return window_baselines(task, window, scored, seed);
                   });
}

EvaluationSet length_set(const Task& task, Index length, Index sequences, std::uint64_t seed) {
  const Index possible = task.possible_length(length);
  if (possible == 0) {
    fail(Exit::usage,
         "--lengths {}: {} has no string that short; its shortest training string has {}", length,
         task.info().name, task.info().training.low);
  }
  std::vector<Example> examples = exact_set(task, possible, sequences, seed);
  return described(task, "length", {possible, possible}, std::move(examples),
                   [&task, possible, seed](const std::vector<Example>& scored) {
                     return exact_baselines(task, possible, scored, seed);
                   });
}

EvaluationSet fixed_set(const RunConfig& config, const Task& task, const std::string& split) {
  const std::vector<Example>* const examples = task.fixed_set(split);
  const std::vector<Example>* const training = task.fixed_set("train");
  if (examples == nullptr || examples->empty() || training == nullptr) {
    fail(Exit::usage, "task {} has no set '{}'", task.info().name, split);
  }
  EvaluationSet set =
      described(task, split, {}, *examples, [&task, training](const std::vector<Example>& scored) {
        return measure_baselines(scored, *training, class_facts(task.info()));
      });
  set.bytes = task.predicted_bytes(split);
  if (set.documents && !cell_info(config.cell).constant_memory) {
    set.segments = cut(set.examples, config.segment);
  }
  return set;
}

Index EvaluationSet::longest() const {
  Index length = 0;
  for (const Example& example : strings()) length = std::max(length, std::ssize(example.tokens));
  return length;
}

template <std::floating_point T>
Score evaluate(SequenceModel<T>& model, const Loss<T>& loss, Extent capacity,
               const EvaluationSet& set, std::size_t state_limit, ByPosition* by_position) {
  const std::vector<Example>& examples = set.strings();
  // Sequences of like length share a batch: less padding. Ties keep the order of the set.
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return examples[i].tokens.size(); });

  Reader<T> reader(model, loss, capacity, set, by_position);
  std::vector<const Example*> batch;
  Score sum;
  for (std::size_t first = 0; first < order.size(); first += batch.size()) {
    batch.clear();
    const std::size_t last =
        std::min(order.size(), first + static_cast<std::size_t>(capacity.batch));
    const Index longest = std::ssize(examples[order[last - 1]].tokens);
    const std::size_t bytes = bytes_of(sizeof(T), model.state_size(longest));
    if (bytes > state_limit) {
      fail(Exit::failed,
           "{} keeps {} MiB of state for one sequence of {} tokens, more than the {} MiB allowed; "
           "choose shorter --lengths",
           model.config().layers.front().cell, bytes >> 20, longest, state_limit >> 20);
    }
    const std::size_t fitting = std::max<std::size_t>(1, state_limit / bytes);
    for (std::size_t i = first; i < std::min(last, first + fitting); ++i) {
      batch.push_back(&examples[order[i]]);
    }
    sum += reader.read(batch, longest, capacity.steps);
  }
  return sum;
}

template Score evaluate<float>(SequenceModel<float>&, const Loss<float>&, Extent,
                               const EvaluationSet&, std::size_t, ByPosition*);
template Score evaluate<double>(SequenceModel<double>&, const Loss<double>&, Extent,
                                const EvaluationSet&, std::size_t, ByPosition*);

}  // namespace rlt
