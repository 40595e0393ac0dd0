// Random events in time with marks, whose law is known exactly: what `events` draws, and the oracle beside it.
// A process is told by its intensities, lambda_k(t | history) dt = P(an event of mark k in dt | history); time
// begins at 0, where nothing has happened yet.
//   hawkes, delayed: hawkes.hpp
//   poisson: lambda(t) = 1 + 0.9 sin(2 pi t / 10), one mark
//   renewal: log-normal gaps of mean 1, the first one from 0; log gap ~ N(-0.7^2 / 2, 0.7^2), one mark
#pragma once

#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "base/index.hpp"
#include "base/rng.hpp"

namespace rlt {

struct Event {
  double time = 0;
  int mark = 0;
};

/// What a process knows at some time, called now: the law of what comes next. A `wait` counts from now, and
/// nothing happens during it.
class History {
 public:
  virtual ~History() = default;

  /// Now becomes now + wait.
  virtual void pass(double wait) = 0;
  /// An event happens now.
  virtual void add(int mark) = 0;

  /// lambda_k at now + wait, for every mark.
  virtual void intensities(double wait, std::vector<double>& lambda) const = 0;
  /// The integral of sum_k lambda_k from now to now + wait; P(nothing happens) is exp of minus this.
  virtual double compensator(double wait) const = 0;
  /// sum_k lambda_k is not above this from now on until something happens.
  virtual double bound() const = 0;
};

class PointProcess {
 public:
  virtual ~PointProcess() = default;
  /// Events per unit of time in the long run, for every mark.
  virtual std::vector<double> rates() const = 0;
  /// At time 0.
  virtual std::unique_ptr<History> begin() const = 0;
};

/// By thinning (Ogata 1981): all events in [0, horizon], or the first `count`, where these are fewer.
std::vector<Event> draw_events(const PointProcess& process, Draws& draws, double horizon,
                               Index count = std::numeric_limits<Index>::max());

/// Minus the logarithms of what happened, in nats.
struct EventLoss {
  double time = 0;  // of the density of the wait, or of nothing happening
  double mark = 0;  // of the mark, given the time
};
/// That the next event comes after `wait` and has that mark.
EventLoss loss_of(const History& history, double wait, int mark);
/// Of all events, and of nothing after the last until `horizon`.
EventLoss loss_of(const PointProcess& process, const std::vector<Event>& events, double horizon);

/// What is to be expected of the next event before its time is known.
struct Expectation {
  double wait = 0;            // its mean
  std::vector<double> marks;  // their probabilities
};
/// By Gauss-Legendre quadrature of the survival over widening panels: wait to 1e-6 of its value, marks to 1e-6.
Expectation expect_next(const History& history);

/// "hawkes", "poisson", "renewal", "delayed".
std::unique_ptr<PointProcess> make_point_process(std::string_view name);

}  // namespace rlt
