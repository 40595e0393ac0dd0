#include "train/horizon.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "losses/cross_entropy.hpp"
#include "train/evaluator.hpp"
#include "train/horizon_csv.hpp"

using namespace rlt;

namespace {

/// The search among lengths that are multiples of `period`, for something that is right up to `truth`.
struct Search {
  Horizon found;
  std::vector<Index> tried;

  Search(Index truth, Index first, Index end, Index period = 1) {
    found = find_horizon({first, end, [=](Index length) { return length - length % period; }},
                         [&](Index length) {
                           tried.push_back(length);
                           return length <= truth;
                         });
  }
};

/// Draws zeros; label 1 up to position `right`, 0 from there on: what says 1 everywhere is right on the strings of up to
/// `right` tokens. So that strings differ, the first 20 tokens are bits.
class Turning final : public Task {
 public:
  explicit Turning(Index right) : right_(right) {
    info_.name = "turning";
    info_.inputs = info_.outputs = {"0", "1"};
  }
  const TaskInfo& info() const override { return info_; }
  void draw(Draws& draws, Window window, Example& example) const override {
    draw_exact(draws, window.high, example);
  }
  void draw_exact(Draws& draws, Index length, Example& example) const override {
    example.tokens.assign(static_cast<std::size_t>(length), 0);
    example.targets.assign(static_cast<std::size_t>(length), 1);
    for (Index t = 0; t < std::min<Index>(length, 20); ++t) {
      example.tokens[static_cast<std::size_t>(t)] = static_cast<int>(draws.below(2));
    }
    for (Index t = right_; t < length; ++t) example.targets[static_cast<std::size_t>(t)] = 0;
  }
  Index possible_length(Index length) const override { return std::max<Index>(length, 0); }

 private:
  Index right_;
  TaskInfo info_;
};

/// All weights are zero and the head's bias is (0, 1): it always says 1.
SequenceModel<double> always_one(Extent capacity) {
  const LayerConfig layer{.cell = "deltanet", .config = {.d_model = 4, .heads = 2, .options = {}}};
  SequenceModel<double> model(classifier(layer, 1, 2, 2));
  for (const Parameter<double>& parameter : model.parameters().all()) {
    if (parameter.name == "head.bias") parameter.value[1] = 1;
  }
  model.carve(capacity);
  return model;
}

}  // namespace

