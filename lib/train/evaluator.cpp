#include "train/evaluator.hpp"

#include <algorithm>
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

// One batch of sequences, read in pieces of capacity.steps tokens with the state carried between.
template <std::floating_point T>
class Reader {
 public:
  Reader(SequenceModel<T>& model, Extent capacity, int blank)
      : model_(model), batch_(capacity), blank_(blank) {}

  Score read(const std::vector<const Example*>& examples, Index longest, std::vector<T>& state,
             Index piece) {
    const Index rows = std::ssize(examples);
    const Index size = model_.state_size(longest);
    const Matrix<T> carried(state.data(), rows, size);
    model_.initial_state(carried);
    Score score;
    std::vector<bool> all_correct(examples.size(), true);
    for (Index from = 0; from < longest; from += piece) {
      check_stop();
      batch_.reset(rows, std::min(piece, longest - from));
      for (Index b = 0; b < rows; ++b) batch_.set(b, *examples[static_cast<std::size_t>(b)], from);
      const Extent extent = batch_.extent();
      const Matrix<T> logits = model_.forward(extent, batch_.tokens(), {.state = carried});
      for (Index r = 0; r < extent.rows(); ++r) {
        const int target = batch_.targets()[r];
        if (target < 0) continue;
        bool correct = false;
        score.loss += static_cast<double>(
            cross_entropy(logits.data + r * logits.stride, logits.cols, target, T(0), correct));
        ++score.tokens;
        if (correct) ++score.tokens_correct;
        if (target != blank_) {
          ++score.answers;
          if (correct) ++score.answers_correct;
        }
        if (!correct) all_correct[static_cast<std::size_t>(r / extent.steps)] = false;
      }
    }
    score.sequences = rows;
    score.sequences_correct = std::ranges::count(all_correct, true);
    return score;
  }

 private:
  SequenceModel<T>& model_;
  Batch batch_;
  int blank_;
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
  if (set.documents && !cell_info(config.cell).constant_memory) {
    set.pieces = cut(set.examples, config.segment);
  }
  return set;
}

Index EvaluationSet::longest() const {
  Index length = 0;
  for (const Example& example : strings()) length = std::max(length, std::ssize(example.tokens));
  return length;
}

template <std::floating_point T>
Score evaluate(SequenceModel<T>& model, Extent capacity, const EvaluationSet& set,
               std::size_t state_limit) {
  const std::vector<Example>& examples = set.strings();
  // Sequences of like length share a batch: less padding. Ties keep the order of the set.
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return examples[i].tokens.size(); });

  Reader<T> reader(model, capacity, set.blank);
  std::vector<T> state;
  std::vector<const Example*> batch;
  Score total;
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
           model.config().cell, bytes >> 20, longest, state_limit >> 20);
    }
    const std::size_t fitting = std::max<std::size_t>(1, state_limit / bytes);
    for (std::size_t i = first; i < std::min(last, first + fitting); ++i) {
      batch.push_back(&examples[order[i]]);
    }
    const std::size_t numbers = batch.size() * bytes / sizeof(T);
    if (numbers > state.capacity()) {
      require_memory(numbers * sizeof(T), "the state of a batch", "--batch or --lengths");
    }
    state.resize(numbers);
    total += reader.read(batch, longest, state, capacity.steps);
  }
  return total;
}

template Score evaluate<float>(SequenceModel<float>&, Extent, const EvaluationSet&, std::size_t);
template Score evaluate<double>(SequenceModel<double>&, Extent, const EvaluationSet&, std::size_t);

const std::vector<std::string>& eval_columns() {
  // clang-format off
  static const std::vector<std::string> columns = {
      "task", "rule", "protocol", "cell", "options", "parameters", "state_size", "seed", "step",
      "select", "split", "size_min", "size_max", "length_min", "length_max", "sequences",
      "sequences_correct", "tokens", "tokens_correct", "answers", "answers_correct",
      "token_accuracy", "sequence_accuracy", "answer_accuracy", "blank_accuracy", "loss", "bits",
      "chance", "best_constant", "position_majority", "chance_sequence", "best_constant_sequence",
      "position_majority_sequence", "answer_constant", "class_bits", "data_hash"};
  // clang-format on
  return columns;
}

std::vector<CsvCell> eval_row(const RunConfig& config, const EvaluationSet& set, const Score& score,
                              Index parameters, Index state_size, Index step,
                              const std::string& select) {
  const auto ratio = [](double part, Index whole) {
    return whole == 0 ? 0.0 : part / static_cast<double>(whole);
  };
  const auto share = [&](Index part, Index whole) {
    return whole == 0 ? CsvCell() : CsvCell(ratio(static_cast<double>(part), whole));
  };
  const auto size = [&](Index bound) { return bound == 0 ? CsvCell() : CsvCell(bound); };
  const double loss = ratio(score.loss, score.tokens);
  const Baselines baselines = set.baselines(set.examples);
  return {config.task,
          config.rule,
          config.protocol,
          config.cell,
          option_summary(config),
          parameters,
          state_size,
          config.seed,
          step,
          select,
          set.split,
          size(set.window.low),
          size(set.window.high),
          set.length_min,
          set.length_max,
          score.sequences,
          score.sequences_correct,
          score.tokens,
          score.tokens_correct,
          score.answers,
          score.answers_correct,
          ratio(static_cast<double>(score.tokens_correct), score.tokens),
          ratio(static_cast<double>(score.sequences_correct), score.sequences),
          share(score.answers_correct, score.answers),
          share(score.tokens_correct - score.answers_correct, score.tokens - score.answers),
          loss,
          loss / std::numbers::ln2,
          baselines.chance.token,
          baselines.best_constant.token,
          baselines.position_majority.token,
          baselines.chance.sequence,
          baselines.best_constant.sequence,
          baselines.position_majority.sequence,
          baselines.answer_constant,
          baselines.class_loss / std::numbers::ln2,
          set.hash};
}

}  // namespace rlt
