#include "io/safetensors.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/rng.hpp"
#include "io/file.hpp"
#include "io/full_disk.hpp"
#include "io/raw_safetensors.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;
using test::raw_floats;
using test::raw_safetensors;
namespace fs = std::filesystem;

namespace {

template <typename T, std::size_t N>
TensorView view(const char* name, const char* dtype, std::vector<Index> shape,
                const T (&values)[N]) {
  return {name, dtype, std::move(shape), std::as_bytes(std::span(values))};
}

/// A small file with every dtype, an empty array and a scalar; U8 first, so that order matters.
void write_sample(const fs::path& path) {
  const std::uint8_t bytes[] = {1, 2, 255};
  const float floats[] = {1.5f, -2, 0.25f, 1e-30f, 3, 7};
  const double doubles[] = {0.1};
  const std::int64_t integers[] = {-1, 1LL << 40};
  const std::vector<TensorView> tensors = {view("bytes", "U8", {3}, bytes),
                                           view("block.0.weight", "F32", {2, 3}, floats),
                                           {"nothing", "F32", {5, 0, 2}, {}},
                                           view("scalar", "F64", {}, doubles),
                                           view("integers", "I64", {2, 1}, integers)};
  write_safetensors(path, tensors, {{"format", "test"}, {"quoted \"text\"", "größe\n\\"}});
}

/// Error message of reading `content`, without the leading "1: 'PATH': ".
std::string error_reading(const std::string& content) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file.safetensors";
  write_file(path, content);
  const std::string message = error_of([&] { Safetensors{path}; });
  const std::string start = "1: '" + path.string() + "': ";
  return message.starts_with(start) ? message.substr(start.size()) : message;
}

/// The same for a header and array bytes.
std::string error_reading(const std::string& header, const std::string& bytes) {
  return error_reading(raw_safetensors(header, bytes));
}

}  // namespace

TEST_CASE("safetensors: arrays and metadata come back as written") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file.safetensors";
  write_sample(path);
  Safetensors read(path);
  const Safetensors file = std::move(read);
  CHECK(file.metadata() ==
        std::map<std::string, std::string>{{"format", "test"}, {"quoted \"text\"", "größe\n\\"}});
  // Wide types first, otherwise as given.
  CHECK(file.names() ==
        std::vector<std::string>{"scalar", "integers", "block.0.weight", "nothing", "bytes"});
  const TensorView* weight = file.find("block.0.weight");
  REQUIRE(weight != nullptr);
  CHECK(weight->dtype == "F32");
  CHECK(weight->shape == std::vector<Index>{2, 3});
  float values[6];
  REQUIRE(weight->bytes.size() == sizeof(values));
  std::memcpy(values, weight->bytes.data(), sizeof(values));
  CHECK(values[1] == -2);
  CHECK(values[3] == 1e-30f);
  CHECK(file.find("scalar")->shape.empty());
  CHECK(file.find("nothing")->bytes.empty());
  CHECK(file.find("bytes")->bytes[2] == std::byte{255});
  CHECK(file.find("none") == nullptr);
}

TEST_CASE("safetensors: the same input gives the same bytes; no tensors at all is a file too") {
  const test::TemporaryFolder folder;
  write_sample(folder.path() / "a");
  write_sample(folder.path() / "b");
  CHECK(read_file(folder.path() / "a") == read_file(folder.path() / "b"));
  write_safetensors(folder.path() / "c", {}, {});
  CHECK(read_file(folder.path() / "c") == raw_safetensors("{}", ""));
  CHECK(Safetensors(folder.path() / "c").names().empty());
}

TEST_CASE("safetensors: Python reads the file without our code") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file.safetensors";
  write_sample(path);
  const std::string out = (folder.path() / "out").string();
  const std::string script = std::string(RLT_TEST_DIR) + "/io/read_safetensors.py";
  const int status = std::system(
      fmt::format("/usr/bin/python3 '{}' '{}' > '{}'", script, path.string(), out).c_str());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == 77 || code == 127) {
    MESSAGE("skipped: needs /usr/bin/python3 with numpy");
    return;
  }
  CHECK(code == 0);
  CHECK(read_file(out) ==
        "format: test\n"
        "quoted \"text\": größe\n\\\n"
        "block.0.weight float32 (2, 3) [1.5, -2.0, 0.25, 1.0000000031710769e-30, 3.0, 7.0]\n"
        "bytes uint8 (3,) [1, 2, 255]\n"
        "integers int64 (2, 1) [-1, 1099511627776]\n"
        "nothing float32 (5, 0, 2) []\n"
        "scalar float64 () [0.1]\n");
}