TEST_CASE("horizon: the bracket holds the truth and is narrow") {
  for (const Index truth : {50, 51, 99, 100, 101, 777, 12345, 999'999}) {
    CAPTURE(truth);
    const Search search(truth, 50, 1'000'000);
    REQUIRE(search.found.upper.has_value());
    CHECK(search.found.lower <= truth);
    CHECK(*search.found.upper > truth);
    CHECK(*search.found.upper - search.found.lower <=
          std::max<Index>(1, search.found.lower / bracket_share));
    // 15 doublings, then halving of what is at most as wide as its lower end
    CHECK(search.tried.size() <= 15 + 6);
    std::vector<Index> tried = search.tried;
    std::ranges::sort(tried);
    CHECK(std::ranges::adjacent_find(tried) == tried.end());
  }
}

TEST_CASE("horizon: what is right to the end has no upper bound, the end itself is tried") {
  const Search search(1'000'000, 50, 1'000'000);
  CHECK(search.found.lower == 1'000'000);
  CHECK(!search.found.upper);
  CHECK(search.tried.back() == 1'000'000);
  CHECK(Search(70, 50, 50).tried == std::vector<Index>{50});
}

TEST_CASE("horizon: below the first length it is searched too, down to nothing") {
  const Search short_one(7, 50, 1000);
  CHECK(short_one.found.lower == 7);
  CHECK(short_one.found.upper == 8);
  const Search never(0, 50, 1000);
  CHECK(never.found.lower == 0);
  CHECK(never.found.upper == 1);
}

TEST_CASE("horizon: only possible lengths are tried, and the bracket ends at neighbours") {
  const Search search(31, 12, 1000, 4);
  for (const Index length : search.tried) CHECK(length % 4 == 0);
  CHECK(search.found.lower == 28);
  CHECK(search.found.upper == 32);
  const Search never(3, 12, 1000, 4);
  CHECK(never.found.lower == 0);
  CHECK(never.found.upper == 4);
  // 10, then none before 19: nothing lies between 10 and the middle of the doubling.
  const auto possible = [](Index length) {
    return length < 19 ? std::min<Index>(length, 10) : length;
  };
  const Horizon uneven =
      find_horizon({10, 1000, possible}, [](Index length) { return length <= 19; });
  CHECK(uneven.lower == 19);
  CHECK(uneven.upper == 20);
}

TEST_CASE("horizon: 99 of 100 strings are enough, 19 of 20 are not") {
  CHECK(carries({.sequences = 20, .sequences_correct = 20}));
  CHECK(!carries({.sequences = 20, .sequences_correct = 19}));
  CHECK(carries({.sequences = 100, .sequences_correct = 99}));
  CHECK(!carries({.sequences = 100, .sequences_correct = 98}));
}

TEST_CASE("horizon: a model that goes wrong at a known position is found out there") {
  const Index truth = 321;
  const Turning task(truth);
  const Extent capacity{3, 48};
  SequenceModel<double> model = always_one(capacity);
  const CrossEntropy<double> loss(model.outputs());
  ByPosition by_position;
  EvaluationSet longest;
  const Horizon found = find_horizon(
      {40, 5000, [&](Index length) { return task.possible_length(length); }}, [&](Index length) {
        const EvaluationSet set = length_set(task, length, 7, 1);
        ByPosition labels;
        const Score score = evaluate(model, loss, capacity, set, largest_state, &labels);
        CHECK(score.sequences == 7);
        if (set.length_max > longest.length_max) {
          longest = set;
          by_position = labels;
        }
        return carries(score);
      });
  CHECK(found.lower == 320);
  CHECK(found.upper == 330);

  // 640 tokens were the longest: positions 257 to 512 hold the turn, those behind are all wrong.
  const RunConfig config;
  const Searched run{.config = config, .select = "best", .unit = "symbols"};
  const std::vector<HorizonRow> rows = position_rows(run, longest, by_position);
  REQUIRE(rows.size() == 11);
  Index scored = 0, next = 1;
  for (const HorizonRow& row : rows) {
    CAPTURE(row.low);
    CHECK(row.low == next);
    next = *row.high + 1;
    CHECK(row.labels.scored == 7 * (*row.high - row.low + 1));
    const Index right = std::clamp<Index>(truth - row.low + 1, 0, *row.high - row.low + 1);
    CHECK(row.labels.right == 7 * right);
    scored += row.labels.scored;
  }
  CHECK(rows.back().low == 513);
  CHECK(rows.back().high == 640);
  CHECK(scored == 7 * 640);
}

TEST_CASE(
    "horizon csv: every column is named once and explained, and only the result lacks counts") {
  std::vector<std::string> names = horizon_header();
  const auto at = [&](const HorizonRow& row, const std::string& name) {
    const auto found = std::ranges::find(names, name);
    REQUIRE(found != names.end());
    return horizon_cells(row)[static_cast<std::size_t>(found - names.begin())].text();
  };
  RunConfig config;
  config.task = "dyck1";
  config.seed = 5;
  const Searched run{.config = config, .select = "best", .unit = "symbols", .train_length = 50};
  const HorizonRow tried{.run = run,
                         .kind = "length",
                         .low = 80,
                         .high = 80,
                         .length_max = 80,
                         .sequences_correct = 0,
                         .sequences = 20,
                         .labels = {1600, 1599},
                         .hash = "abc"};
  CHECK(at(tried, "task") == "dyck1");
  CHECK(at(tried, "seed") == "5");
  CHECK(at(tried, "train_length") == "50");
  CHECK(at(tried, "low") == "80");
  CHECK(at(tried, "sequences_correct") == "0");
  CHECK(at(tried, "tokens") == "1600");
  CHECK(at(tried, "tokens_correct") == "1599");
  CHECK(at(tried, "data_hash") == "abc");
  const HorizonRow result{.run = run, .kind = "horizon", .low = 70};
  CHECK(at(result, "low") == "70");
  for (const char* empty : {"high", "sequences", "sequences_correct", "tokens", "tokens_correct"}) {
    CHECK(at(result, empty).empty());
  }
  for (const HorizonColumn& column : horizon_columns()) CHECK(!column.meaning.empty());
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
}
