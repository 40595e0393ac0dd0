#include "train/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "train/stop.hpp"

namespace rlt {
namespace {

/// 64-bit FNV-1a (Fowler, Noll, Vo), byte by byte.
class Fnv {
 public:
  void add(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) hash_ = (hash_ ^ (value >> 8 * i & 0xff)) * 0x100000001b3ULL;
  }
  void add(const std::vector<int>& values) {
    for (const int value : values) add(static_cast<std::uint32_t>(value), 4);
  }
  void add(const std::vector<float>& values) {
    for (const float value : values) add(std::bit_cast<std::uint32_t>(value), 4);
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

std::uint64_t string_hash(const std::vector<int>& tokens) {
  Fnv hash;
  hash.add(tokens);
  return hash.value();
}

/// The generator of one set; sets of different windows share nothing.
Rng set_rng(std::string_view purpose, const Task& task, Index low, Index high, std::uint64_t seed) {
  return Rng(seed)
      .stream(purpose)
      .stream(task.info().name)
      .stream(task.info().rule)
      .stream(static_cast<std::uint64_t>(low))
      .stream(static_cast<std::uint64_t>(high));
}

constexpr std::string_view shorter = "--window, --lengths or --bins";
constexpr std::string_view smaller =
    "--train-size, --eval-sequences, --sequences, --window, --lengths or --bins";

/// Bytes of `sequences` strings of `length` symbols in a set, with what the heap and a StringSet add.
std::size_t set_bytes(Index sequences, Index length) {
  constexpr Index added = 256;
  return bytes_of(1, sequences, 2 * sizeof(int) * length + added);
}

/// Ends a set that will not fit, as early as that can be told.
class Room {
 public:
  Room(const Task& task, Index size, Index length)
      : size_(size),
        // While a vector grows, its old and its new memory are there at once.
        one_string_(set_bytes(3, length * task.info().unit_symbols)) {
    require_memory(one_string_, "one string of that length", shorter, left_);
  }

  /// Call for each string that enters the set. `is_large`: none was refused so far. Error(failed) when the set
  /// needs more memory than is left.
  void add(Index length, bool is_large) {
    ++found_;
    strings_ += set_bytes(1, length);
    // n strings without a repetition: the language has likely more than n^2 / 4.
    const Index expected = is_large ? std::clamp(found_ * found_ / 4, found_, size_) : found_;
    const double mean = static_cast<double>(strings_) / static_cast<double>(found_);
    const std::size_t needed =
        one_string_ + static_cast<std::size_t>(mean * static_cast<double>(expected));
    if (needed <= left_.bytes) return;
    require_memory(needed, fmt::format("{} of {} such strings", expected, size_), smaller, left_);
  }

 private:
  MemoryLeft left_ = memory_left();
  Index size_;
  std::size_t one_string_;
  std::size_t strings_ = 0;
  Index found_ = 0;
};

/// Collects strings that `admit` accepts, until there are `size` or too many in a row were refused. Error(failed)
/// before they take more memory than is left.
template <typename Draw, typename Admit>
std::vector<Example> collect(const Task& task, const Rng& rng, Index size, Index length,
                             Index tries_per_found, Draw&& draw, Admit&& admit) {
  Room room(task, size, length);
  std::vector<Example> found;
  Example example;
  Index refused = 0;  // in a row
  bool is_large = true;
  for (std::uint64_t attempt = 0; std::ssize(found) < size; ++attempt) {
    check_stop();
    Draws draws(rng.stream(attempt));
    draw(draws, example);
    if (admit(example.tokens)) {
      room.add(std::ssize(example.tokens), is_large);
      found.push_back(example);
      refused = 0;
      continue;
    }
    is_large = false;
    if (++refused >=
        std::max<Index>({20, 1'000'000 / length, tries_per_found * std::ssize(found)})) {
      break;
    }
  }
  return found;
}

}  // namespace

StringSet::StringSet(const std::vector<Example>& examples) {
  for (const Example& example : examples) insert(example.tokens);
}

bool StringSet::insert(const std::vector<int>& tokens) {
  return hashes_.insert(string_hash(tokens)).second;
}

bool StringSet::contains(const std::vector<int>& tokens) const {
  return !hashes_.empty() && hashes_.contains(string_hash(tokens));
}

Window bin_window(const TaskInfo& info, Index bin) {
  if (bin < 0) fail(Exit::usage, "bin {}: bins are counted from 0", bin);
  if (bin == 0) return info.training;
  if (bin >= max_length / info.bin_step) {
    fail(Exit::usage, "bin {}: its strings would be longer than {} {}", bin, max_length,
         info.length_unit);
  }
  return {bin * info.bin_step + 1, (bin + 1) * info.bin_step};
}

std::vector<Example> evaluation_set(const Task& task, Window window, Index sequences,
                                    std::uint64_t evaluation_seed) {
  check_window(task, window);
  StringSet seen;
  return collect(
      task, set_rng("evaluation", task, window.low, window.high, evaluation_seed), sequences,
      window.high, 100, [&](Draws& draws, Example& example) { task.draw(draws, window, example); },
      [&](const std::vector<int>& tokens) { return seen.insert(tokens); });
}

std::vector<Example> exact_set(const Task& task, Index length, Index sequences,
                               std::uint64_t evaluation_seed) {
  if (length < 1 || length > max_length || task.possible_length(length) != length) {
    fail(Exit::usage, "task {} ({} rule): no string has {} {}", task.info().name, task.info().rule,
         length, task.info().exact_in_units ? task.info().length_unit : "symbols");
  }
  StringSet seen;
  return collect(
      task, set_rng("exact", task, length, length, evaluation_seed), sequences, length, 20,
      [&](Draws& draws, Example& example) { task.draw_exact(draws, length, example); },
      [&](const std::vector<int>& tokens) { return seen.insert(tokens); });
}

std::vector<Example> training_set(const Task& task, Window window, Index size, std::uint64_t seed,
                                  const std::vector<Example>& validation) {
  if (const std::vector<Example>* fixed = task.fixed_set("train")) {
    return {fixed->begin(), fixed->begin() + std::clamp<Index>(size, 0, std::ssize(*fixed))};
  }
  check_window(task, window);
  const TaskInfo& info = task.info();
  const SplitRule splits = info.splits;
  const StringSet avoided = splits.training_avoids_validation ? StringSet(validation) : StringSet();
  StringSet seen;
  require_memory(set_bytes(size, window.low), "a training set of that size", smaller);
  std::vector<Example> found = collect(
      task, set_rng("training", task, window.low, window.high, seed), size, window.high, 100,
      [&](Draws& draws, Example& example) { task.draw(draws, window, example); },
      [&](const std::vector<int>& tokens) {
        return !avoided.contains(tokens) && (!splits.distinct_training || seen.insert(tokens));
      });
  if (std::ssize(found) < size) {
    fail(
        Exit::usage,
        "task {} ({} rule), window [{}, {}]: {} distinct training strings{} asked, {} found; widen "
        "the window or ask for fewer",
        info.name, info.rule, window.low, window.high, size,
        splits.training_avoids_validation ? " outside the validation set" : "", found.size());
  }
  return found;
}

void fresh_example(const Task& task, Window window, const Rng& row_rng, const StringSet& validation,
                   Example& example) {
  constexpr int tries = 10'000;
  Draws draws(row_rng);
  for (int i = 0; i < tries; ++i) {
    check_stop();
    task.draw(draws, window, example);
    if (!task.info().splits.training_avoids_validation || !validation.contains(example.tokens))
      return;
  }
  fail(Exit::usage,
       "task {} ({} rule), window [{}, {}]: {} draws in a row were validation strings; widen the "
       "window or validate on fewer",
       task.info().name, task.info().rule, window.low, window.high, tries);
}

std::string data_hash(const std::vector<Example>& examples) {
  Fnv hash;
  for (const Example& example : examples) {
    check_stop();
    hash.add(static_cast<std::uint64_t>(example.tokens.size()), 8);
    hash.add(example.tokens);
    hash.add(example.targets);
    hash.add(example.reals);
    hash.add(example.real_targets);
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace rlt
