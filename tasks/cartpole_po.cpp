// cartpole_po: keep a pole on a cart upright, seeing where both are but not how fast they move.
// Paper: AGaLiTe (arXiv 2310.15719) names it without its numbers; these are those of POPGym (arXiv 2303.01859)
//   on the physics of Gymnasium (Barto, Sutton, Anderson 1983).
// Observation: (x, theta), plus normal noise of deviation `noise` on each (metres and radians alike), cut at
//   +-4.8 and +-24 degrees. Actions: 0 push left, 1 right, with 10 N.
// Physics, explicit Euler with steps of 0.02 s; cart 1 kg, pole 0.1 kg and 0.5 m from hinge to middle:
//   temp     = (force + 0.05 theta'^2 sin theta) / 1.1
//   theta''  = (9.8 sin theta - cos theta temp) / (0.5 (4/3 - 0.1 cos^2 theta / 1.1))
//   x''      = temp - 0.05 theta'' cos theta / 1.1
// An episode begins with x, x', theta, theta' uniform in +-0.05. It fails when |x| > 2.4 or |theta| > 12 degrees,
//   and ends then or after `limit` actions.
// Reward: 1 / limit per action. failure gymnasium: the failing action is paid too, as Gymnasium does it, so that
//   the -1 that POPGym means for it never comes; honest: it earns -1.
// Returns: best 1. Random: from the mean number of actions until uniform actions fail, measured by
//   build/release/tests/rlt_tests --no-skip --test-case='measured: cartpole_po*'
//   None of those episodes lasted 200 actions, so that the mean holds for every `limit` from there on.
// Expert: it sees what an agent sees. The physics foretell x, x', theta and theta' from what it believed and did; it
//   believes the positions seen by a share, and speeds by a share of what they were wrong by, per tick: both wholly
//   where there is no noise, which makes speeds differences, else 0.1 and 0.01. It pushes right where
//   0.1 x + 0.3 x' + 3 theta + theta' > 0. Without noise it stands to any limit tried (100,000); it earns 0.97
//   at noise 0.1, 0.50 at 0.2 and 0.28 at 0.3 (rlt data --policy expert --sequences 2000).
// departs: POPGym tells an episode that the limit cut from one that failed; here it ends.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/number.hpp"
#include "tasks/environment_registry.hpp"

namespace rlt {
namespace {

constexpr double gravity = 9.8, force_size = 10, tick = 0.02;
constexpr double pole_mass = 0.1, all_mass = 1 + pole_mass, half_pole = 0.5;
constexpr double widest_x = 2.4, widest_theta = 12 * std::numbers::pi / 180;
constexpr double random_steps = 22.250, random_steps_error = 0.006;

struct Physics {
  double x, x_speed, theta, theta_speed;

  void push(double force) {
    const double sine = std::sin(theta), cosine = std::cos(theta);
    const double pole = pole_mass * half_pole / all_mass;
    const double temp = force / all_mass + pole * theta_speed * theta_speed * sine;
    const double theta_push = (gravity * sine - cosine * temp) /
                              (half_pole * (4.0 / 3.0 - pole_mass * cosine * cosine / all_mass));
    const double x_push = temp - pole * theta_push * cosine;
    x += tick * x_speed;
    x_speed += tick * x_push;
    theta += tick * theta_speed;
    theta_speed += tick * theta_push;
  }
  bool failed() const { return std::abs(x) > widest_x || std::abs(theta) > widest_theta; }
};

/// How far the expert believes what it sees.
struct Trust {
  double place, speed;
};

struct Rules {
  double noise;
  Index limit;
  bool honest;
};

class CartpolePo final : public Environment {
 public:
  explicit CartpolePo(const Rules& rules)
      : rules_(rules), trust_(rules.noise > 0 ? Trust{0.1, 0.01} : Trust{1, 1}) {
    const auto limit = static_cast<double>(rules.limit);
    info_ = {.name = "cartpole_po",
             .summary = "balance a pole without seeing speeds",
             .source = "Morad et al. 2023, arXiv 2303.01859",
             .observations = 2,
             .actions = 2,
             .longest = rules.limit,
             .best_return = 1,
             .random_return = rules.honest ? (random_steps - 1) / limit - 1 : random_steps / limit,
             .random_error = random_steps_error / limit,
             .success = "the pole stood to the limit",
             .expert = "linear in the positions seen and the speeds foretold from them",
             .options = options()};
  }

