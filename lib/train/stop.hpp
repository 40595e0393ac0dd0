// Orderly stops: signals and a time limit end a run within a moment, with a checkpoint.
#pragma once

#include <csignal>
#include <functional>
#include <vector>

#include "base/error.hpp"

namespace rlt {

/// Seconds since the program started.
double uptime();

/// While it lives, SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGXCPU only ask to stop, and so does the clock when it
/// reaches the limit; a second SIGINT kills. A signal that was ignored before (nohup, `&` in a script) stays so.
class StopRequests {
 public:
  using Clock = std::function<double()>;
  /// `limit` in seconds of `clock`; 0: none.
  explicit StopRequests(double limit = 0, Clock clock = uptime);
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

 private:
  struct Replaced {
    int signal;
    struct sigaction before;
  };
  std::vector<Replaced> replaced_;
};

/// Exit::interrupted after SIGINT, Exit::stopped after another signal or the time limit, else Exit::done.
Exit requested_stop();

/// Thrown out of work that is done again when the run goes on.
struct Stopped {
  Exit exit;
};
/// Throws Stopped when a stop was requested; cheap enough for every string that is drawn or read.
void check_stop();

}  // namespace rlt
