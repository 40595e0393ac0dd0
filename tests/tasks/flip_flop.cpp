#include <doctest/doctest.h>

#include <map>

#include "base/error.hpp"
#include "tasks/task.hpp"
#include "tests/support/slow_labels.hpp"

using namespace rlt;

namespace {

std::unique_ptr<Task> flip_flop(const OptionValues& options = {}) {
  return make_task("flip_flop", {.rule = "honest", .data = {}, .options = options});
}

std::string drawn_text(const Task& task, Index length, std::uint64_t seed) {
  Draws draws(Rng(seed).stream("flip_flop"));
  Example example;
  task.draw_exact(draws, length, example);
  return test::text_of(example.tokens, task.info().inputs);
}

/// Shares of the instructions between the first and the last, and of ones behind each.
struct Shares {
  std::map<char, double> instruction, one;

  explicit Shares(const Task& task) {
    std::map<char, double> count;
    double all = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const std::string text = drawn_text(task, 512, seed);
      REQUIRE(text.size() == 512);
      REQUIRE(text[0] == 'w');
      REQUIRE(text[510] == 'r');
      for (std::size_t t = 2; t < 510; t += 2) {
        ++all;
        ++count[text[t]];
        one[text[t]] += text[t + 1] == '1';
      }
    }
    for (const auto& [symbol, number] : count) {
      instruction[symbol] = number / all;
      one[symbol] /= number;
    }
  }
};

}  // namespace

TEST_CASE("flip_flop: instructions come as often as the option says, bits are fair") {
  for (const auto& [value, ignore] :
       std::map<std::string, double>{{"0.8", 0.8}, {"0.98", 0.98}, {"0.1", 0.1}}) {
    CAPTURE(value);
    Shares shares(*flip_flop({{"ignore", value}}));
    CHECK(shares.instruction['i'] == doctest::Approx(ignore).epsilon(0.02 + 0.1 * (ignore < 0.5)));
    // 25,400 instructions, of which 1 in 100 where they are rarest: 254 +- 16
    CHECK(shares.instruction['w'] == doctest::Approx((1 - ignore) / 2).epsilon(0.2));
    CHECK(shares.instruction['r'] == doctest::Approx((1 - ignore) / 2).epsilon(0.2));
    CHECK(shares.one['i'] == doctest::Approx(0.5).epsilon(0.06));
    CHECK(shares.one['w'] == doctest::Approx(0.5).epsilon(0.25));
  }
}

TEST_CASE(
    "flip_flop: every r is followed by the bit after the last w, and nothing else is scored") {
  const auto task = flip_flop({{"ignore", "0.3"}});
  Draws draws(Rng(3));
  Example example;
  task->draw_exact(draws, 400, example);
  int written = -1, reads = 0;
  for (std::size_t t = 0; t < 400; ++t) {
    const std::string& symbol = task->info().inputs[static_cast<std::size_t>(example.tokens[t])];
    const bool is_read = symbol == "r";
    if (symbol == "w") written = example.tokens[t + 1] - 3;
    CHECK(example.targets[t] == (is_read ? written : not_scored));
    if (is_read) CHECK(example.tokens[t + 1] - 3 == written);
    reads += is_read;
  }
  CHECK(reads > 50);
}

TEST_CASE("flip_flop: the number of pairs is uniform in the window, from two on") {
  const auto task = flip_flop();
  Draws draws(Rng(5));
  Example example;
  std::map<std::size_t, int> lengths;
  for (int i = 0; i < 3000; ++i) {
    task->draw(draws, {3, 13}, example);
    ++lengths[example.tokens.size()];
  }
  CHECK(lengths.size() == 5);
  for (const std::size_t length : {4, 6, 8, 10, 12}) {
    CHECK(lengths[length] == doctest::Approx(600).epsilon(0.2));
  }
  CHECK(task->possible_length(3) == 0);
  CHECK(task->possible_length(511) == 510);
  check_window(*task, {2, 5});
  CHECK_THROWS_AS(check_window(*task, {2, 3}), Error);
}

TEST_CASE("flip_flop: no share is below 0 or above 1; at the ends nothing or all is ignored") {
  CHECK_THROWS_AS(flip_flop({{"ignore", "1.1"}}), Error);
  CHECK_THROWS_AS(flip_flop({{"ignore", "-0.1"}}), Error);
  CHECK(drawn_text(*flip_flop({{"ignore", "0"}}), 300, 1).find('i') == std::string::npos);
  const std::string idle = drawn_text(*flip_flop({{"ignore", "1"}}), 300, 1);
  CHECK(idle.find_first_of("wr", 1) == 298);
}
