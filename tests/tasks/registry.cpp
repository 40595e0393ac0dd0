#include <doctest/doctest.h>

#include "tasks/task.hpp"
#include "tests/support/message.hpp"

using namespace rlt;
using test::error_of;

namespace {

std::string window_error(const char* task, const char* rule, Window window) {
  return error_of(
      [&] { check_window(*make_task(task, {.rule = rule, .data = {}, .options = {}}), window); });
}

}  // namespace

TEST_CASE("registry: an unknown task names the nearest one") {
  CHECK(error_of([] { make_task("partiy", {}); }) ==
        "2: --task partiy: unknown; did you mean 'parity'?");
  CHECK(error_of([] { make_task("reset-dyck1", {}); }) ==
        "2: --task reset-dyck1: unknown; did you mean 'reset_dyck1'?");
}

TEST_CASE("registry: a rule is paper or honest") {
  CHECK(error_of([] { make_task("parity", {.rule = "honset", .data = {}, .options = {}}); }) ==
        "2: --rule honset: unknown; did you mean 'honest'?");
}

TEST_CASE("registry: every task tells its facts without data") {
  for (const TaskEntry& entry : all_tasks()) {
    CAPTURE(entry.name);
    const TaskInfo info = task_info(entry.name, {});
    CHECK(info.name == entry.name);
    CHECK(!info.summary.empty());
    CHECK(!info.label.empty());
    CHECK((info.data.empty() || info.makes_own_sets) ==
          !(info.inputs.empty() && info.features == 0));  // symbols are those of the data
  }
  CHECK(task_info("text", {}).options.at(0).name == "held_out");
  CHECK(task_info("text", {}).documents);
}

TEST_CASE("registry: a window must begin in range, before its end, and hold a string") {
  CHECK(window_error("parity", "paper", {0, 9}) ==
        "2: window [0, 9] of task parity: must begin at 1 or above");
  CHECK(window_error("parity", "paper", {9, 5}) ==
        "2: window [9, 5] of task parity: begins after its end");
  CHECK(window_error("dyck1", "paper", {7, 7}) ==
        "2: window [7, 7] of task dyck1 (paper rule): no string has such a length");
  CHECK(window_error("abab_star", "paper", {49, 51}) != "no error");
  CHECK(window_error("abab_star", "honest", {49, 51}) == "no error");
  CHECK(window_error("shuffle2", "paper", {2, 3}) == "no error");
  CHECK(window_error("shuffle2", "honest", {2, 3}) != "no error");
  CHECK(window_error("anbncn", "paper", {1, 1}) == "no error");
  CHECK(window_error("anbncn", "honest", {1, 2}) != "no error");
}
