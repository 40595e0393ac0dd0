// entity_recall: long documents that say at their head what a few entities are worth, and ask now and then.
// Setting: Block-Recurrent Transformer (arXiv 2203.07852), whose state is to carry what attention's window has lost;
//   the task is our own.
// Document of `length` symbols: for each of 4 to 8 entities, drawn without repetition, = e v1 v2 v3, three uniform
//   values; then filler, an order-1 Markov chain in which every symbol has 4 equally likely successors (one chain for
//   all documents), broken by queries: at a share `queries` of its symbols stands ? e v1 v2 v3 instead, e uniform among
//   the document's entities.
// Label: in a query, after e the first value, after it the second, after that the third; nothing else is scored.
// Distance: symbols from the e of a query back to the latest e before it, in a query or at the head. Beside the test set
//   stand its parts by distance (TaskInfo::parts): up to `window`, up to `reach`, up to `stop`, and farther; by default
//   those of a window of 64, four layers of it, and a segment of 512, behind which no gradient flows.
// Sampling: none. The sets are fixed (Task::fixed_set): `documents` to train on, a fifth of that for each of the others.
// Chance: 1 of 16.
#include <algorithm>
#include <array>
#include <numeric>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/size.hpp"
#include "tasks/fixed_sets.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

constexpr int entities = 16, values = 16, fillers = 32;
constexpr int fewest = 4, most = 8;  // entities of a document
constexpr Index value_size = 3;
constexpr Index mention_size = 2 + value_size;  // mark, entity, value
constexpr int successors = 4;

// Numbers of the symbols.
constexpr int first_entity = 0, first_value = first_entity + entities;
constexpr int first_filler = first_value + values, binding = first_filler + fillers;
constexpr int query = binding + 1;

/// The filler that may follow each filler.
using Chain = std::array<std::array<int, successors>, fillers>;

Chain draw_chain(const Rng& rng) {
  Draws draws(rng);
  Chain chain;
  for (std::array<int, successors>& next : chain) {
    for (int& one : next) one = static_cast<int>(draws.below(fillers));
  }
  return chain;
}

/// A document, and for every position that is scored the distance of the query from the latest mention.
struct Document {
  Example example;
  std::vector<Index> distance;  // 0: not scored
};

class Writer {
 public:
  Writer(const Rng& rng, const Chain& chain, Index length, double queries)
      : draws_(rng), chain_(chain), length_(length), queries_(queries) {}

  Document write() {
    const int count = static_cast<int>(draws_.between(fewest, most));
    std::array<int, entities> order;
    std::iota(order.begin(), order.end(), 0);
    for (int i = 0; i < count; ++i) {
      std::swap(order[i], order[i + static_cast<int>(draws_.below(entities - i))]);
      for (int& value : worth_[order[i]]) value = static_cast<int>(draws_.below(values));
      mention(binding, order[i]);
    }
    int filler = static_cast<int>(draws_.below(fillers));
    while (size() < length_) {
      if (size() + mention_size <= length_ && draws_.chance(queries_)) {
        mention(query, order[draws_.below(count)]);
      } else {
        put(first_filler + filler);
        filler = chain_[filler][draws_.below(successors)];
      }
    }
    return std::move(document_);
  }

 private:
  Index size() const { return std::ssize(document_.example.tokens); }

  void put(int symbol, int target = not_scored, Index distance = 0) {
    document_.example.tokens.push_back(symbol);
    document_.example.targets.push_back(target);
    document_.distance.push_back(distance);
  }

  void mention(int mark, int entity) {
    const std::array<int, value_size>& worth = worth_[entity];
    put(mark);
    const bool asked = mark == query;
    const Index distance = asked ? size() - latest_[entity] : 0;
    latest_[entity] = size();
    put(first_entity + entity, asked ? worth[0] : not_scored, distance);
    for (Index i = 0; i < value_size; ++i) {
      const bool more = asked && i + 1 < value_size;
      put(first_value + worth[i], more ? worth[i + 1] : not_scored, more ? distance : 0);
    }
  }

  Draws draws_;
  const Chain& chain_;
  Index length_;
  double queries_;
  Document document_;
  std::array<std::array<int, value_size>, entities> worth_{};
  std::array<Index, entities> latest_{};
};

