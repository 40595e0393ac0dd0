#include "tasks/trajectories_csv.hpp"

#include <doctest/doctest.h>

#include <map>
#include <sstream>

#include "support/message.hpp"
#include "support/temporary_folder.hpp"
#include "tasks/behaviour.hpp"

using namespace rlt;
using test::error_of;

namespace {

const EnvironmentInfo& cartpole() {
  static const EnvironmentInfo info = make_environment("cartpole_po", {})->info();
  return info;
}

struct Table : test::TemporaryFolder {
  explicit Table(const std::string& text) { write("steps.csv", text); }
  std::string file() const { return (path() / "steps.csv").string(); }
  std::vector<Trajectory> read(const EnvironmentInfo& info = cartpole()) const {
    return read_trajectories_csv(file(), info);
  }
};

/// Cells by column name, row after row; for files without quotes.
std::map<std::string, std::vector<std::map<std::string, std::string>>> slow_read(
    const std::string& text) {
  std::istringstream lines(text);
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::map<std::string, std::string>>> episodes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::map<std::string, std::string> row;
    std::size_t column = 0;
    const bool is_header = names.empty();
    for (std::string cell; std::getline(cells, cell, ',');) {
      if (is_header) {
        names.push_back(cell);
      } else {
        row[names[column++]] = cell;
      }
    }
    if (!is_header) episodes[row["episode"]].push_back(row);
  }
  return episodes;
}

/// The columns from last to first, and the episodes' rows dealt out in turn.
std::string shuffled(const std::string& text) {
  std::istringstream lines(text);
  std::string header, result;
  std::map<Index, std::vector<std::string>> by_step;
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) cells.insert(cells.begin(), cell);
    std::string back;
    for (const std::string& cell : cells) back += (back.empty() ? "" : ",") + cell;
    if (header.empty()) {
      header = back;
    } else {
      by_step[std::stoll(cells[cells.size() - 2])].push_back(back);
    }
  }
  result = header + "\n";
  for (const auto& [step, all] : by_step) {
    for (const std::string& row : all) result += row + "\n";
  }
  return result;
}

}  // namespace

TEST_CASE(
    "trajectories csv: what is written reads back to the same bits, in any order of columns and "
    "episodes") {
  for (const char* name : {"cartpole_po", "tmaze", "repeat_previous"}) {
    CAPTURE(name);
    const auto environment = make_environment(name, {});
    const EnvironmentInfo& info = environment->info();
    const std::vector<Trajectory> recorded = record(*environment, "random", 7, 2);
    const std::string text = trajectories_csv(recorded, info);
    for (const std::string& written : {text, shuffled(text)}) {
      const std::vector<Trajectory> read = Table(written).read(info);
      auto slow = slow_read(written);
      REQUIRE(read.size() == recorded.size());
      REQUIRE(slow.size() == recorded.size());
      for (std::size_t i = 0; i < read.size(); ++i) {
        CHECK(read[i].episode == recorded[i].episode);
        CHECK(read[i].observations == recorded[i].observations);
        CHECK(read[i].actions == recorded[i].actions);
        CHECK(read[i].rewards == recorded[i].rewards);
        const auto& rows = slow[read[i].episode];
        REQUIRE(std::ssize(rows) == read[i].steps());
        for (std::size_t step = 0; step < rows.size(); ++step) {
          const std::map<std::string, std::string>& row = rows[step];
          CHECK(std::stoi(row.at("action")) == read[i].actions[step]);
          CHECK(std::stof(row.at("reward")) == read[i].rewards[step]);
          for (Index k = 0; k < info.observations; ++k) {
            const auto at =
                step * static_cast<std::size_t>(info.observations) + static_cast<std::size_t>(k);
            CHECK(std::stof(row.at("observation_" + std::to_string(k))) ==
                  read[i].observations[at]);
          }
        }
      }
    }
  }
}

