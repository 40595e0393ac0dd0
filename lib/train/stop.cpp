#include "train/stop.hpp"

#include <csignal>

namespace rlt {
namespace {

volatile std::sig_atomic_t received = 0;

extern "C" void remember(int signal) {
  received = signal;
  if (signal == SIGINT) std::signal(SIGINT, SIG_DFL);
}

const auto program_start = std::chrono::steady_clock::now();

}  // namespace

void catch_stop_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, remember);
}

Exit requested_stop() {
  if (received == 0) return Exit::done;
  return received == SIGINT ? Exit::interrupted : Exit::stopped;
}

double uptime() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - program_start).count();
}

}  // namespace rlt
