#include "train/evaluator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "losses/cross_entropy.hpp"
#include "support/temporary_folder.hpp"
#include "train/eval_csv.hpp"

namespace {

rlt::RunConfig reading(const std::string& cell, const std::string& data) {
  rlt::RunConfig config;
  config.task = "text";
  config.cell = cell;
  config.data = data;
  config.segment = 4;
  rlt::complete(config);
  return config;
}

/// All weights zero and the head's bias (0, log 2, 0): class 1 is always the answer, with probability 1/2
/// against 1/4 for the other two.
rlt::SequenceModel<double> always_one(rlt::Extent capacity) {
  const rlt::LayerConfig layer{.cell = "deltanet",
                               .config = {.d_model = 4, .heads = 2, .options = {}}};
  rlt::SequenceModel<double> model(rlt::classifier(layer, 2, 2, 3));
  for (const rlt::Parameter<double>& parameter : model.parameters().all()) {
    if (parameter.name == "head.bias") parameter.value[1] = std::log(2.0);
  }
  model.carve(capacity);
  return model;
}

rlt::EvaluationSet set_of(const std::vector<std::vector<int>>& targets) {
  rlt::EvaluationSet set;
  for (const std::vector<int>& labels : targets) {
    set.examples.push_back({std::vector<int>(labels.size(), 0), labels});
  }
  return set;
}

constexpr int none = rlt::not_scored;
// Of 12 scored positions 8 hold class 1; of the five sequences the first, the third and the fourth are right.
const std::vector<std::vector<int>> targets = {
    {1, 1, 1}, {0, 1, 1, 1, 1}, {1}, {none, 1, none, none}, {1, 2, none}};

}  // namespace

TEST_CASE("evaluation: attention reads documents in segments, other cells read them whole") {
  const rlt::test::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 50; ++i) text += "abcd";
  folder.write("a", text);  // the last 10 of 200 characters are the test
  const std::string data = (folder.path() / "a").string();

  const rlt::RunConfig attention = reading("transformer", data);
  const rlt::RunConfig recurrent = reading("rdn", data);
  const std::unique_ptr<rlt::Task> task = make_task(attention);
  const rlt::EvaluationSet cut = fixed_set(attention, *task, "test");
  const rlt::EvaluationSet whole = fixed_set(recurrent, *task, "test");

  REQUIRE(cut.strings().size() == 3);  // 9 tokens with a next one
  CHECK(cut.strings().back().tokens.size() == 1);
  CHECK(cut.longest() == 4);
  CHECK(whole.strings().size() == 1);
  CHECK(whole.longest() == 9);
  CHECK(cut.length_max == 9);
  CHECK(cut.hash == whole.hash);
}

// A batch of fewer sequences than the set, pieces shorter than the strings: the counts do not change.
TEST_CASE("evaluation: the score counts what was right, however the strings are cut") {
  for (const rlt::Extent capacity : {rlt::Extent{5, 5}, {2, 5}, {1, 1}, {3, 2}, {7, 100}}) {
    CAPTURE(capacity.batch);
    CAPTURE(capacity.steps);
    rlt::SequenceModel<double> model = always_one(capacity);
    const rlt::Score score =
        rlt::evaluate(model, rlt::CrossEntropy<double>(model.outputs()), capacity, set_of(targets));
    CHECK(score.tokens == 12);
    CHECK(score.tokens_correct == 10);
    CHECK(score.sequences == 5);
    CHECK(score.sequences_correct == 3);
    CHECK(score.loss == doctest::Approx(10 * std::log(2.0) + 2 * std::log(4.0)));
    // without a blank every scored position is an answer
    CHECK(score.answers == 12);
    CHECK(score.answers_correct == 10);
  }
}

TEST_CASE("evaluation: by position, entries double and hold together what the whole score holds") {
  // entries of positions 1 and 2, 3 and 4, 5 to 8; the piece of 3 tokens ends where they do
  rlt::SequenceModel<double> model = always_one({2, 3});
  const rlt::CrossEntropy<double> loss(model.outputs());
  rlt::ByPosition by_position{.first = 2};
  const rlt::EvaluationSet set = set_of({{1, 1, 1}, {0, 1, 1, 1, 1, none, 2}, {none, 1, none}});
  const rlt::Score score = evaluate(model, loss, {2, 3}, set, rlt::largest_state, &by_position);
  REQUIRE(by_position.labels.size() == 3);
  const rlt::Index scored[] = {5, 3, 2}, right[] = {4, 3, 1};
  double sum = 0;
  for (std::size_t entry = 0; entry < 3; ++entry) {
    CAPTURE(entry);
    const rlt::Labels& labels = by_position.labels[entry];
    CHECK(labels.scored == scored[entry]);
    CHECK(labels.right == right[entry]);
    // a right answer loses log 2, a wrong one log 4
    const rlt::Index halvings = 2 * labels.scored - labels.right;
    CHECK(labels.loss == doctest::Approx(static_cast<double>(halvings) * std::numbers::ln2));
    sum += labels.loss;
  }
  CHECK(sum == doctest::Approx(score.loss));
  CHECK(by_position.low(0) == 1);
  CHECK(by_position.high(0) == 2);
  CHECK(by_position.low(2) == 5);
  CHECK(by_position.high(2) == 8);
}

