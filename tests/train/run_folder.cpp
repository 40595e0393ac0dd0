#include "train/run_folder.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "io/file.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"
#include "train/eval_csv.hpp"
#include "train/run_files.hpp"
#include "train/settings.hpp"
#include "train/train_csv.hpp"

using namespace rlt;
using test::error_of;
namespace fs = std::filesystem;

namespace {

std::string table(const std::vector<std::string>& columns) {
  return fmt::format("{}\n", fmt::join(columns, ","));
}

/// A checkpoint of these settings.
void write_checkpoint(const fs::path& path, const RunConfig& config) {
  ParameterSet<float> parameters;
  parameters.add("w", {2}, init::constant(1));
  parameters.allocate();
  save_checkpoint<float>(path, parameters, nullptr, {}, to_facts(config));
}

/// Every file of a run, as it writes them.
void write_run(const RunFolder& folder, const RunConfig& config = {}) {
  folder.begin(config);
  folder.write_meta(config, "rlt train", utc_time(), std::nullopt);
  write_checkpoint(folder.last(), config);
  write_checkpoint(folder.best(), config);
  write_file(folder.train_csv(), table(train_header()));
  write_file(folder.eval_csv(), table(eval_header()));
  folder.finish();
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

}  // namespace

TEST_CASE("run folder: its state follows what is there") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  CHECK(folder.state() == RunFolder::State::absent);
  folder.begin({});
  CHECK(folder.state() == RunFolder::State::begun);
  for (const fs::path& file : {folder.best(), folder.last()}) {
    write_checkpoint(file, {});
    CHECK(folder.state() == RunFolder::State::interrupted);
    fs::remove(file);
  }
  folder.finish();
  CHECK(folder.state() == RunFolder::State::finished);
}

TEST_CASE("run folder: beginning removes what runs left, whoever wrote it, and nothing else") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  write_run(folder);
  temporary.write("lengths.csv", table(eval_header()) + "parity,...\n");
  temporary.write("last.safetensors.1234.partial", "half");
  temporary.write("config.toml.77.partial", "");
  temporary.write("lengths.csv.8.partial", "");
  const std::set<std::string> foreign = {"notes.txt",
                                         "own.csv",
                                         "eval.log",
                                         "film.1234.partial",
                                         "empty.csv",
                                         "last.safetensors.partial",
                                         "last.safetensors.x.partial"};
  for (const std::string& name : foreign)
    temporary.write(name, name == "empty.csv" ? "" : "task,mine\n");
  folder.begin({});
  std::set<std::string> expected = foreign;
  expected.insert("config.toml");
  CHECK(names_in(temporary.path()) == expected);
}

TEST_CASE("run folder: weights go before the settings that say what they are") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  write_run(folder);
  temporary.write("lengths.csv", table(eval_header()));
  const std::vector<fs::path> files = files_of_run(temporary.path());
  const auto place = [&](const fs::path& file) {
    return std::ranges::find(files, file) - files.begin();
  };
  CHECK(files.size() == 8);
  CHECK(place(folder.done()) == 0);  // without weights it would not be finished
  CHECK(place(folder.last()) < 3);
  CHECK(place(folder.best()) < 3);
  CHECK(place(temporary.path() / "lengths.csv") < place(folder.config()));
  CHECK(files.back() == folder.config());
}

TEST_CASE("run folder: all files stay when one cannot be removed, and it is told") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  write_run(folder);
  fs::remove(folder.meta());
  fs::create_directories(folder.meta() / "inside");  // no one can remove this as a file
  const std::set<std::string> before = names_in(temporary.path());
  const std::string settings = read_file(folder.config());
  RunConfig other;
  other.seed = 2;
  CHECK(error_of([&] { folder.begin(other); }) ==
        "1: cannot remove '" + folder.meta().string() + "': Is a directory");
  CHECK(names_in(temporary.path()) == before);
  CHECK(read_file(folder.config()) == settings);
}

TEST_CASE(
    "run folder: files of a user under the names of a run are refused, those of rlt are not") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  temporary.write("notes.txt", "mine");
  CHECK(error_of([&] { folder.require_own(); }) == "no error");
  for (const fs::path& file : {folder.config(), folder.done(), folder.last(), folder.best(),
                               folder.train_csv(), folder.eval_csv(), folder.meta()}) {
    CAPTURE(file);
    for (const std::string text : {"epoch,loss\n1,2\n", "{\"mine\": 1}", "lr = 0.1\n"}) {
      write_file(file, text);
      CHECK(error_of([&] { folder.require_own(); }) ==
            "1: '" + file.string() +
                "' was not written by rlt and would be overwritten: choose another --out");
    }
    fs::remove(file);
    fs::create_symlink("nowhere", file);
    CHECK(error_of([&] { folder.require_own(); }).starts_with("1: '" + file.string()));
    fs::remove(file);
  }
  write_run(folder);
  CHECK(error_of([&] { folder.require_own(); }) == "no error");
  fs::remove(folder.config());  // what is left is known by itself
  CHECK(error_of([&] { folder.require_own(); }) == "no error");
  for (const fs::path& file :
       {folder.done(), folder.train_csv(), folder.eval_csv(), folder.meta(), folder.last()}) {
    CAPTURE(file);
    const std::string text = read_file(file);
    write_file(file, text.substr(0, file == folder.last() ? text.size() - 3 : 9));
    CHECK(error_of([&] { folder.require_own(); }) == "no error");
  }
}

