#include "train/actors.hpp"

#include <doctest/doctest.h>

#include "train/play.hpp"

using namespace rlt;

namespace {

SequenceModel<float> policy_for(const EnvironmentInfo& info) {
  SequenceModel<float> model(complete(
      ModelConfig{.input = {.features = info.observations},
                  .layers = {{.cell = "lstm", .config = {.d_model = 8, .heads = 2, .options = {}}}},
                  .heads = {{"actor", info.actions, 6}, {"critic", 1, 6}}}));
  model.parameters().initialize(3);
  model.carve({5, 1});
  return model;
}

struct Seen {
  std::vector<float> observations, rewards, logits;
  std::vector<int> actions;
  std::vector<std::uint8_t> starts, ended;
  bool operator==(const Seen&) const = default;
};

void follow(Actors<float>& actors, SequenceModel<float>& model, Index steps, Seen& seen,
            Episodes& episodes) {
  for (Index step = 0; step < steps; ++step) {
    const Matrix<const float> observations = actors.observations();
    for (Index row = 0; row < actors.rows(); ++row) {
      seen.observations.insert(seen.observations.end(), observations.row(row),
                               observations.row(row) + observations.cols);
      seen.starts.push_back(actors.starts()[row]);
    }
    const Matrix<float> outputs = actors.read(model);
    seen.logits.insert(seen.logits.end(), outputs.data, outputs.data + outputs.rows * outputs.cols);
    const std::vector<int>& actions = actors.sample(outputs);
    seen.actions.insert(seen.actions.end(), actions.begin(), actions.end());
    actors.act(episodes);
    seen.rewards.insert(seen.rewards.end(), actors.rewards().begin(), actors.rewards().end());
    seen.ended.insert(seen.ended.end(), actors.ended().begin(), actors.ended().end());
  }
}

}  // namespace

// Checkpoints of state and journal, taken at every place of episodes of unequal length.
TEST_CASE("actors: from state and journal they go on as if never stopped, in any environment") {
  for (const char* name : {"tmaze", "concentration", "cartpole_po", "mystery_path"}) {
    INFO(name);
    const std::unique_ptr<Environment> environment = make_environment(name, {});
    SequenceModel<float> model = policy_for(environment->info());
    for (const Index stop : {0, 1, 7, 40, 203}) {
      CAPTURE(stop);
      Actors<float> whole(*environment, model, 5, 11);
      Episodes ended;
      Seen ignored;
      follow(whole, model, stop, ignored, ended);
      State<float> state = whole.state();
      const Matrix<float> journal = whole.journal();
      const std::vector<float> lines(journal.data, journal.data + journal.rows * journal.cols);
      Seen expected;
      follow(whole, model, 60, expected, ended);

      const std::unique_ptr<Environment> other = make_environment(name, {});
      Actors<float> resumed(*other, model, 5, 11);
      resumed.state() = state;
      std::ranges::copy(lines, resumed.journal().data);
      resumed.resume();
      Episodes ended_too;
      Seen again;
      follow(resumed, model, 60, again, ended_too);
      CHECK(again == expected);
    }
  }
}

TEST_CASE("actors: returns count from the first step of an episode, also over a stop") {
  const std::unique_ptr<Environment> environment = make_environment("repeat_previous", {});
  SequenceModel<float> model = policy_for(environment->info());
  const auto played = [&](Index stop) {
    Actors<float> actors(*environment, model, 3, 5);
    Episodes episodes;
    Seen ignored;
    follow(actors, model, stop, ignored, episodes);
    actors.resume();
    follow(actors, model, 120 - stop, ignored, episodes);
    return episodes;
  };
  const Episodes whole = played(0);
  CHECK(whole.count == 6);  // 51 steps each
  CHECK(whole.steps == 6 * 51);
  CHECK(played(30).returns == doctest::Approx(whole.returns));
}

TEST_CASE("play: episodes are the same ones, however many are played at once") {
  const std::unique_ptr<Environment> environment = make_environment("mystery_path", {});
  SequenceModel<float> model = policy_for(environment->info());
  const auto played = [&](Index rows, Choice choice) {
    return play(model, *environment, 12, rows, 7, choice);
  };
  for (const Choice choice : {Choice::sample, Choice::greedy}) {
    const Episodes five = played(5, choice);
    const Episodes three = played(3, choice);
    CHECK(five.count == 12);
    CHECK(three.count == 12);
    CHECK(five.steps == three.steps);
    CHECK(five.returns == three.returns);
  }
  CHECK(played(5, Choice::sample).returns != played(5, Choice::greedy).returns);
}

TEST_CASE("play: the film of an episode is that episode") {
  const std::unique_ptr<Environment> environment = make_environment("tmaze", {});
  SequenceModel<float> model = policy_for(environment->info());
  const std::vector<Turn> film = play_one(model, *environment, 7, Choice::sample);
  const Episodes first = play(model, *environment, 1, 1, 7, Choice::sample);
  CHECK(std::ssize(film) == first.steps);
  double earned = 0;
  for (const Turn& turn : film) {
    earned += turn.reward;
    CHECK(turn.policy[0] + turn.policy[1] + turn.policy[2] + turn.policy[3] == doctest::Approx(1));
    CHECK((turn.picture.starts_with("up ") || turn.picture.starts_with("down ")));
    CHECK(turn.picture.find('@') != std::string::npos);
  }
  CHECK(earned == doctest::Approx(first.returns));
}
