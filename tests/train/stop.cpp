#include "train/stop.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <functional>

using namespace rlt;

namespace {

/// What `check_stop` throws, or done.
Exit stopped_by() {
  try {
    check_stop();
  } catch (const Stopped& stop) {
    return stop.exit;
  }
  return Exit::done;
}

void (*handler_of(int signal))(int) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

}  // namespace

TEST_CASE(
    "stop: a handler runs on a stack of its own, as kernels hold numbers below the stack pointer") {
  stack_t stack{};
  {
    const StopRequests stops;
    for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGXCPU, SIGINT}) {
      struct sigaction action {};
      sigaction(signal, nullptr, &action);
      CHECK((action.sa_flags & SA_ONSTACK) != 0);
    }
    sigaltstack(nullptr, &stack);
    CHECK(stack.ss_flags == 0);
    CHECK(stack.ss_size >= 1 << 16);
  }
  const void* const own = stack.ss_sp;
  sigaltstack(nullptr, &stack);
  CHECK(stack.ss_sp != own);
}

TEST_CASE("stop: every signal that ends a run asks for an orderly end, SIGINT with its own code") {
  for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGXCPU, SIGINT}) {
    CAPTURE(signal);
    const StopRequests stops;
    CHECK(requested_stop() == Exit::done);
    CHECK(stopped_by() == Exit::done);
    std::raise(signal);
    const Exit expected = signal == SIGINT ? Exit::interrupted : Exit::stopped;
    CHECK(requested_stop() == expected);
    CHECK(stopped_by() == expected);
  }
  CHECK(requested_stop() == Exit::done);  // a request ends with who asked for it
}

TEST_CASE("stop: the first signal counts, and a second SIGINT would kill") {
  const StopRequests stops;
  std::raise(SIGINT);
  std::raise(SIGTERM);
  CHECK(requested_stop() == Exit::interrupted);
  CHECK((handler_of(SIGINT) == SIG_DFL));
}

TEST_CASE("stop: a signal that was ignored stays ignored, and all are as before at the end") {
  for (const int signal : {SIGINT, SIGHUP}) {
    CAPTURE(signal);
    const auto before = std::signal(signal, SIG_IGN);
    {
      const StopRequests stops;
      std::raise(signal);
      CHECK(requested_stop() == Exit::done);
    }
    CHECK((handler_of(signal) == SIG_IGN));
    std::signal(signal, before);
  }
  const auto before = handler_of(SIGTERM);
  { const StopRequests stops; }
  CHECK((handler_of(SIGTERM) == before));
}

TEST_CASE("stop: the clock asks when it reaches the limit, and never without one") {
  double now = 0;
  const StopRequests::Clock clock = [&] { return now; };
  {
    const StopRequests stops(5, clock);
    CHECK(requested_stop() == Exit::done);
    now = 5;
    CHECK(requested_stop() == Exit::stopped);
  }
  const StopRequests stops(0, clock);
  CHECK(requested_stop() == Exit::done);
}