TEST_CASE("safetensors: a file of another kind is told") {
  CHECK(error_reading("") == "not a safetensors file: 0 bytes are too short");
  CHECK(error_reading("1234567") == "not a safetensors file: 7 bytes are too short");
  CHECK(
      error_reading("step,loss\n1,0.5\n2,0.25\n")
          .starts_with("not a safetensors file: the header would have 8317985974896653427 bytes"));
  CHECK(error_reading(std::string("\x40\0\0\0\0\0\0\0PK garbage", 18)) ==
        "not a safetensors file: the header would have 64 bytes, the file has 18");
  CHECK(error_reading(std::string("\x01\xe1\xf5\x05\0\0\0\0{", 9)) ==
        "not a safetensors file: the header would have 100000001 bytes, above 100000000");
  CHECK(error_reading(std::string(8, '\0')) ==
        "not a safetensors file: the header is not a JSON object");
  CHECK(error_reading("[1, 2]", "") == "not a safetensors file: the header is not a JSON object");
  CHECK(error_reading("{\"a\": ", "") == "not a safetensors file: the header is not JSON");
  CHECK(error_reading("{} {}", "") == "not a safetensors file: the header is not JSON");
  CHECK(error_reading("{\"\xff\": 1}", "") == "not a safetensors file: the header is not JSON");
  CHECK(error_reading("{\"a\": [[[[[[[[1]]]]]]]]}", "") == "the header is nested too deep");
}

TEST_CASE("safetensors: a truncated file says how many bytes are missing") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_sample(path);
  const std::string whole = read_file(path);
  constexpr int array_bytes = 8 + 16 + 24 + 3;
  CHECK(error_reading(whole.substr(0, whole.size() - 10)) ==
        fmt::format("truncated: 10 of {} bytes of the arrays are missing", array_bytes));
  CHECK(error_reading(whole.substr(0, whole.size() - array_bytes - 5)) ==
        "truncated inside the header: at least 5 bytes are missing");
  CHECK(error_reading(whole + "xyz") == "3 bytes too many after the arrays");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(error_reading(whole.substr(0, size)) != "no error");
  }
}

TEST_CASE("safetensors: every damage of the header has its own line") {
  const std::string four = raw_floats(1, 2, 3, 4);
  const auto one = [&](const std::string& entry) {
    return error_reading("{\"w\": " + entry + "}", four);
  };
  CHECK(one(R"({"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]})") == "no error");
  CHECK(one("7") == "tensor 'w': expected dtype, shape and data_offsets");
  CHECK(one(R"({"dtype": "F32", "shape": [4]})") ==
        "tensor 'w': expected dtype, shape and data_offsets");
  CHECK(one(R"({"dtype": 32, "shape": [4], "data_offsets": [0, 16]})") ==
        "tensor 'w': expected dtype, shape and data_offsets");
  CHECK(one(R"({"dtype": "BF16", "shape": [4], "data_offsets": [0, 16]})") ==
        "tensor 'w' has the dtype 'BF16', expected F32, F64, I64 or U8");
  CHECK(one(R"({"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]})") ==
        "tensor 'w': the shape is not a list of whole numbers");
  CHECK(one(R"({"dtype": "F32", "shape": [4.0], "data_offsets": [0, 16]})") ==
        "tensor 'w': the shape is not a list of whole numbers");
  CHECK(one(R"({"dtype": "F32", "shape": 4, "data_offsets": [0, 16]})") ==
        "tensor 'w': the shape is not a list of whole numbers");
  // 2^62 + 4 times 4 bytes is 16 in 64 bits
  CHECK(one(R"({"dtype": "F32", "shape": [4611686018427387908], "data_offsets": [0, 16]})") ==
        "tensor 'w': the shape [4611686018427387908] is too large");
  CHECK(one(R"({"dtype": "F32", "shape": [0, 18446744073709551615], "data_offsets": [0, 0]})") ==
        "tensor 'w': the shape [0, 18446744073709551615] is too large");
  CHECK(one(R"({"dtype": "F32", "shape": [5], "data_offsets": [0, 16]})") ==
        "tensor 'w': the shape [5] of F32 needs 20 bytes, data_offsets span 16");
  CHECK(one(R"({"dtype": "F64", "shape": [4], "data_offsets": [0, 16]})") ==
        "tensor 'w': the shape [4] of F64 needs 32 bytes, data_offsets span 16");
  CHECK(one(R"({"dtype": "F32", "shape": [4], "data_offsets": [16, 0]})") ==
        "tensor 'w': data_offsets 16 and 0 are out of order");
  CHECK(one(R"({"dtype": "F32", "shape": [4], "data_offsets": [0, 16, 16]})") ==
        "tensor 'w': data_offsets are not two whole numbers");
  CHECK(one(R"({"dtype": "F32", "shape": [4], "data_offsets": [-16, 0]})") ==
        "tensor 'w': data_offsets are not two whole numbers");
  CHECK(one(R"({"dtype": "F32", "shape": [4], "data_offsets": [8, 24]})") ==
        "hole of 8 bytes before tensor 'w'");
  CHECK(one(R"({"dtype": "F32", "shape": [3], "data_offsets": [0, 12]})") ==
        "4 bytes too many after the arrays");
  CHECK(one(R"({"dtype": "F32", "shape": [6], "data_offsets": [0, 24]})") ==
        "truncated: 8 of 24 bytes of the arrays are missing");
}

