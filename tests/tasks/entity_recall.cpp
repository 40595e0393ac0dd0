#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tasks/task.hpp"
#include "tests/support/message.hpp"

using namespace rlt;

namespace {

std::unique_ptr<Task> small(OptionValues options = {}) {
  options.try_emplace("documents", "40");
  options.try_emplace("length", "600");
  return make_task("entity_recall", {.rule = "paper", .data = {}, .options = options});
}

/// What an independent reader makes of a document: for every position the value asked and the distance.
struct Asked {
  std::string value;
  Index distance = 0;
};

std::map<std::size_t, Asked> asked_in(const TaskInfo& info, const Example& document) {
  const auto symbol = [&](std::size_t t) {
    return info.inputs[static_cast<std::size_t>(document.tokens[t])];
  };
  std::map<std::string, std::size_t> latest;
  std::map<std::size_t, Asked> asked;
  for (std::size_t t = 1; t < document.tokens.size(); ++t) {
    if (symbol(t - 1) != "=" && symbol(t - 1) != "?") continue;
    const std::string entity = symbol(t);
    REQUIRE(entity[0] == 'e');
    if (symbol(t - 1) == "?") {
      REQUIRE(latest.count(entity) == 1);
      for (std::size_t i = 0; i < 3; ++i) {
        asked[t + i] = {symbol(t + 1 + i), static_cast<Index>(t - latest[entity])};
      }
    }
    latest[entity] = t;
  }
  return asked;
}

}  // namespace

TEST_CASE("entity recall: a query asks for what the head said, and nothing else is scored") {
  const std::unique_ptr<Task> task = small();
  for (const std::string split : {"train", "valid", "test"}) {
    const std::vector<Example>& set = *task->fixed_set(split);
    CHECK(std::ssize(set) == (split == "train" ? 40 : 8));
    for (const Example& document : set) {
      REQUIRE(document.tokens.size() == 600);
      REQUIRE(document.targets.size() == 600);
      std::map<std::string, std::vector<int>> worth;
      const std::map<std::size_t, Asked> asked = asked_in(task->info(), document);
      for (std::size_t t = 0; t < 600; ++t) {
        if (asked.count(t) == 0) {
          REQUIRE(document.targets[t] == not_scored);
        } else {
          REQUIRE(task->info().outputs[static_cast<std::size_t>(document.targets[t])] ==
                  asked.at(t).value);
        }
      }
      // Every mention of an entity is followed by the same three values.
      for (std::size_t t = 1; t + 3 < 600; ++t) {
        const std::string& mark =
            task->info().inputs[static_cast<std::size_t>(document.tokens[t - 1])];
        if (mark != "=" && mark != "?") continue;
        const std::vector<int> value(document.tokens.begin() + static_cast<Index>(t) + 1,
                                     document.tokens.begin() + static_cast<Index>(t) + 4);
        const std::string& entity =
            task->info().inputs[static_cast<std::size_t>(document.tokens[t])];
        const auto [known, is_new] = worth.try_emplace(entity, value);
        REQUIRE(known->second == value);
        REQUIRE((mark == "=") == is_new);
      }
      REQUIRE(worth.size() >= 4);
      REQUIRE(worth.size() <= 8);
    }
  }
}

TEST_CASE("entity recall: the parts of the test set are its targets by distance") {
  const std::unique_ptr<Task> task =
      small({{"window", "20"}, {"reach", "60"}, {"stop", "150"}, {"queries", "0.05"}});
  const std::vector<Example>& test = *task->fixed_set("test");
  const std::vector<std::pair<std::string, Index>> upper = {
      {"within_window", 20}, {"within_reach", 60}, {"within_segment", 150}, {"beyond", 1'000'000}};
  Index lower = 0;
  for (const auto& [part, border] : upper) {
    const std::vector<Example>& alone = *task->fixed_set(part);
    REQUIRE(alone.size() == test.size());
    Index scored = 0;
    for (std::size_t i = 0; i < test.size(); ++i) {
      CHECK(alone[i].tokens == test[i].tokens);
      const std::map<std::size_t, Asked> asked = asked_in(task->info(), test[i]);
      for (std::size_t t = 0; t < test[i].tokens.size(); ++t) {
        const bool belongs =
            asked.count(t) > 0 && asked.at(t).distance > lower && asked.at(t).distance <= border;
        REQUIRE(alone[i].targets[t] == (belongs ? test[i].targets[t] : not_scored));
        if (belongs) ++scored;
      }
    }
    CHECK(scored > 0);
    lower = border;
  }
}

TEST_CASE("entity recall: filler is a chain of four successors, the same in every document") {
  const std::unique_ptr<Task> task = small({{"documents", "100"}, {"length", "4096"}});
  std::map<int, std::set<int>> next;
  for (const Example& document : *task->fixed_set("train")) {
    for (std::size_t t = 1; t < document.tokens.size(); ++t) {
      const int before = document.tokens[t - 1], after = document.tokens[t];
      const auto is_filler = [&](int token) {
        return task->info().inputs[static_cast<std::size_t>(token)][0] == 'f';
      };
      if (is_filler(before) && is_filler(after)) next[before].insert(after);
    }
  }
  CHECK(next.size() > 20);
  for (const auto& [symbol, followers] : next) CHECK(followers.size() <= 4);
}

TEST_CASE("entity recall: distances that do not grow are refused") {
  CHECK(test::error_of([] {
          small({{"window", "300"}});
        }) ==
        "2: --task-option window=300, reach=256, stop=512: distances must grow in this order");
}
