// Generated real-valued series whose best forecast is known: for each of 7 channels and every hour t
//   x_t = season_t + level_t + a_t + noise_t
//   season_t = sum over periods P = 24, 168 of amplitude_P sin(2 pi t / P + phase_P)
//   level_t = level_{t-1}, or, with probability 1/336, drawn anew from N(0, 0.5^2)
//   a_t = a1 a_{t-1} + a2 a_{t-2} + N(0, innovation^2), stationary with deviation 0.5
//   noise_t ~ N(0, 0.3^2)
// Drawn from the seed: amplitudes (uniform in [0.5, 1.5] for the day, [0.25, 1] for the week), phases, and the roots
// of a: radius in [0.85, 0.97], period in [6, 48].
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/index.hpp"

namespace rlt {

class SeriesSource {
 public:
  static constexpr Index channels = 7;
  static constexpr double noise = 0.3, level_deviation = 0.5, shift_chance = 1.0 / 336;
  static constexpr double wave_deviation = 0.5;  // of a

  SeriesSource(std::uint64_t seed, Index steps);

  Index steps() const { return steps_; }
  /// (steps, channels)
  const std::vector<double>& values() const { return values_; }

  /// E[x_{now + h} | x, a and level up to now - 1, and all parameters], h = 0 .. horizon - 1: (horizon, channels).
  /// Nobody can foretell better. `now` >= 2.
  std::vector<double> forecast(Index now, Index horizon) const;
  /// Its expected squared error at h, exactly.
  double forecast_error(Index channel, Index h) const;

 private:
  static constexpr std::array<double, 2> periods = {24, 168};

  struct Channel {
    std::array<double, 2> amplitude, phase;  // by period
    double a1, a2, innovation;

    double season(Index t) const;
  };

  Index steps_;
  std::array<Channel, channels> parameters_{};
  std::vector<double> values_, level_, wave_;  // (steps, channels)
};

}  // namespace rlt
