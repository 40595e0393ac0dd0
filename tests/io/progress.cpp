#include "io/progress.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace rlt;

namespace {

/// A screen in memory with a clock that the test moves.
struct Recorder {
  std::string text;
  double now = 100;
  int width = 100;

  Screen screen(bool terminal) {
    return {[this](std::string_view more) { text += more; }, [this] { return now; },
            [this] { return width; }, terminal};
  }
};

std::vector<std::string> split(const std::string& text, const std::string& mark) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(mark, begin)) != std::string::npos;
       begin = at + mark.size()) {
    parts.push_back(text.substr(begin, at - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

const std::string clear = "\r\x1b[K";

}  // namespace

TEST_CASE("progress: the bar shows percent, step, loss, accuracy, speed and time left") {
  Recorder recorder;
  Progress progress(200, {.step = 100, .tokens = 1000}, Progress::Volume::normal,
                    recorder.screen(true));
  recorder.now += 10;
  progress.update({.step = 150, .tokens = 21000, .loss = 0.12345, .accuracy = 0.5});
  CHECK(recorder.text == clear +
                             " 75% [#####################-------]  150/200  loss 0.1235  accuracy "
                             "0.5000  2.0k tokens/s  10s left");
  recorder.text.clear();
  progress.finish();
  CHECK(recorder.text.ends_with("left\n"));
}

TEST_CASE("progress: the bar fits every window and is drawn ten times a second at most") {
  Recorder recorder;
  {
    Progress progress(1000, {}, Progress::Volume::normal, recorder.screen(true));
    for (Index step = 1; step <= 1000; ++step) {
      recorder.now += 0.01;
      recorder.width = static_cast<int>(step % 130);
      progress.update({.step = step, .tokens = 50 * step, .loss = 0.5, .accuracy = 0.25});
    }
  }
  CHECK(recorder.text.ends_with("\n"));  // an unfinished bar still ends its line
  recorder.text.pop_back();
  const std::vector<std::string> frames = split(recorder.text, clear);
  CHECK(frames.size() > 90);
  CHECK(frames.size() < 105);
  for (const std::string& frame : frames) CHECK(frame.size() < 130);
}

TEST_CASE("progress: a message stands above the bar") {
  Recorder recorder;
  Progress progress(10, {}, Progress::Volume::normal, recorder.screen(true));
  progress.message("before");
  CHECK(recorder.text == "before\n");
  progress.update({.step = 5});
  recorder.text.clear();
  progress.message("after");
  CHECK(recorder.text.starts_with(clear + "after\n" + clear + " 50% ["));
  progress.finish();
}

TEST_CASE("progress: without a terminal few plain lines, and never long silence") {
  Recorder recorder;
  Progress progress(1000, {}, Progress::Volume::normal, recorder.screen(false));
  for (Index step = 1; step <= 1000; ++step) {
    recorder.now += 0.5;
    progress.update({.step = step, .loss = 0.5});
  }
  progress.message("a message");
  progress.finish();
  progress.finish();
  CHECK(recorder.text.find('\r') == std::string::npos);
  CHECK(recorder.text.find('\x1b') == std::string::npos);
  const std::vector<std::string> lines = split(recorder.text, "\n");
  // 2 % at 10 s, 5 %, 10 %, 20 % at 100 s, then one a minute, 50 % at 250 s, ...
  std::vector<std::string> steps;
  for (const std::string& line : lines) steps.push_back(line.substr(0, line.find('/')));
  CHECK(steps == std::vector<std::string>{"  2%  20", "  5%  50", " 10%  100", " 20%  200",
                                          " 32%  320", " 44%  440", " 50%  500", " 62%  620",
                                          " 74%  740", " 86%  860", " 98%  980", "a message",
                                          "100%  1000", ""});
}

TEST_CASE("progress: a short run without a terminal prints one line") {
  Recorder recorder;
  Progress progress(50, {}, Progress::Volume::normal, recorder.screen(false));
  for (Index step = 1; step <= 50; ++step) progress.update({.step = step, .loss = 0.25});
  recorder.now += 3;
  progress.finish();
  CHECK(recorder.text == "100%  50/50  loss 0.25  3s\n");
}

TEST_CASE("progress: quiet prints nothing") {
  for (const bool terminal : {false, true}) {
    Recorder recorder;
    {
      Progress progress(10, {}, Progress::Volume::quiet, recorder.screen(terminal));
      progress.update({.step = 10});
      progress.message("text");
      progress.finish();
    }
    CHECK(recorder.text.empty());
  }
}

TEST_CASE("progress: an unknown end shows steps and time alone") {
  Recorder recorder;
  Progress progress(0, {}, Progress::Volume::normal, recorder.screen(true));
  recorder.now += 61;
  progress.update({.step = 7, .tokens = 61});
  CHECK(recorder.text == clear + "7  1 tokens/s  1m01s");
  progress.finish();
}

TEST_CASE("progress: durations as people read them") {
  CHECK(duration_text(-1) == "0s");
  CHECK(duration_text(59.4) == "59s");
  CHECK(duration_text(192) == "3m12s");
  CHECK(duration_text(7500) == "2h05m");
  CHECK(duration_text(4 * 86400 + 3 * 3600) == "4d03h");
  CHECK(duration_text(1e300) == "11574d01h");
}