class EntityRecall final : public FixedSets {
 public:
  explicit EntityRecall(const TaskOptions& options) : FixedSets(entity_recall_info(options)) {
    const OptionValues chosen =
        complete_options("task-option", info_.name, info_.options, options.options);
    const auto number = [&](const char* name) { return Index{std::stoll(chosen.at(name))}; };
    const Index length = number("length"), documents = number("documents");
    const std::array<Index, 3> borders = {number("window"), number("reach"), number("stop")};
    if (!std::ranges::is_sorted(borders)) {
      fail(Exit::usage,
           "--task-option window={}, reach={}, stop={}: distances must grow in this order",
           borders[0], borders[1], borders[2]);
    }
    require_memory(bytes_of(4 * sizeof(int), documents, length), "that many documents",
                   "--task-option documents or length");
    const Rng all = Rng(0).stream("entity_recall");
    const Chain chain = draw_chain(all.stream("chain"));
    for (const std::string split : {"train", "valid", "test"}) {
      const Index size = split == "train" ? documents : std::max<Index>(1, documents / 5);
      for (Index i = 0; i < size; ++i) {
        const Rng rng = all.stream(split).stream(static_cast<std::uint64_t>(i));
        const Document document =
            Writer(rng, chain, length, std::stod(chosen.at("queries"))).write();
        sets_[split].push_back(document.example);
        if (split == "test") add_parts(document, borders);
      }
    }
    measure_training();
  }

 private:
  // The document once for each part, with the targets of that part alone.
  void add_parts(const Document& document, const std::array<Index, 3>& borders) {
    for (std::size_t part = 0; part < info_.parts.size(); ++part) {
      Example alone = document.example;
      for (std::size_t t = 0; t < document.distance.size(); ++t) {
        const auto beyond = static_cast<std::size_t>(
            std::ranges::count_if(borders, [&](Index b) { return document.distance[t] > b; }));
        if (beyond != part) alone.targets[t] = not_scored;
      }
      sets_[info_.parts[part]].push_back(std::move(alone));
    }
  }
};

std::vector<std::string> symbols() {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(query) + 1);
  for (int i = 0; i < entities; ++i) names.push_back("e" + std::to_string(i));
  for (int i = 0; i < values; ++i) names.push_back("v" + std::to_string(i));
  for (int i = 0; i < fillers; ++i) names.push_back("f" + std::to_string(i));
  names.insert(names.end(), {"=", "?"});
  return names;
}

Option distance_option(const char* name, const char* value, const char* help) {
  return {.name = name,
          .value = value,
          .help = help,
          .choices = {},
          .low = 1,
          .high = 1e6,
          .whole = true};
}

}  // namespace

TaskInfo entity_recall_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "entity_recall";
  info.summary = "what an entity is worth, said once at the head of a long document";
  info.source = "generated; for the Block-Recurrent Transformer, arXiv 2203.07852";
  info.rule = options.rule;
  info.label = "in a query ? e, the three symbols of the entity's value";
  info.inputs = symbols();
  for (int i = 0; i < values; ++i) info.outputs.push_back("v" + std::to_string(i));
  info.documents = true;
  info.makes_own_sets = true;
  info.parts = {"within_window", "within_reach", "within_segment", "beyond"};
  info.options = {
      {.name = "documents",
       .value = "400",
       .help = "to train on",
       .choices = {},
       .low = 1,
       .high = 1e5,
       .whole = true},
      {.name = "length",
       .value = "4096",
       .help = "symbols of a document",
       .choices = {},
       .low = (most + 1) * mention_size,
       .high = 1e6,
       .whole = true},
      {.name = "queries",
       .value = "0.02",
       .help = "share of the body's places where a query stands",
       .choices = {},
       .low = 0.001,
       .high = 1},
      distance_option("window", "64", "test part within_window: distances up to this"),
      distance_option("reach", "256", "test part within_reach: distances up to this"),
      distance_option("stop", "512",
                      "test part within_segment: distances up to this; beyond: all above")};
  return info;
}

std::unique_ptr<Task> make_entity_recall(const TaskOptions& options) {
  return std::make_unique<EntityRecall>(options);
}

}  // namespace rlt
