#include "tasks/idx_file.hpp"

#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "io/file.hpp"

namespace rlt {
namespace {

/// The content of a gzip file.
std::string unzipped(const std::filesystem::path& path, std::string& packed) {
  constexpr int gzip = 16, window_bits = 15;
  z_stream stream{};
  if (inflateInit2(&stream, window_bits + gzip) != Z_OK) {
    fail(Exit::failed, "{}: zlib cannot begin", path.string());
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());  // largest_file fits
  std::string content;
  int state = Z_OK;
  for (std::size_t size = 0; state == Z_OK; size = content.size() - stream.avail_out) {
    if (size > largest_file) {
      fail(Exit::failed, "{}: unpacks to more than {} bytes", path.string(), largest_file);
    }
    content.resize(std::max<std::size_t>(2 * size, std::size_t{1} << 16));
    stream.next_out = reinterpret_cast<Bytef*>(content.data() + size);
    stream.avail_out = static_cast<uInt>(content.size() - size);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  if (state != Z_STREAM_END) {
    fail(Exit::failed, "{}: broken gzip at offset {}: {}", path.string(), stream.total_in,
         state == Z_BUF_ERROR    ? "the file ends too early"
         : stream.msg != nullptr ? stream.msg
                                 : "no such data");
  }
  if (stream.avail_in > 0) {
    fail(Exit::failed, "{}: {} bytes behind the end of the gzip data, at offset {}", path.string(),
         stream.avail_in, stream.total_in);
  }
  content.resize(stream.total_out);
  return content;
}

}  // namespace

IdxFile read_idx(const std::filesystem::path& path, std::size_t dimensions) {
  std::string content = read_file(path);
  if (content.starts_with("\x1F\x8B")) content = unzipped(path, content);
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(content[i]); };
  const std::size_t header = 4 + 4 * dimensions;
  if (content.size() < header) {
    fail(Exit::failed, "{}: ends at offset {}, inside the header of {} bytes", path.string(),
         content.size(), header);
  }
  constexpr int bytes = 8;
  if (byte(0) != 0 || byte(1) != 0 || byte(2) != bytes || byte(3) != dimensions) {
    fail(Exit::failed,
         "{}: offset 0: {:02x} {:02x} {:02x} {:02x}, not 00 00 08 {:02x}: no IDX file of bytes in "
         "{} "
         "dimensions",
         path.string(), byte(0), byte(1), byte(2), byte(3), dimensions, dimensions);
  }
  IdxFile file;
  const std::size_t available = content.size() - header;
  __extension__ unsigned __int128 expected = 1;  // of three sizes below 2^32
  for (std::size_t at = 4; at < header; at += 4) {
    Index size = 0;
    for (std::size_t i = at; i < at + 4; ++i) size = size << 8 | byte(i);
    if (size == 0) fail(Exit::failed, "{}: offset {}: a size of 0", path.string(), at);
    file.sizes.push_back(size);
    expected *= static_cast<std::uint64_t>(size);
  }
  if (expected != available) {
    fail(Exit::failed, "{}: {} values behind the header, its sizes say {}", path.string(),
         available, fmt::join(file.sizes, " x "));
  }
  file.values = content.substr(header);
  return file;
}

std::filesystem::path idx_path(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path packed = folder / (name + ".gz");
  return !file_exists(folder / name) && file_exists(packed) ? packed : folder / name;
}

}  // namespace rlt
