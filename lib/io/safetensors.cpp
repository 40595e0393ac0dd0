#include "io/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/utf8.hpp"
#include "io/file.hpp"

namespace rlt {
namespace {

static_assert(std::endian::native == std::endian::little,
              "arrays are written as they lie in memory");

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t prefix_size = 8;
constexpr std::uint64_t largest_header = 100'000'000;  // the limit of the official reader
constexpr const char* metadata_key = "__metadata__";

struct Dtype {
  const char* name;
  std::size_t size;
};
constexpr Dtype dtypes[] = {{"F32", 4}, {"F64", 8}, {"I64", 8}, {"U8", 1}};

/// Bytes of one entry; 0 for an unknown type.
std::size_t dtype_size(std::string_view name) {
  for (const Dtype& dtype : dtypes) {
    if (name == dtype.name) return dtype.size;
  }
  return 0;
}

/// Bytes of the whole array; nothing when that is negative or no Index holds it.
std::optional<std::uint64_t> byte_count(const std::vector<Index>& shape, std::size_t entry) {
  constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
  std::uint64_t bytes = entry;
  // A zero side anywhere makes the product zero, but the others must still fit.
  bool empty = false;
  for (const Index side : shape) {
    if (side < 0) return std::nullopt;
    if (side == 0) {
      empty = true;
      continue;
    }
    if (bytes > limit / static_cast<std::uint64_t>(side)) return std::nullopt;
    bytes *= static_cast<std::uint64_t>(side);
  }
  return empty ? 0 : bytes;
}

template <typename... Args>
[[noreturn]] void refuse(const fs::path& path, fmt::format_string<Args...> format, Args&&... args) {
  fail(Exit::failed, "'{}': {}", path.string(), fmt::format(format, std::forward<Args>(args)...));
}

/// A name from a file, as it may stand in a message.
std::string shown(const std::string& name) {
  constexpr std::size_t longest = 100;
  return "'" + printable(name.substr(0, longest)) + (name.size() > longest ? "...'" : "'");
}

void read_exactly(const Descriptor& file, const fs::path& path, std::uint64_t offset,
                  std::span<std::byte> bytes) {
  if (read_at(file, path, offset, bytes) < bytes.size()) {
    refuse(path, "it became shorter while it was read");
  }
}

/// The header between the length and the arrays of a file of `size` bytes.
std::string read_header(const Descriptor& file, const fs::path& path, std::uint64_t size) {
  if (size < prefix_size) refuse(path, "not a safetensors file: {} bytes are too short", size);
  std::uint64_t length = 0;
  read_exactly(file, path, 0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > largest_header) {
    refuse(path, "not a safetensors file: the header would have {} bytes, above {}", length,
           largest_header);
  }
  const std::uint64_t rest = size - prefix_size;
  std::string text(std::min(length, rest), '\0');
  read_exactly(file, path, prefix_size, std::as_writable_bytes(std::span(text)));
  if (length > rest) {
    if (text.starts_with('{')) {
      refuse(path, "truncated inside the header: at least {} bytes are missing", length - rest);
    }
    refuse(path, "not a safetensors file: the header would have {} bytes, the file has {}", length,
           size);
  }
  if (!text.starts_with('{')) {
    refuse(path, "not a safetensors file: the header is not a JSON object");
  }
  return text;
}

Json parse_header(const fs::path& path, std::string_view text) {
  // The parser itself would silently keep the last of two equal names.
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    constexpr int deepest = 4;
    if (depth > deepest) refuse(path, "the header is nested too deep");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      refuse(path, "the header names {} twice", shown(parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception&) {
    refuse(path, "not a safetensors file: the header is not JSON");
  }
}

std::map<std::string, std::string> parse_metadata(const fs::path& path, const Json& entry) {
  if (!entry.is_object()) refuse(path, "'{}' is not a JSON object", metadata_key);
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) refuse(path, "metadata {} is not a text", shown(key));
    metadata[bytes_from_utf8(key)] = bytes_from_utf8(value.get<std::string>());
  }
  return metadata;
}

using Pieces = std::span<const std::span<const std::byte>>;

constexpr std::string_view no_checksum = "0000000000000000";

std::string checksum_of(Pieces pieces) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> hash(XXH3_createState(),
                                                                      &XXH3_freeState);
  if (hash == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(hash.get());
  for (const std::span<const std::byte> piece : pieces) {
    XXH3_64bits_update(hash.get(), piece.data(), piece.size());
  }
  return fmt::format("{:016x}", XXH3_64bits_digest(hash.get()));
}

/// Where the digits of the checksum stand in a header. Inside a text every quote has a backslash before it, so
/// that this can be nothing else.
std::size_t checksum_place(std::string_view header) {
  const std::string before = fmt::format("\"{}\":\"", checksum_key);
  const std::size_t found = header.find(before);
  return found == std::string_view::npos ? found : found + before.size();
}

/// Error when header and arrays do not give the checksum that the header holds.
void verify(const fs::path& path, const std::string& checksum, std::string_view header,
            std::span<const std::byte> arrays) {
  const std::size_t place = checksum_place(header);
  if (place != std::string_view::npos && header.substr(place).starts_with(checksum + '"') &&
      checksum.size() == no_checksum.size()) {
    std::string without(header);
    without.replace(place, checksum.size(), no_checksum);
    const std::uint64_t length = header.size();
    if (checksum_of(std::array{std::as_bytes(std::span(&length, 1)),
                               std::as_bytes(std::span(std::as_const(without))), arrays}) ==
        checksum) {
      return;
    }
  }
  refuse(path, "damaged: its bytes do not give its checksum {}", shown(checksum));
}

struct Entry {
  TensorView tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Whole numbers that are not negative; nothing for anything else.
std::optional<std::vector<std::uint64_t>> whole_numbers(const Json& list) {
  if (!list.is_array()) return std::nullopt;
  std::vector<std::uint64_t> numbers;
  for (const Json& number : list) {
    if (!number.is_number_unsigned()) return std::nullopt;
    numbers.push_back(number.get<std::uint64_t>());
  }
  return numbers;
}

Entry parse_entry(const fs::path& path, const std::string& name, const Json& json) {
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets") || json.size() != 3 || !json["dtype"].is_string()) {
    refuse(path, "tensor {}: expected dtype, shape and data_offsets", shown(name));
  }
  Entry entry;
  entry.tensor.name = name;
  entry.tensor.dtype = json["dtype"].get<std::string>();
  const std::size_t size = dtype_size(entry.tensor.dtype);
  if (size == 0) {
    refuse(path, "tensor {} has the dtype {}, expected F32, F64, I64 or U8", shown(name),
           shown(entry.tensor.dtype));
  }
  const auto sides = whole_numbers(json["shape"]);
  if (!sides) refuse(path, "tensor {}: the shape is not a list of whole numbers", shown(name));
  for (const std::uint64_t side : *sides) entry.tensor.shape.push_back(static_cast<Index>(side));
  const auto bytes = byte_count(entry.tensor.shape, size);
  if (!bytes) {
    refuse(path, "tensor {}: the shape [{}] is too large", shown(name), fmt::join(*sides, ", "));
  }
  const auto offsets = whole_numbers(json["data_offsets"]);
  if (!offsets || offsets->size() != 2) {
    refuse(path, "tensor {}: data_offsets are not two whole numbers", shown(name));
  }
  entry.begin = (*offsets)[0];
  entry.end = (*offsets)[1];
  if (entry.begin > entry.end) {
    refuse(path, "tensor {}: data_offsets {} and {} are out of order", shown(name), entry.begin,
           entry.end);
  }
  if (entry.end - entry.begin != *bytes) {
    refuse(path, "tensor {}: the shape [{}] of {} needs {} bytes, data_offsets span {}",
           shown(name), fmt::join(*sides, ", "), entry.tensor.dtype, *bytes,
           entry.end - entry.begin);
  }
  return entry;
}

/// Checks that of the entries, sorted by offset, each begins where the one before ends, and the last
/// ends with the `size` bytes of the arrays.
void check_layout(const fs::path& path, const std::vector<Entry>& entries, std::uint64_t size) {
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin < at) {
      refuse(path, "tensor {} begins at byte {}, inside the one before, which ends at {}",
             shown(entry.tensor.name), entry.begin, at);
    }
    if (entry.begin > at) {
      refuse(path, "hole of {} bytes before tensor {}", entry.begin - at, shown(entry.tensor.name));
    }
    at = entry.end;
  }
  if (at > size) refuse(path, "truncated: {} of {} bytes of the arrays are missing", at - size, at);
  if (at < size) refuse(path, "{} bytes too many after the arrays", size - at);
}

}  // namespace