  static std::vector<Option> options() {
    return {{.name = "noise",
             .value = "0",
             .help = "deviation of the noise on what is seen",
             .choices = {},
             .low = 0,
             .high = 10},
            {.name = "limit",
             .value = "200",
             .help = "actions after which an episode ends",
             .choices = {},
             .low = 200,
             .high = 100'000,
             .whole = true},
            {.name = "failure",
             .value = "gymnasium",
             .help = "the failing action is paid like others, or earns -1",
             .choices = {"gymnasium", "honest"}}};
  }

  const EnvironmentInfo& info() const override { return info_; }

  void resize(Index rows) override { episodes_.assign(static_cast<std::size_t>(rows), {}); }

  void reset(Index row, const Rng& episode, float* observation) override {
    const auto start = [&](Index i) { return 0.1 * episode.uniform(i) - 0.05; };
    Episode& fresh = episodes_[static_cast<std::size_t>(row)];
    fresh = {{start(0), start(1), start(2), start(3)}, {}, episode.stream("noise"), 0};
    show(fresh, observation);
    fresh.believed.x = trust_.place * static_cast<double>(observation[0]);
    fresh.believed.theta = trust_.place * static_cast<double>(observation[1]);
  }

  void act(std::span<const int> actions, Matrix<float> observations, std::span<float> rewards,
           std::span<std::uint8_t> ended) override {
    const float wage = 1.0F / static_cast<float>(rules_.limit);
    for (std::size_t row = 0; row < episodes_.size(); ++row) {
      Episode& episode = episodes_[row];
      const double force = actions[row] == 1 ? force_size : -force_size;
      episode.physics.push(force);
      const bool failed = episode.physics.failed();
      rewards[row] = failed && rules_.honest ? -1 : wage;
      ended[row] = ++episode.step == rules_.limit || failed ? 1 : 0;
      show(episode, observations.row(static_cast<Index>(row)));
      episode.believed.push(force);
      believe(observations.row(static_cast<Index>(row)), episode.believed);
    }
  }

  int expert_action(Index row) const override {
    const Physics& seen = episodes_[static_cast<std::size_t>(row)].believed;
    return 0.1 * seen.x + 0.3 * seen.x_speed + 3 * seen.theta + seen.theta_speed > 0 ? 1 : 0;
  }

  bool succeeded(Index row) const override {
    return !episodes_[static_cast<std::size_t>(row)].physics.failed();
  }

 private:
  struct Episode {
    Physics physics{};
    Physics believed{};  // by the expert
    Rng noise{0};
    Index step = 0;
  };

  void show(const Episode& episode, float* observation) const {
    double x = episode.physics.x, theta = episode.physics.theta;
    if (rules_.noise > 0) {
      x += rules_.noise * episode.noise.normal(2 * episode.step);
      theta += rules_.noise * episode.noise.normal(2 * episode.step + 1);
    }
    observation[0] = static_cast<float>(std::clamp(x, -2 * widest_x, 2 * widest_x));
    observation[1] = static_cast<float>(std::clamp(theta, -2 * widest_theta, 2 * widest_theta));
  }

  void believe(const float* observation, Physics& believed) const {
    const double x_error = static_cast<double>(observation[0]) - believed.x;
    const double theta_error = static_cast<double>(observation[1]) - believed.theta;
    believed.x += trust_.place * x_error;
    believed.x_speed += trust_.speed * x_error / tick;
    believed.theta += trust_.place * theta_error;
    believed.theta_speed += trust_.speed * theta_error / tick;
  }

  Rules rules_;
  Trust trust_;
  EnvironmentInfo info_;
  std::vector<Episode> episodes_;
};

}  // namespace

std::unique_ptr<Environment> make_cartpole_po(const OptionValues& options) {
  const OptionValues complete =
      complete_options("task-option", "cartpole_po", CartpolePo::options(), options);
  return std::make_unique<CartpolePo>(Rules{.noise = *parse_number<double>(complete.at("noise")),
                                            .limit = std::stoll(complete.at("limit")),
                                            .honest = complete.at("failure") == "honest"});
}

}  // namespace rlt
