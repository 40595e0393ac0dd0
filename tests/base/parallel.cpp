#include "base/parallel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

TEST_CASE("parallel_for: every iteration runs once, whoever is late") {
  const int before = rlt::thread_count();
  for (const int threads : {1, 2, 7}) {
    rlt::set_thread_count(threads);
    for (const rlt::Index count : {0, 1, 2, 5, 100}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      std::atomic<bool> slots_hold = true;
      rlt::parallel_for(count, [&](rlt::Index i, int thread) {
        ++runs[static_cast<std::size_t>(i)];
        if (thread < 0 || thread >= threads) slots_hold = false;
        // the first share is slow: the others' threads come to help
        for (volatile int spin = 0; i < count / threads && spin < 100000;) spin = spin + 1;
      });
      CHECK(std::ranges::all_of(runs, [](const auto& times) { return times == 1; }));
      CHECK(slots_hold);
    }
  }
  rlt::set_thread_count(before);
}