void write_safetensors(const fs::path& path, std::span<const TensorView> tensors,
                       std::map<std::string, std::string> metadata, Checksum checksum) {
  if (checksum == Checksum::with) metadata[checksum_key] = no_checksum;
  std::vector<const TensorView*> ordered;
  for (const TensorView& tensor : tensors) ordered.push_back(&tensor);
  std::ranges::stable_sort(ordered, std::greater{},
                           [](const TensorView* tensor) { return dtype_size(tensor->dtype); });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) {
    header[metadata_key][utf8_from_bytes(key)] = utf8_from_bytes(value);
  }
  std::uint64_t offset = 0;
  for (const TensorView* tensor : ordered) {
    const std::size_t size = dtype_size(tensor->dtype);
    if (size == 0 || byte_count(tensor->shape, size) != tensor->bytes.size() ||
        tensor->name == metadata_key || header.contains(tensor->name)) {
      refuse(path, "internal error: tensor '{}' of {} [{}] with {} bytes cannot be written",
             tensor->name, tensor->dtype, fmt::join(tensor->shape, ", "), tensor->bytes.size());
    }
    header[tensor->name] = {{"dtype", tensor->dtype},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->bytes.size()}}};
    offset += tensor->bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((prefix_size - text.size() % prefix_size) % prefix_size, ' ');
  if (text.size() > largest_header) refuse(path, "internal error: the header is too large");
  const std::uint64_t length = text.size();

  std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(&length, 1)),
                                                    std::as_bytes(std::span(text))};
  for (const TensorView* tensor : ordered) pieces.push_back(tensor->bytes);
  if (checksum == Checksum::with) {
    text.replace(checksum_place(text), no_checksum.size(), checksum_of(pieces));
  }
  write_file(path, pieces);
}