TEST_CASE("safetensors: holes and overlaps between arrays, and names that come twice") {
  const std::string four = raw_floats(1, 2, 3, 4);
  const auto two = [&](const std::string& name, const char* shape, const char* offsets) {
    return error_reading(
        fmt::format(R"({{"a": {{"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}},
                                        "{}": {{"dtype": "F32", "shape": {}, "data_offsets": {}}}}})",
                    name, shape, offsets),
        four);
  };
  CHECK(two("b", "[2]", "[8, 16]") == "no error");
  CHECK(two("b", "[1]", "[12, 16]") == "hole of 4 bytes before tensor 'b'");
  CHECK(two("b", "[3]", "[4, 16]") ==
        "tensor 'b' begins at byte 4, inside the one before, which ends at 8");
  CHECK(two("a", "[2]", "[8, 16]") == "the header names 'a' twice");
  CHECK(two("__metadata__", "[2]", "[8, 16]") == "metadata 'data_offsets' is not a text");
  CHECK(error_reading(R"({"__metadata__": "x"})", "") == "'__metadata__' is not a JSON object");
  CHECK(error_reading(R"({"__metadata__": {"k": "1", "k": "2"}})", "") ==
        "the header names 'k' twice");
  CHECK(two("line\\nbreak\\u001b", "[1]", "[12, 16]") ==
        "hole of 4 bytes before tensor 'line\\nbreak\\u001b'");
}

TEST_CASE("safetensors: metadata hold any bytes, and the header is UTF-8 all the same") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  const std::map<std::string, std::string> metadata = {{"data",
                                                        "/tmp/gr\xf6\xdf"
                                                        "e"},
                                                       {"\xff", "\n"}};
  write_safetensors(path, {}, metadata);
  CHECK(Safetensors(path).metadata() == metadata);
  CHECK(read_file(path).find("/tmp/gr\xEE\xBF\xB6\xEE\xBF\x9F"
                             "e") != std::string::npos);
}

TEST_CASE("safetensors: what is no regular file is named, not waited for or read without end") {
  const test::TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of([&] { Safetensors{pipe}; }) ==
        "1: cannot read '" + pipe.string() + "': it is a pipe, expected a regular file");
  CHECK(error_of([] { Safetensors{"/dev/zero"}; }) ==
        "1: cannot read '/dev/zero': it is a device, expected a regular file");
}

TEST_CASE(
    "safetensors: a file with holes for more bytes than any machine has is read no further than "
    "needed") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  const auto grown = [&](const std::string& begin) {
    write_file(path, begin);
    fs::resize_file(path, 8'000'000'000'000);
    return error_of([&] { Safetensors{path}; });
  };
  const std::string start = "1: '" + path.string() + "': ";
  CHECK(grown("") == start + "not a safetensors file: the header is not a JSON object");
  CHECK(grown(raw_safetensors("{}", "")) ==
        start + fmt::format("{} bytes too many after the arrays", 8'000'000'000'000 - 16));
  const auto header = [](std::size_t count) {
    return raw_safetensors(
        fmt::format(R"({{"w": {{"dtype": "U8", "shape": [{0}], "data_offsets": [0, {0}]}}}})",
                    count),
        "");
  };
  const std::size_t count = 8'000'000'000'000 - header(7'999'999'999'999).size();
  CHECK(grown(header(count)).starts_with(start + "its arrays need 7450.6 GiB of memory, "));
}

