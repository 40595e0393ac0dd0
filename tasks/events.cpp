// events: when does the next event come, and of which mark is it?
// Paper: the event forecasting of Aaren (arXiv 2405.13956); data: drawn (point_process.hpp), or the user's own
//   (--data FILE.csv: events_csv.hpp).
// Tokens: the marks. Label at an event: the mark of the next one, and the time until then (real_targets: {tau, 1});
//   where the next one was not seen no mark, and the time until the end of observation ({tau, 0}).
// Unit of time, of all that is read and asked: the mean time between events; 1 / rate of a drawn process, the mean
//   gap of the training set of one's own data. In the units of the data a density is unit times smaller: add log unit
//   to every nats per event, multiply errors by unit. TaskInfo::quirks tells it.
// Features: with w the time since the event before (the first event of drawn data: since 0; of one's own: 0)
//   {w, log(max(w, 1e-4))}, and with time=sinusoidal, t since the start (0, or the first event of one's own)
//   {sin(f_j t), cos(f_j t)}, f_j = 2^(1 - j/2), j = 0..15: periods of 3 to 570 mean gaps. A model learns the rest of
//   its encoding of time by the linear map through which it reads features.
// Drawn sequences: all events in [0, events / rate]; the process starts empty, so that self-exciting ones have
//   somewhat fewer than `events`. A sequence without any is drawn anew, which leaves the law of what follows a first
//   event as it is. Sets depend on process, events and data_seed alone; a smaller one is the beginning of a larger.
// Own data: the sequences in the order of a hash of their names, 60 % for training, 20 % each for validation and
//   testing (rounded, one at least). The last event of a sequence is only foretold: nothing tells how long it was
//   observed. Classes are all marks of the file; a note counts those that training never shows.
// Oracle: the process that drew the data. Its loss counts the mark given the time, as the joint density does; a head
//   that foretells time and mark apart cannot reach it where marks depend on the time: with hawkes it stays 0.049
//   nats per event above, with delayed 0.009 (10,000 events each, the true chances of the marks before the time is
//   known against those after).
// departs: meta-tpp counts the last event of each sequence as censored; we count it as seen.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "io/standard_streams.hpp"
#include "losses/loss.hpp"
#include "tasks/event_references.hpp"
#include "tasks/events_csv.hpp"
#include "tasks/fixed_sets.hpp"
#include "tasks/point_process.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

constexpr int frequencies = 16;
constexpr double shortest_wait = 1e-4;  // that the logarithm tells from none

/// What happened from `begin` to `end`.
struct Observed {
  std::vector<Event> events;
  double begin = 0;
  double end = 0;
};

double mean_gap(const PointProcess& process) {
  const std::vector<double> rates = process.rates();
  return 1 / std::accumulate(rates.begin(), rates.end(), 0.0);
}

std::string unit_text(double unit) { return fmt::format("the unit of time is {:.6g}", unit); }

float in_float(double number) { return static_cast<float>(number); }

/// One position for each event, but for the last one where observation ends with it.
Example example_of(const Observed& observed, double unit, bool sinusoidal) {
  Example example;
  const std::vector<Event>& events = observed.events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const bool seen = i + 1 < events.size();
    if (!seen && observed.end <= events[i].time) break;
    const double wait = (events[i].time - (i == 0 ? observed.begin : events[i - 1].time)) / unit;
    const double tau = ((seen ? events[i + 1].time : observed.end) - events[i].time) / unit;
    example.tokens.push_back(events[i].mark);
    example.targets.push_back(seen ? events[i + 1].mark : not_scored);
    example.real_targets.push_back(std::max(in_float(tau), std::numeric_limits<float>::min()));
    example.real_targets.push_back(seen ? 1.0F : 0.0F);
    example.reals.push_back(in_float(wait));
    example.reals.push_back(in_float(std::log(std::max(wait, shortest_wait))));
    if (!sinusoidal) continue;
    const double time = (events[i].time - observed.begin) / unit;
    for (int j = 0; j < frequencies; ++j) {
      const double angle = std::exp2(1 - j / 2.0) * time;
      example.reals.push_back(in_float(std::sin(angle)));
      example.reals.push_back(in_float(std::cos(angle)));
    }
  }
  return example;
}

class Events final : public FixedSets {
 public:
  explicit Events(const TaskOptions& options) : FixedSets(events_info(options)) {
    const OptionValues chosen =
        complete_options("task-option", info_.name, info_.options, options.options);
    sinusoidal_ = chosen.at("time") == "sinusoidal";
    if (options.data.empty()) {
      draw(chosen);
    } else {
      read(options);
    }
    constant_ = ConstantRate(sets_.at("train"), info_.outputs.size());
    measure_training();
  }

  std::vector<Reference> references(const std::vector<Example>& examples) const override {
    std::vector<Reference> all;
    const auto add = [&](const char* name, const auto& score_of) {
      std::vector<Score> scores;
      scores.reserve(examples.size());
      for (const Example& example : examples) scores.push_back(score_of(example));
      all.push_back({name, total(scores)});
    };
    if (process_ != nullptr) {
      add("oracle", [&](const Example& example) {
        return oracle_score(*process_, unit_, info_.features, example);
      });
    }
    add("poisson", [&](const Example& example) { return constant_.score(example); });
    return all;
  }