TEST_CASE("run folder: settings are compared one by one; the first that differs is named") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  RunConfig config;
  folder.begin(config);
  CHECK(error_of([&] { folder.require_same(config); }) == "no error");
  config.learning_rate = 0.01;
  config.seed = 7;
  CHECK(
      error_of([&] { folder.require_same(config); }) ==
      "2: " + temporary.path().string() +
          " holds a run with other settings (lr = 0.001; asked: lr = 0.01); choose another --out, "
          "or --force to start over");
  const std::string text = read_file(folder.config());
  // Notes of the user are no difference, a setting that is not there yet has its default.
  const std::size_t bucket = text.find("bucket");
  write_file(folder.config(),
             "# a note\n" + text.substr(0, bucket) + text.substr(text.find('\n', bucket) + 1));
  CHECK(error_of([&] { folder.require_same({}); }) == "no error");
  config = {};
  config.bucket = 3;
  CHECK(error_of([&] { folder.require_same(config); }).find("bucket = 1; asked: bucket = 3") !=
        std::string::npos);
  write_file(folder.config(), "speed = 3\n" + text);
  CHECK(error_of([&] { folder.require_same({}); }).find("speed = 3") != std::string::npos);
}

TEST_CASE("run folder: a config.toml that is missing or cut is named as such") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  folder.begin({});
  const std::string path = folder.config().string();
  const std::string text = read_file(folder.config());
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, text.size() / 2,
                                   text.rfind('\n', text.size() - 2) + 1, text.size() - 1}) {
    CAPTURE(length);
    write_file(folder.config(), text.substr(0, length));
    CHECK(error_of([&] { folder.require_same({}); }).starts_with("1: '" + path + "' is cut: "));
  }
  fs::remove(folder.config());
  CHECK(error_of([&] { folder.require_same({}); }).starts_with("1: '" + path + "' is missing: "));
}

TEST_CASE("run folder: a checkpoint of other settings does not belong there") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  folder.begin({});
  write_checkpoint(folder.best(), {});
  CHECK(error_of([&] { folder.require_own(folder.best()); }) == "no error");
  RunConfig other;
  other.cell = "rdn";
  write_checkpoint(folder.best(), other);
  CHECK(error_of([&] { folder.require_own(folder.best()); }) ==
        "1: '" + folder.best().string() +
            "' belongs to another run: it says cell = \"rdn\", but '" + folder.config().string() +
            "' says cell = \"lstm\"");
  fs::remove(folder.best());
  CHECK(error_of([&] {
          folder.require_own(folder.best());
        }).starts_with("1: '" + folder.best().string() + "' is missing"));
  // Bytes that are no UTF-8 are no difference.
  RunConfig bytes;
  bytes.data = "\xff";
  folder.begin(bytes);
  write_checkpoint(folder.best(), bytes);
  CHECK(error_of([&] { folder.require_own(folder.best()); }) == "no error");
}

TEST_CASE("run folder: in use, it names the process that holds it") {
  const test::TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  const std::string refused = fmt::format(
      "1: '{}' is in use by process {} on {}: wait until it ends, or choose another folder",
      temporary.path().string(), getpid(), host_name());
  {
    const FolderLock lock = folder.lock();
    CHECK(error_of([&] { folder.lock(); }) == refused);
    CHECK(error_of([&] { share_run_of(temporary.path() / "a.csv"); }) == "no error");
    folder.begin({});
    CHECK(error_of([&] { share_run_of(temporary.path() / "a.csv"); }) == refused);
    fs::create_symlink(temporary.path() / "a.csv", temporary.path() / "link");
    const test::TemporaryFolder elsewhere;
    fs::create_symlink(temporary.path() / "a.csv", elsewhere.path() / "link.csv");
    CHECK(error_of([&] { share_run_of(elsewhere.path() / "link.csv"); }) == refused);
    CHECK_FALSE(share_run_of(elsewhere.path() / "b.csv"));
  }
  const auto one = share_run_of(temporary.path() / "a.csv");
  const auto two = share_run_of(temporary.path() / "b.csv");
  CHECK(one);
  CHECK(two);
  CHECK(error_of([&] { folder.lock(); }) == refused);
}
