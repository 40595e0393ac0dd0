#include "train/data_identity.hpp"

#include <doctest/doctest.h>

#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

struct Folder : test::TemporaryFolder {
  Folder() {
    write("train.src", "a b a\nb\n");
    write("train.tgt", "1 0 1\n0\n");
    write("valid.src", "b a\n");
    write("valid.tgt", "0 1\n");
  }
  DataIdentity identity(const Symbols& symbols = {}) const {
    return identity_of(*make_task(
        "file", {.rule = "paper", .data = path().string(), .options = {}, .symbols = symbols}));
  }
};

}  // namespace

TEST_CASE("data identity: it comes back from the facts of a checkpoint, any symbol too") {
  const DataIdentity before{{{"<unknown>", "\"", "\\s", "\u00e9", "\x01"}, {"{", "_"}},
                            {{"train", "00ff"}, {"valid", "11ee"}}};
  const DataIdentity after = data_identity(to_facts(before));
  CHECK(after.symbols.inputs == before.symbols.inputs);
  CHECK(after.symbols.outputs == before.symbols.outputs);
  CHECK(after.hashes == before.hashes);
  CHECK(data_identity({}).symbols.inputs.empty());  // of a checkpoint that does not say
  CHECK(data_identity({}).hashes.empty());
}

TEST_CASE("data identity: damaged facts are an error") {
  for (const char* text : {"", "{", "[]", "{}", "{\"inputs\": [1], \"classes\": []}", "7"}) {
    CAPTURE(text);
    CHECK(error_of([&] {
            data_identity({{"vocabulary", text}});
          }) == "1: the checkpoint's 'vocabulary' is damaged");
  }
  CHECK(error_of([] {
          data_identity({{"data_hash", "{\"train\": 5}"}});
        }) == "1: the checkpoint's 'data_hash' is damaged");
}

TEST_CASE("data identity: strings that are drawn have symbols but no hash") {
  const DataIdentity drawn = identity_of(*make_task("dyck1", {}));
  CHECK(drawn.symbols.inputs == std::vector<std::string>{"(", ")"});
  CHECK(drawn.hashes.empty());
  CHECK(!to_facts(drawn).contains("data_hash"));
}

TEST_CASE("data identity: every set that changed is named, and no other") {
  const Folder folder;
  const DataIdentity run = folder.identity();
  CHECK(run.hashes.size() == 2);
  CHECK(changes(run, folder.identity(run.symbols)).empty());
  folder.write("valid.tgt", "1 1\n");
  const DataIdentity other = folder.identity(run.symbols);
  CHECK(changes(run, other) ==
        std::vector<std::string>{"valid set is not that of the run: data hash " +
                                 other.hashes.at("valid") + ", the run had " +
                                 run.hashes.at("valid")});
  folder.write("test.src", "b\n");
  folder.write("test.tgt", "0\n");
  const std::vector<std::string> two = changes(run, folder.identity(run.symbols));
  REQUIRE(two.size() == 2);
  CHECK(two[1].starts_with("test set is not that of the run: data hash "));
  CHECK(two[1].ends_with(", the run had none"));
}

TEST_CASE("data identity: the order of the lines matters, that in which symbols appear does not") {
  const Folder folder;
  const DataIdentity run = folder.identity();
  folder.write("train.src", "b\na b a\n");
  folder.write("train.tgt", "0\n1 0 1\n");
  CHECK(changes(run, folder.identity(run.symbols)).size() == 1);  // valid is as it was
  // Numbered anew, the sets of renamed symbols would pass for the old ones.
  folder.write("train.src", "x b x\nb\n");
  CHECK(error_of([&] { folder.identity(run.symbols); }) ==
        "1: " + (folder.path() / "train.src").string() +
            ":1: 'x' is not among the symbols of the run");
}
