// How far a run is, on the screen.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "base/index.hpp"

namespace rlt {

/// What a run shows of itself; nan is left out.
struct ProgressReport {
  Index step = 0;
  Index tokens = 0;
  double loss = std::numeric_limits<double>::quiet_NaN();
  double accuracy = std::numeric_limits<double>::quiet_NaN();  // in [0, 1]
};

/// Where progress goes. Tests have their own.
struct Screen {
  std::function<void(std::string_view)> write;
  std::function<double()> seconds;  // a clock that never goes back
  std::function<int()> columns;     // width now
  bool terminal = false;

  /// stderr as it is: a terminal, unless TERM is "dumb", or a file.
  static Screen standard_error();
};

/// Seconds as people read them: 45s, 3m12s, 2h05m, 4d03h.
std::string duration_text(double seconds);

/// On a terminal one line that is rewritten at most ten times a second:
///     42% [########------------]  4200/10000  loss 0.1234  accuracy 0.9876  1.2M tokens/s  3m12s left
/// Elsewhere plain lines: when 1, 2, 5, 10, 20, 50 % are reached, at least 10 s apart, and one when
/// 60 s have passed without. Quiet: nothing at all. Not for use by several threads at once.
class Progress {
 public:
  enum class Volume { normal, quiet };

  /// `last_step` is where the run ends (0: unknown, no percent); `start` is where it begins, so that
  /// a resumed run measures its own speed.
  explicit Progress(Index last_step, ProgressReport start = {}, Volume volume = Volume::normal,
                    Screen screen = Screen::standard_error());
  /// Ends the line of an unfinished bar, so that an error message starts on its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const ProgressReport& report);
  /// A line above the bar.
  void message(std::string_view text);
  /// Shows the last report for good.
  void finish();

 private:
  double fraction() const;
  std::string figures(double now) const;
  void draw_bar(double now);
  void write_line(double now);

  Screen screen_;
  bool quiet_;
  Index last_step_;
  ProgressReport start_;
  ProgressReport latest_;
  double start_time_;
  double shown_time_;
  Index shown_step_ = -1;
  std::size_t next_mark_ = 0;
  bool bar_visible_ = false;
};

}  // namespace rlt