TEST_CASE("evaluation: answers are the scored positions whose class is not the blank") {
  rlt::SequenceModel<double> model = always_one({5, 5});
  rlt::EvaluationSet set = set_of(targets);
  set.blank = 1;  // always right at blanks, never at the answers 0 and 2
  const rlt::Score always_blank =
      rlt::evaluate(model, rlt::CrossEntropy<double>(model.outputs()), {5, 5}, set);
  CHECK(always_blank.tokens == 12);
  CHECK(always_blank.tokens_correct == 10);
  CHECK(always_blank.answers == 2);
  CHECK(always_blank.answers_correct == 0);
  set.blank = 0;
  const rlt::Score answering =
      rlt::evaluate(model, rlt::CrossEntropy<double>(model.outputs()), {5, 5}, set);
  CHECK(answering.tokens_correct == 10);
  CHECK(answering.answers == 11);
  CHECK(answering.answers_correct == 10);
}

TEST_CASE("evaluation: documents that were cut are scored piece by piece") {
  rlt::SequenceModel<double> model = always_one({5, 5});
  rlt::EvaluationSet set = set_of(targets);
  set.segments = set_of({{1, 1}, {2}}).examples;
  const rlt::Score score =
      rlt::evaluate(model, rlt::CrossEntropy<double>(model.outputs()), {5, 5}, set);
  CHECK(score.tokens == 3);
  CHECK(score.tokens_correct == 2);
  CHECK(score.sequences == 2);
  CHECK(score.sequences_correct == 1);
}

TEST_CASE("evaluation: a row holds the counts and their ratios under the right names") {
  rlt::EvaluationSet set = set_of(targets);
  set.split = "bin0";
  set.window = {2, 5};
  set.length_min = 1;
  set.length_max = 5;
  set.hash = "abc";
  set.baselines = [](const auto&) {
    return rlt::Baselines{.chance = {0.01, 0.02},
                          .best_constant = {0.03, 0.04},
                          .position_majority = {0.05, 0.06},
                          .answer_constant = 0.07,
                          .class_loss = std::numbers::ln2};
  };
  rlt::RunConfig config;
  config.task = "dyck1";
  config.rule = "honest";
  config.protocol = "paper";
  config.cell = "rdn";
  config.positions = "sinusoidal";
  config.seed = 17;
  const rlt::Score score{.loss = 16 * std::numbers::ln2,
                         .tokens = 8,
                         .tokens_correct = 6,
                         .answers = 4,
                         .answers_correct = 3,
                         .sequences = 5,
                         .sequences_correct = 2};
  const rlt::Measured run{.config = config,
                          .set = set,
                          .score = score,
                          .parameters = 1000,
                          .state_size = 64,
                          .step = 300,
                          .select = "best"};
  const auto row = rlt::eval_cells({run, set.baselines({})});
  const auto at = [&](const std::string& column) {
    const auto found = std::ranges::find(rlt::eval_columns(), column, &rlt::EvalColumn::name);
    REQUIRE_MESSAGE(found != rlt::eval_columns().end(), column);
    return row[static_cast<std::size_t>(found - rlt::eval_columns().begin())].text();
  };
  const std::map<std::string, std::string> expected = {{"task", "dyck1"},
                                                       {"rule", "honest"},
                                                       {"protocol", "paper"},
                                                       {"cell", "rdn"},
                                                       {"options", "positions=sinusoidal"},
                                                       {"parameters", "1000"},
                                                       {"state_size", "64"},
                                                       {"seed", "17"},
                                                       {"step", "300"},
                                                       {"select", "best"},
                                                       {"split", "bin0"},
                                                       {"size_min", "2"},
                                                       {"size_max", "5"},
                                                       {"length_min", "1"},
                                                       {"length_max", "5"},
                                                       {"sequences", "5"},
                                                       {"sequences_correct", "2"},
                                                       {"tokens", "8"},
                                                       {"tokens_correct", "6"},
                                                       {"answers", "4"},
                                                       {"answers_correct", "3"},
                                                       {"token_accuracy", "0.75"},
                                                       {"sequence_accuracy", "0.4"},
                                                       {"answer_accuracy", "0.75"},
                                                       {"blank_accuracy", "0.75"},
                                                       {"bits", "2"},
                                                       {"chance", "0.01"},
                                                       {"best_constant", "0.03"},
                                                       {"position_majority", "0.05"},
                                                       {"chance_sequence", "0.02"},
                                                       {"best_constant_sequence", "0.04"},
                                                       {"position_majority_sequence", "0.06"},
                                                       {"answer_constant", "0.07"},
                                                       {"class_bits", "1"},
                                                       {"data_hash", "abc"}};
  for (const auto& [column, text] : expected) {
    CAPTURE(column);
    CHECK(at(column) == text);
  }
  CHECK(std::stod(at("loss")) == doctest::Approx(2 * std::numbers::ln2));
}