 private:
  void draw(const OptionValues& chosen) {
    const std::string& name = chosen.at("process");
    process_ = make_point_process(name);
    unit_ = mean_gap(*process_);
    const double horizon = std::stod(chosen.at("events")) * unit_;
    const auto sequences = static_cast<Index>(std::stod(chosen.at("sequences")));
    const auto seed = static_cast<std::uint64_t>(std::stod(chosen.at("data_seed")));
    for (const std::string split : {"train", "valid", "test"}) {
      const Rng rng = Rng(seed).stream("events").stream(name).stream(split);
      const Index size = split == "train" ? sequences : std::max<Index>(sequences / 5, 1);
      for (Index i = 0; i < size; ++i) {
        Draws draws(rng.stream(static_cast<std::uint64_t>(i)));
        Observed observed{.events = {}, .begin = 0, .end = horizon};
        while (observed.events.empty()) observed.events = draw_events(*process_, draws, horizon);
        sets_[split].push_back(example_of(observed, unit_, sinusoidal_));
      }
    }
  }

  void read(const TaskOptions& options) {
    Vocabulary marks(options.symbols.inputs);
    std::vector<EventSequence> sequences =
        read_events_csv(options.data, marks, marks.symbols().empty());
    info_.inputs = info_.outputs = marks.symbols();
    const Index all = std::ssize(sequences);
    const Index held_out = std::max<Index>(std::llround(0.2 * static_cast<double>(all)), 1);
    const Index train = all - 2 * held_out;
    if (train < 1) {
      fail(Exit::failed,
           "{}: {} sequences; training, validation and test need one each, so that there must be "
           "three",
           options.data, all);
    }
    std::ranges::sort(sequences, {}, [](const EventSequence& sequence) {
      return std::pair(Rng(0).stream("events").stream(sequence.name).bits(0), sequence.name);
    });
    double gaps = 0, time = 0;
    std::set<int> trained;
    for (Index i = 0; i < train; ++i) {
      const std::vector<Event>& events = sequences[i].events;
      gaps += static_cast<double>(events.size() - 1);
      time += events.back().time - events.front().time;
      for (const Event& event : events) trained.insert(event.mark);
    }
    unit_ = time / gaps;
    info_.quirks = unit_text(unit_);
    for (Index i = 0; i < all; ++i) {
      const std::vector<Event>& events = sequences[i].events;
      const Observed observed{events, events.front().time, events.back().time};
      const char* const split = i < train ? "train" : i < train + held_out ? "valid" : "test";
      sets_[split].push_back(example_of(observed, unit_, sinusoidal_));
    }
    if (const Index unseen = std::ssize(marks.symbols()) - std::ssize(trained); unseen > 0) {
      print_message("rlt: note: {} of the {} marks of {} never occur in the training set", unseen,
                    marks.symbols().size(), options.data);
    }
  }

  bool sinusoidal_ = false;
  double unit_ = 1;
  std::unique_ptr<PointProcess> process_;  // of drawn data
  ConstantRate constant_;
};

}  // namespace

TaskInfo events_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "events";
  info.summary =
      "when does the next event come, and of which mark? drawn, or your own: --data FILE.csv";
  info.source = "Feng et al. 2024, arXiv 2405.13956";
  info.rule = options.rule;
  info.data = "FILE.csv with the columns sequence, time and, if you like, mark";
  info.makes_own_sets = true;
  info.label = "the mark of the next event, and the time until then";
  info.options = {{.name = "time",
                   .value = "sinusoidal",
                   .help = "what is read of the time since the start",
                   .choices = {"plain", "sinusoidal"}}};
  if (options.data.empty()) {
    info.options.push_back({.name = "process",
                            .value = "hawkes",
                            .help = "what draws the events",
                            .choices = {"hawkes", "poisson", "renewal", "delayed"}});
    info.options.push_back({.name = "events",
                            .value = "60",
                            .help = "mean number in a sequence, or so",
                            .choices = {},
                            .low = 2,
                            .high = 100'000});
    info.options.push_back({.name = "sequences",
                            .value = "1000",
                            .help = "for training; validation and test have a fifth each",
                            .choices = {},
                            .low = 1,
                            .high = 10'000'000,
                            .whole = true});
    info.options.push_back({.name = "data_seed",
                            .value = "1",
                            .help = "of the drawn sequences",
                            .choices = {},
                            .low = 0,
                            .high = 1e9,
                            .whole = true});
  } else {
    info.source = options.data;
  }
  const OptionValues chosen =
      complete_options("task-option", info.name, info.options, options.options);
  if (options.data.empty()) {
    const std::string& process = chosen.at("process");
    const std::unique_ptr<PointProcess> law = make_point_process(process);
    for (std::size_t mark = 0; mark < law->rates().size(); ++mark) {
      info.inputs.push_back(fmt::format("{}", mark));
    }
    info.outputs = info.inputs;
    info.quirks = unit_text(mean_gap(*law));
  }
  info.length_unit = "events";
  info.features = chosen.at("time") == "sinusoidal" ? 2 + 2 * frequencies : 2;
  info.real_targets = 2;
  info.likelihood = Likelihood::events;
  return info;
}

std::unique_ptr<Task> make_events(const TaskOptions& options) {
  return std::make_unique<Events>(options);
}

}  // namespace rlt
