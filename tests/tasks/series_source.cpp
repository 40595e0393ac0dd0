#include "tasks/series_source.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace rlt;

namespace {

constexpr Index channels = SeriesSource::channels;

/// Mean over `starts` of the squared error of the forecast of step h, all channels.
double measured_error(const SeriesSource& source, Index h, Index first, Index apart) {
  double sum = 0;
  Index count = 0;
  for (Index now = first; now + h < source.steps(); now += apart) {
    const std::vector<double> forecast = source.forecast(now, h + 1);
    for (Index c = 0; c < channels; ++c) {
      const double error = forecast[h * channels + c] - source.values()[(now + h) * channels + c];
      sum += error * error;
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

double expected_error(const SeriesSource& source, Index h) {
  double sum = 0;
  for (Index c = 0; c < channels; ++c) sum += source.forecast_error(c, h);
  return sum / static_cast<double>(channels);
}

}  // namespace

TEST_CASE("series source: a seed is a series, and a shorter one is its beginning") {
  const SeriesSource source(3, 500), again(3, 200), other(4, 200);
  CHECK(source.values().size() == 500 * channels);
  CHECK(std::equal(again.values().begin(), again.values().end(), source.values().begin()));
  CHECK(again.values() != other.values());
}

TEST_CASE("series source: the forecast errs as much as its formula says, one step ahead and many") {
  // 7 x 200,000 errors one step ahead, nearly independent: the mean square is within 0.5 %. Far ahead neighbouring
  // errors go together; levels stand for 336 steps.
  const SeriesSource source(1, 200'000);
  CHECK(measured_error(source, 0, 2, 1) ==
        doctest::Approx(expected_error(source, 0)).epsilon(0.005));
  CHECK(measured_error(source, 5, 2, 7) ==
        doctest::Approx(expected_error(source, 5)).epsilon(0.015));
  CHECK(measured_error(source, 191, 2, 97) ==
        doctest::Approx(expected_error(source, 191)).epsilon(0.04));
  CHECK(measured_error(source, 719, 2, 97) ==
        doctest::Approx(expected_error(source, 719)).epsilon(0.04));
}

TEST_CASE("series source: the error grows from noise and innovation to all that is not seasonal") {
  const SeriesSource source(2, 100);
  const double noise = std::pow(SeriesSource::noise, 2);
  const double all = noise + std::pow(SeriesSource::level_deviation, 2) +
                     std::pow(SeriesSource::wave_deviation, 2);
  for (Index c = 0; c < channels; ++c) {
    double last = noise;
    for (Index h = 0; h < 50; ++h) {
      CHECK(source.forecast_error(c, h) > last);
      last = source.forecast_error(c, h);
    }
    CHECK(source.forecast_error(c, 5000) == doctest::Approx(all).epsilon(1e-9));
  }
}

TEST_CASE("series source: the forecast knows nothing of what comes") {
  // The series of 50 steps and that of 400 agree so far: so must what is foretold at step 50.
  const SeriesSource known(5, 50), all(5, 400);
  CHECK(known.forecast(50, 30) == all.forecast(50, 30));
  // Far ahead only the seasons are left: the forecast repeats every week.
  const std::vector<double> far = all.forecast(50, 6000);
  for (Index h = 5500; h < 5800; ++h) {
    REQUIRE(far[h * channels + 1] == doctest::Approx(far[(h + 168) * channels + 1]).epsilon(1e-6));
  }
}
