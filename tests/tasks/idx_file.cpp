#include "tasks/idx_file.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include "tests/support/message.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rlt;
using test::error_of;

namespace {

using namespace std::string_literals;

/// Two images of 3 rows and 2 columns, values 250 .. 261 modulo 256.
std::string images() {
  std::string content = "\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x02"s;
  for (int i = 250; i < 262; ++i) content += static_cast<char>(i);
  return content;
}

struct Folder : test::TemporaryFolder {
  void write_packed(const std::string& name, const std::string& content) const {
    gzFile file = gzopen((path() / name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
  }
  std::string packed() const {
    write_packed("packed", images());
    std::ifstream file(path() / "packed", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Of reading `content`, without the file's name.
  std::string error(const std::string& content, std::size_t dimensions = 3) const {
    write("f", content);
    const std::string text = error_of([&] { read_idx(path() / "f", dimensions); });
    const std::string begin = "1: " + (path() / "f").string() + ": ";
    REQUIRE(text.starts_with(begin));
    return text.substr(begin.size());
  }
};

void check_images(const IdxFile& file) {
  CHECK(file.sizes == std::vector<Index>{2, 3, 2});
  REQUIRE(file.values.size() == 12);
  for (int i = 0; i < 12; ++i) CHECK(file[i] == (250 + i) % 256);
}

}  // namespace

TEST_CASE("idx file: plain and gzip hold the same bytes, and either is found") {
  const Folder folder;
  folder.write_packed("a.gz", images());
  check_images(read_idx(idx_path(folder.path(), "a"), 3));
  folder.write("a", images());
  CHECK(idx_path(folder.path(), "a") == folder.path() / "a");
  check_images(read_idx(folder.path() / "a", 3));
  CHECK(idx_path(folder.path(), "none") == folder.path() / "none");
}

TEST_CASE("idx file: a large gzip file unpacks as a whole") {
  const Folder folder;
  std::string content = "\0\0\x08\x01\0\x04\0\0"s;  // 2^18
  for (unsigned i = 0; i < 1U << 18; ++i) content += static_cast<char>(i * i >> 7);
  folder.write_packed("a", content);
  CHECK(read_idx(folder.path() / "a", 1).values == content.substr(8));
}

TEST_CASE("idx file: broken files are named with the place") {
  const Folder folder;
  const std::string good = images();
  CHECK(folder.error(good, 1) ==
        "offset 0: 00 00 08 03, not 00 00 08 01: no IDX file of bytes in 1 dimensions");
  CHECK(folder.error("\0\0\x0D\x03"s + good.substr(4)) ==
        "offset 0: 00 00 0d 03, not 00 00 08 03: no IDX file of bytes in 3 dimensions");
  CHECK(folder.error("") == "ends at offset 0, inside the header of 16 bytes");
  CHECK(folder.error(good.substr(0, 15)) == "ends at offset 15, inside the header of 16 bytes");
  CHECK(folder.error(good.substr(0, 27)) == "11 values behind the header, its sizes say 2 x 3 x 2");
  CHECK(folder.error(good + "x") == "13 values behind the header, its sizes say 2 x 3 x 2");
  CHECK(folder.error(good.substr(0, 8) + "\0\0\0\0"s + good.substr(12)) == "offset 8: a size of 0");
  CHECK(folder.error(good.substr(0, 4) + std::string(12, '\xFF') + good.substr(16)) ==
        "12 values behind the header, its sizes say 4294967295 x 4294967295 x 4294967295");
}

TEST_CASE("idx file: broken gzip is named with the place") {
  const Folder folder;
  const std::string packed = folder.packed();
  CHECK(folder.error(packed.substr(0, packed.size() - 3)) ==
        fmt::format("broken gzip at offset {}: the file ends too early", packed.size() - 3));
  std::string wrong = packed;
  wrong[wrong.size() - 6] ^= 1;  // of the checksum
  CHECK(folder.error(wrong).starts_with("broken gzip at offset "));
  CHECK(folder.error(wrong).ends_with(": incorrect data check"));
  CHECK(folder.error(packed + "xy") ==
        fmt::format("2 bytes behind the end of the gzip data, at offset {}", packed.size()));
}