TEST_CASE(
    "trajectories csv: names may be quoted, an episode may have one row, blank lines may end the "
    "file") {
  const Table table(
      "\xEF\xBB\xBF"
      "episode,step,observation_0,observation_1,action,reward\r\n"
      "\"a, b\",0,1e-3,-2,1,0.005\r\nlast,0,0,0,0,0.25\n\n \n");
  const std::vector<Trajectory> read = table.read();
  REQUIRE(read.size() == 2);
  CHECK(read[0].episode == "a, b");
  CHECK(read[0].observations == std::vector<float>{1e-3F, -2});
  CHECK(read[1].steps() == 1);
  CHECK(read[1].earned() == 0.25);
}

TEST_CASE("trajectories csv: errors name file, line and column") {
  const auto broken = [](const std::string& text, const std::string& message) {
    const Table table(text);
    CHECK(error_of([&] { table.read(); }) == "1: " + table.file() + message);
  };
  const std::string names = "episode,step,observation_0,observation_1,action,reward\n";
  const std::string first = names + "a,0,0,0,1,0.005\n";
  const std::string known =
      "; those of cartpole_po are episode, step, observation_0, observation_1, action, reward";
  broken("", ": holds no step");
  broken(names, ": holds no step");
  broken("episode,step,observation_0,observation_1,observation_2,action,reward\n",
         ":1: unknown column 'observation_2'" + known);
  broken("episode,step,observation_0,action,reward\n", ":1: column 'observation_1' is missing");
  broken("step,observation_0,observation_1,action,reward\n", ":1: column 'episode' is missing");
  broken("episode,step,step,action,reward\n", ":1: column 'step' stands there twice");
  broken(first + "a,1,0,0,1\n", ":3: 5 cells for 6 columns");
  broken(first + "a,1,0,0,1,0.005,7\n", ":3: 7 cells for 6 columns");
  broken(first + "a,2,0,0,1,0.005\n", ":3: column 'step': '2' where step 1 of episode 'a' is due");
  broken(first + "a,0,0,0,1,0.005\n", ":3: column 'step': '0' where step 1 of episode 'a' is due");
  broken(first + "b,1,0,0,1,0.005\n", ":3: column 'step': '1' where step 0 of episode 'b' is due");
  broken(first + "a,1.0,0,0,1,0.005\n",
         ":3: column 'step': '1.0' where step 1 of episode 'a' is due");
  broken(first + ",1,0,0,1,0.005\n", ":3: column 'episode': empty");
  broken(first + "a,,0,0,1,0.005\n", ":3: column 'step': empty");
  broken(first + "a,1,nan,0,1,0.005\n", ":3: column 'observation_0': 'nan' is no finite number");
  broken(first + "a,1,0,1e39,1,0.005\n", ":3: column 'observation_1': '1e39' is no finite number");
  broken(first + "a,1,0,,1,0.005\n", ":3: column 'observation_1': empty");
  broken(first + "a,1,0,0,1,inf\n", ":3: column 'reward': 'inf' is no finite number");
  for (const char* action : {"2", "-1", "0.5", "left"}) {
    broken(first + "a,1,0,0," + action + ",0.005\n",
           std::string(":3: column 'action': '") + action +
               "' is no action of cartpole_po, which are 0 to 1");
  }
  broken(first + "\na,1,0,0,1,0.005\n", ":3: blank line");
}

TEST_CASE("trajectories csv: episodes that the environment cannot have are of another one") {
  const std::string names = "episode,step,observation_0,observation_1,action,reward\n";
  std::string long_one = names, paid = names;
  for (int step = 0; step <= 200; ++step) {
    long_one += "a," + std::to_string(step) + ",0,0,1,0.005\n";
    if (step < 3)
      paid += "a," + std::to_string(step) + ",0,0,1,1\nb," + std::to_string(step) + ",0,0,1,0\n";
  }
  const Table too_long(long_one), too_good(paid);
  CHECK(error_of([&] { too_long.read(); }) ==
        "1: " + too_long.file() +
            ":202: column 'step': episode 'a' goes on after 200 steps, which no episode of "
            "cartpole_po does");
  CHECK(error_of([&] { too_good.read(); }) ==
        "1: " + too_good.file() +
            ":6: column 'reward': episode 'a' earned 3 in all, which no episode of cartpole_po "
            "does: at most 1");
}
