#include "tasks/trajectories_csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/number.hpp"
#include "io/csv.hpp"
#include "io/csv_reader.hpp"
#include "io/text.hpp"
#include "tasks/vocabulary.hpp"

namespace rlt {
namespace {

// Places of the columns in their own order; the observations stand between step and action.
constexpr std::size_t episode_at = 0, step_at = 1, first_observation = 2;

std::vector<std::string> columns_of(const EnvironmentInfo& environment) {
  std::vector<std::string> columns = {"episode", "step"};
  for (Index i = 0; i < environment.observations; ++i) {
    columns.push_back(fmt::format("observation_{}", i));
  }
  columns.emplace_back("action");
  columns.emplace_back("reward");
  return columns;
}

class Reader {
 public:
  Reader(const std::filesystem::path& path, const EnvironmentInfo& environment)
      : path_(path.string()),
        environment_(environment),
        columns_(columns_of(environment)),
        places_(columns_.size(), absent) {}

  void read_header(CsvRow row) {
    drop_byte_order_mark(row.cells.front());
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const auto known = std::ranges::find(columns_, row.cells[i]);
      if (known == columns_.end()) {
        fail(Exit::failed, "{}:{}: unknown column '{}'; those of {} are {}", path_, row.line,
             row.cells[i], environment_.name, fmt::join(columns_, ", "));
      }
      std::size_t& place = places_[static_cast<std::size_t>(known - columns_.begin())];
      if (place != absent) {
        fail(Exit::failed, "{}:{}: column '{}' stands there twice", path_, row.line, row.cells[i]);
      }
      place = i;
    }
    const auto missing = std::ranges::find(places_, absent);
    if (missing == places_.end()) return;
    fail(Exit::failed, "{}:{}: column '{}' is missing", path_, row.line,
         columns_[static_cast<std::size_t>(missing - places_.begin())]);
  }

  void read_step(const CsvRow& row) {
    if (row.cells.size() != columns_.size()) {
      fail(Exit::failed, "{}:{}: {} cells for {} columns", path_, row.line, row.cells.size(),
           columns_.size());
    }
    Trajectory& trajectory = trajectory_of(row);
    require_next(row, trajectory);
    const std::size_t action_at = columns_.size() - 2, reward_at = columns_.size() - 1;
    for (std::size_t column = first_observation; column < action_at; ++column) {
      trajectory.observations.push_back(number_of(row, column));
    }
    trajectory.actions.push_back(action_of(row, action_at));
    trajectory.rewards.push_back(number_of(row, reward_at));
  }

  std::vector<Trajectory> finish() {
    if (trajectories_.empty()) fail(Exit::failed, "{}: holds no step", path_);
    for (std::size_t i = 0; i < trajectories_.size(); ++i) require_possible(i);
    return std::move(trajectories_);
  }

 private:
  static constexpr std::size_t absent = std::numeric_limits<std::size_t>::max();

  [[noreturn]] void refuse(const CsvRow& row, std::size_t column, const std::string& why) const {
    fail(Exit::failed, "{}:{}: column '{}': {}", path_, row.line, columns_[column], why);
  }

  const std::string& cell(const CsvRow& row, std::size_t column) const {
    const std::string& text = row.cells[places_[column]];
    if (text.empty()) refuse(row, column, "empty");
    return text;
  }

  Trajectory& trajectory_of(const CsvRow& row) {
    const std::string& name = cell(row, episode_at);
    const auto number = static_cast<std::size_t>(names_.add(name));
    if (number == trajectories_.size()) {
      trajectories_.push_back({name, {}, {}, {}});
      last_lines_.push_back(row.line);
    }
    last_lines_[number] = row.line;
    return trajectories_[number];
  }

  void require_next(const CsvRow& row, const Trajectory& trajectory) const {
    const std::string& text = cell(row, step_at);
    const Index expected = trajectory.steps();
    if (parse_number<Index>(text) != expected) {
      refuse(row, step_at,
             fmt::format("'{}' where step {} of episode '{}' is due", text, expected,
                         trajectory.episode));
    }
    if (expected < environment_.longest) return;
    refuse(row, step_at,
           fmt::format("episode '{}' goes on after {} steps, which no episode of {} does",
                       trajectory.episode, environment_.longest, environment_.name));
  }

  float number_of(const CsvRow& row, std::size_t column) const {
    const std::string& text = cell(row, column);
    const std::optional<double> number = parse_number<double>(text);
    if (!number || std::abs(*number) > std::numeric_limits<float>::max()) {
      refuse(row, column, fmt::format("'{}' is no finite number", text));
    }
    return static_cast<float>(*number);
  }

  int action_of(const CsvRow& row, std::size_t column) const {
    const std::string& text = cell(row, column);
    const std::optional<Index> action = parse_number<Index>(text);
    if (!action || *action < 0 || *action >= environment_.actions) {
      refuse(row, column,
             fmt::format("'{}' is no action of {}, which are 0 to {}", text, environment_.name,
                         environment_.actions - 1));
    }
    return static_cast<int>(*action);
  }

  void require_possible(std::size_t number) const {
    const double earned = trajectories_[number].earned(), best = environment_.best_return;
    const double rounding = 1e-4 * std::max(1.0, std::abs(best));  // of many rewards in float
    if (earned <= best + rounding) return;
    fail(Exit::failed,
         "{}:{}: column 'reward': episode '{}' earned {:.6g} in all, which no episode of {} does: "
         "at most {:.6g}",
         path_, last_lines_[number], trajectories_[number].episode, earned, environment_.name,
         best);
  }

  std::string path_;
  const EnvironmentInfo& environment_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> places_;  // in the file, of each of columns_
  Vocabulary names_;
  std::vector<Trajectory> trajectories_;
  std::vector<Index> last_lines_;  // of each
};

}  // namespace

std::string trajectories_csv(const std::vector<Trajectory>& trajectories,
                             const EnvironmentInfo& environment) {
  std::string text = fmt::format("{}\n", fmt::join(columns_of(environment), ","));
  for (const Trajectory& trajectory : trajectories) {
    const float* observation = trajectory.observations.data();
    for (Index step = 0; step < trajectory.steps(); ++step) {
      const auto at = static_cast<std::size_t>(step);
      text += fmt::format("{},{}", CsvCell(trajectory.episode).text(), step);
      for (Index i = 0; i < environment.observations; ++i) {
        text += ',' + CsvCell(*observation++).text();
      }
      text +=
          fmt::format(",{},{}\n", trajectory.actions[at], CsvCell(trajectory.rewards[at]).text());
    }
  }
  return text;
}

std::vector<Trajectory> read_trajectories_csv(const std::filesystem::path& path,
                                              const EnvironmentInfo& environment) {
  Reader reader(path, environment);
  read_table(
      path, [&](CsvRow row) { reader.read_header(std::move(row)); },
      [&](const CsvRow& row) { reader.read_step(row); });
  return reader.finish();
}

}  // namespace rlt
