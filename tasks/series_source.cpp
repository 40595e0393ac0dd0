#include "tasks/series_source.hpp"

#include <cmath>
#include <numbers>

#include "base/rng.hpp"

namespace rlt {
namespace {

/// Steps before the first that is kept: 0.97^1000 of the beginning is left.
constexpr Index warm_up = 1000;

}  // namespace

double SeriesSource::Channel::season(Index t) const {
  double sum = 0;
  for (std::size_t p = 0; p < periods.size(); ++p) {
    const double turns = static_cast<double>(t) / periods[p];
    sum += amplitude[p] * std::sin(2 * std::numbers::pi * turns + phase[p]);
  }
  return sum;
}

SeriesSource::SeriesSource(std::uint64_t seed, Index steps) : steps_(steps) {
  const std::size_t size = static_cast<std::size_t>(steps * channels);
  values_.resize(size);
  level_.resize(size);
  wave_.resize(size);
  for (Index c = 0; c < channels; ++c) {
    const Rng rng = Rng(seed).stream("series").stream(static_cast<std::uint64_t>(c));
    Draws draws(rng.stream("parameters"));
    const auto within = [&](double low, double high) {
      return low + (high - low) * draws.uniform();
    };
    Channel& channel = parameters_[static_cast<std::size_t>(c)];
    channel.amplitude = {within(0.5, 1.5), within(0.25, 1)};
    for (double& phase : channel.phase) phase = within(0, 2 * std::numbers::pi);
    const double radius = within(0.85, 0.97);
    const double period = within(6, 48);
    const double a1 = channel.a1 = 2 * radius * std::cos(2 * std::numbers::pi / period);
    const double a2 = channel.a2 = -radius * radius;
    // Var a = innovation^2 (1 - a2) / ((1 + a2) ((1 - a2)^2 - a1^2))
    channel.innovation =
        wave_deviation * std::sqrt((1 + a2) * ((1 - a2) * (1 - a2) - a1 * a1) / (1 - a2));

    const Rng innovations = rng.stream("innovations"), shifts = rng.stream("shifts");
    const Rng levels = rng.stream("levels"), noises = rng.stream("noise");
    double level = level_deviation * levels.normal(0);
    double last = 0, before = 0;
    for (Index t = -warm_up; t < steps; ++t) {
      const double wave =
          a1 * last + a2 * before + channel.innovation * innovations.normal(t + warm_up);
      before = last;
      last = wave;
      if (t < 0) continue;
      if (shifts.uniform(t) < shift_chance) level = level_deviation * levels.normal(t + 1);
      const std::size_t at = static_cast<std::size_t>(t * channels + c);
      level_[at] = level;
      wave_[at] = wave;
      values_[at] = channel.season(t) + level + wave + noise * noises.normal(t);
    }
  }
}

std::vector<double> SeriesSource::forecast(Index now, Index horizon) const {
  std::vector<double> result(static_cast<std::size_t>(horizon * channels));
  for (Index c = 0; c < channels; ++c) {
    const Channel& channel = parameters_[static_cast<std::size_t>(c)];
    const std::size_t newest = static_cast<std::size_t>((now - 1) * channels + c);
    double level = level_[newest];
    double last = wave_[newest], before = wave_[newest - channels];
    for (Index h = 0; h < horizon; ++h) {
      const double wave = channel.a1 * last + channel.a2 * before;
      before = last;
      last = wave;
      level *= 1 - shift_chance;  // a level drawn anew has mean 0
      result[static_cast<std::size_t>(h * channels + c)] = channel.season(now + h) + level + wave;
    }
  }
  return result;
}

double SeriesSource::forecast_error(Index channel, Index h) const {
  const Channel& parameters = parameters_[static_cast<std::size_t>(channel)];
  // a_{now + h} holds innovation_{now + h - k} times response k of the recursion, k = 0 .. h.
  double wave = 0, response = 1, before = 0;
  for (Index k = 0; k <= h; ++k) {
    wave += response * response;
    const double next = parameters.a1 * response + parameters.a2 * before;
    before = response;
    response = next;
  }
  // A level l stands with probability q: E (l' - q l)^2 = q E l^2 + (1 - q) E l^2 - q^2 E l^2.
  const double stands = std::pow(1 - shift_chance, static_cast<double>(h + 1));
  return noise * noise + level_deviation * level_deviation * (1 - stands * stands) +
         parameters.innovation * parameters.innovation * wave;
}

}  // namespace rlt
