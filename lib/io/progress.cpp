#include "io/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace rlt {
namespace {

constexpr double bar_interval = 0.1;
constexpr double line_interval = 10;
constexpr double longest_silence = 60;
constexpr double marks[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5};
constexpr std::string_view clear_line = "\r\x1b[K";

std::string count_text(double count) {
  if (count >= 1e9) return fmt::format("{:.1f}G", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.1f}M", count / 1e6);
  if (count >= 1e3) return fmt::format("{:.1f}k", count / 1e3);
  return fmt::format("{:.0f}", count);
}

bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

Screen Screen::standard_error() {
  Screen screen;
  screen.write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  screen.seconds = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
  };
  screen.columns = [] {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? int{size.ws_col} : 80;
  };
  screen.terminal = is_terminal();
  return screen;
}

std::string duration_text(double seconds) {
  constexpr double longest = 1e9;  // 30 years: the conversion below stays defined
  const auto whole = static_cast<long>(std::clamp(std::round(seconds), 0.0, longest));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}d{:02}h", whole / 86400, whole / 3600 % 24);
}

Progress::Progress(Index last_step, ProgressReport start, Volume volume, Screen screen)
    : screen_(std::move(screen)),
      quiet_(volume == Volume::quiet),
      last_step_(last_step),
      start_(start),
      latest_(start),
      start_time_(screen_.seconds()),
      shown_time_(start_time_) {}

Progress::~Progress() {
  if (bar_visible_) screen_.write("\n");
}

void Progress::update(const ProgressReport& report) {
  if (quiet_) return;
  latest_ = report;
  const double now = screen_.seconds();
  const double silence = now - shown_time_;
  if (screen_.terminal) {
    if (!bar_visible_ || silence >= bar_interval) draw_bar(now);
    return;
  }
  const bool marked = next_mark_ < std::size(marks) && fraction() >= marks[next_mark_];
  if ((marked && silence >= line_interval) || silence >= longest_silence) write_line(now);
}

void Progress::message(std::string_view text) {
  if (quiet_) return;
  std::string line = bar_visible_ ? std::string(clear_line) : "";
  line += text;
  screen_.write(line + "\n");
  if (bar_visible_) draw_bar(screen_.seconds());
}

void Progress::finish() {
  if (quiet_) return;
  const double now = screen_.seconds();
  if (screen_.terminal) {
    draw_bar(now);
    screen_.write("\n");
    bar_visible_ = false;
  } else if (shown_step_ != latest_.step) {
    write_line(now);
  }
}

/// 0 where the end is unknown.
double Progress::fraction() const {
  if (last_step_ <= 0) return 0;
  return std::clamp(static_cast<double>(latest_.step) / static_cast<double>(last_step_), 0.0, 1.0);
}

std::string Progress::figures(double now) const {
  std::string text = std::to_string(latest_.step);
  if (last_step_ > 0) text += fmt::format("/{}", last_step_);
  if (!std::isnan(latest_.loss)) text += fmt::format("  loss {:.4g}", latest_.loss);
  if (!std::isnan(latest_.accuracy)) text += fmt::format("  accuracy {:.4f}", latest_.accuracy);
  const double elapsed = now - start_time_;
  if (elapsed <= 0) return text;
  if (latest_.tokens > start_.tokens) {
    const double rate = static_cast<double>(latest_.tokens - start_.tokens) / elapsed;
    text += fmt::format("  {} tokens/s", count_text(rate));
  }
  if (latest_.step > start_.step && latest_.step < last_step_) {
    const double a_step = elapsed / static_cast<double>(latest_.step - start_.step);
    const double left = a_step * static_cast<double>(last_step_ - latest_.step);
    text += fmt::format("  {} left", duration_text(left));
  } else {
    text += fmt::format("  {}", duration_text(elapsed));
  }
  return text;
}

void Progress::draw_bar(double now) {
  std::string line;
  const std::string text = figures(now);
  if (last_step_ > 0) {
    line = fmt::format("{:3.0f}% ", std::floor(100 * fraction()));
    // A line as wide as the window would wrap; "[]  " takes four columns.
    const int room = screen_.columns() - 1 - static_cast<int>(line.size() + text.size()) - 4;
    if (constexpr int least = 5, most = 30; room >= least) {
      const int width = std::min(room, most);
      const int full = static_cast<int>(fraction() * width);
      line += fmt::format("[{:#<{}}{:-<{}}]  ", "", full, "", width - full);
    }
  }
  line += text;
  line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(1, screen_.columns() - 1))));
  screen_.write(std::string(clear_line) + line);
  bar_visible_ = true;
  shown_time_ = now;
}

void Progress::write_line(double now) {
  const std::string percent =
      last_step_ > 0 ? fmt::format("{:3.0f}%  ", std::floor(100 * fraction())) : "";
  screen_.write(percent + figures(now) + "\n");
  shown_time_ = now;
  shown_step_ = latest_.step;
  while (next_mark_ < std::size(marks) && fraction() >= marks[next_mark_]) ++next_mark_;
}

}  // namespace rlt