Safetensors::Safetensors(const fs::path& path) : path_(path) {
  const Descriptor file = open_regular(path);
  const std::uint64_t size = file_size(file, path);
  const std::string text = read_header(file, path, size);
  const Json header = parse_header(path, text);
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == metadata_key) {
      metadata_ = parse_metadata(path, value);
    } else {
      entries.push_back(parse_entry(path, name, value));
    }
  }
  std::ranges::stable_sort(entries, {},
                           [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
  const std::uint64_t begin = prefix_size + text.size();
  const std::uint64_t count = size - begin;
  check_layout(path, entries, count);
  if (const MemoryLeft left = memory_left(); count > left.bytes) {
    refuse(path, "its arrays need {} of memory, {} are left {}", bytes_text(count),
           bytes_text(left.bytes), left.where);
  }
  arrays_ = std::make_unique_for_overwrite<std::byte[]>(count);
  const std::span<std::byte> arrays(arrays_.get(), count);
  read_exactly(file, path, begin, arrays);
  if (const auto checksum = metadata_.find(checksum_key); checksum != metadata_.end()) {
    verify(path, checksum->second, text, arrays);
  }
  for (Entry& entry : entries) {
    entry.tensor.bytes = arrays.subspan(entry.begin, entry.end - entry.begin);
    tensors_.push_back(std::move(entry.tensor));
  }
}

std::vector<std::string> Safetensors::names() const {
  std::vector<std::string> names;
  for (const TensorView& tensor : tensors_) names.push_back(tensor.name);
  return names;
}

const TensorView* Safetensors::find(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &TensorView::name);
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace rlt