TEST_CASE("safetensors: a missing file, a folder and a full disk are told") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  CHECK(error_of([&] { Safetensors{path}; }) ==
        "1: cannot read '" + path.string() + "': No such file or directory");
  write_sample(path);
  const std::string old = read_file(path);
  {
    const test::FullDisk full(100);
    CHECK(error_of([&] { write_sample(path); }) ==
          "1: cannot write '" + path.string() + "': File too large");
  }
  CHECK(read_file(path) == old);
}

TEST_CASE("safetensors: what could not be read back is not written") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  const float floats[] = {1, 2, 3};
  const auto written = [&](const std::vector<TensorView>& tensors) {
    return error_of([&] { write_safetensors(path, tensors, {}); });
  };
  CHECK(written({view("a", "F32", {3}, floats)}) == "no error");
  CHECK(
      written({view("a", "F32", {2}, floats)}).starts_with("1: '" + path.string() + "': internal"));
  CHECK(written({view("a", "F16", {6}, floats)}).starts_with("1: '"));
  CHECK(written({view("__metadata__", "F32", {3}, floats)}).starts_with("1: '"));
  CHECK(
      written({view("a", "F32", {3}, floats), view("a", "F32", {3}, floats)}).starts_with("1: '"));
}

TEST_CASE("safetensors: any flipped byte is read or refused, never a crash") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_sample(path);
  const std::string whole = read_file(path);
  const Rng rng = Rng(1).stream("flips");
  Index refused = 0, sum = 0;
  constexpr Index flips = 6000;
  for (Index i = 0; i < flips; ++i) {
    std::string damaged = whole;
    const auto at = static_cast<std::size_t>(rng.below(3 * i, std::ssize(whole)));
    damaged[at] = static_cast<char>(rng.below(3 * i + 1, 256));
    if (rng.below(3 * i + 2, 4) == 0) damaged.resize(at);
    folder.write("damaged", damaged);
    try {
      const Safetensors file(folder.path() / "damaged");
      // Touch every byte, so that a sanitizer sees a view that leaves the file.
      for (const TensorView& tensor : file.tensors()) {
        for (const std::byte byte : tensor.bytes) sum += std::to_integer<Index>(byte);
      }
    } catch (const Error& error) {
      CHECK(error.code() == Exit::failed);
      CHECK(std::string(error.what()).find("damaged") != std::string::npos);
      CHECK(std::string(error.what()).find('\n') == std::string::npos);
      ++refused;
    }
  }
  CHECK(refused > flips / 3);  // most of the file is header
  CHECK(sum > 0);
}

TEST_CASE("safetensors: a checksum is written, read back by rule, and refuses what changed") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "file.safetensors";
  const float floats[] = {1, 2, 3};
  const std::vector<TensorView> tensors = {view("w", "F32", {3}, floats)};
  // A text that looks like the entry stands first; inside a text, quotes have backslashes.
  write_safetensors(path, tensors, {{"a", "\"xxh3\":\"0000000000000000\""}}, Checksum::with);
  const std::string content = read_file(path);
  const std::string checksum = Safetensors(path).metadata().at(checksum_key);
  CHECK(checksum.size() == 16);
  CHECK(checksum != "0000000000000000");
  CHECK(error_reading(content) == "no error");

  std::string changed = content;
  const std::size_t place = content.find("\"xxh3\":\"" + checksum) + 8;
  changed[place] = content[place] == '0' ? '1' : '0';
  CHECK(error_reading(changed).starts_with("damaged: its bytes do not give its checksum '"));
  changed = content;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  CHECK(error_reading(changed) == "damaged: its bytes do not give its checksum '" + checksum + "'");
  // Blanks are bytes as well.
  const std::size_t entry = content.find(",\"w\"");
  changed = content;
  changed[content.find(" ", entry)] = '\n';
  CHECK(error_reading(changed).starts_with("damaged"));

  write_safetensors(path, tensors, {{"a", "b"}});
  CHECK(!Safetensors(path).metadata().contains(checksum_key));
}
