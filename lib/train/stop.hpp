// Orderly stops: signals and a time limit end training after the current step, with a checkpoint.
#pragma once

#include <chrono>

#include "base/error.hpp"

namespace rlt {

/// From now on SIGINT, SIGTERM and SIGUSR1 only ask to stop; a second SIGINT kills.
void catch_stop_signals();
/// Exit::interrupted after SIGINT, Exit::stopped after SIGTERM or SIGUSR1, else Exit::done.
Exit requested_stop();

/// Seconds since the program started.
double uptime();

}  // namespace rlt
