// The safetensors format: named arrays in one file that PyTorch, JAX and NumPy read.
//   8 bytes        length N of the header, least significant byte first
//   N bytes        JSON {"__metadata__": {key: text}, NAME: {"dtype", "shape", "data_offsets"}, ...},
//                  padded with blanks to a multiple of 8; bytes in the metadata that are not UTF-8, as in
//                  some paths, stand as the characters U+EF80 to U+EFFF
//   the rest       the arrays, row-major, without gaps; offsets count from here
// Where the metadata have an entry "xxh3", it is a checksum: 16 hexadecimal digits of the XXH3 hash (64 bits) of
// the whole file with zeros in place of these digits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.hpp"

namespace rlt {

/// An array in someone else's memory.
struct TensorView {
  std::string name;
  std::string dtype;  // F32, F64, I64, U8
  std::vector<Index> shape;
  std::span<const std::byte> bytes;
};

/// The name of a scalar type in the file.
template <typename T>
constexpr const char* dtype_of();
template <>
constexpr const char* dtype_of<float>() {
  return "F32";
}
template <>
constexpr const char* dtype_of<double>() {
  return "F64";
}

/// The metadata entry that holds the checksum.
inline constexpr const char* checksum_key = "xxh3";
enum class Checksum { without, with };

/// Writes the file as `write_file` does. Wide types come first, so that every array is aligned;
/// otherwise the order is kept. The same input gives the same bytes. Error(failed) when the file
/// cannot be written, a name comes twice, or bytes and shape disagree.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       std::map<std::string, std::string> metadata,
                       Checksum checksum = Checksum::without);

/// A whole file in memory. The views point into it: they live as long as this object.
class Safetensors {
 public:
  /// Reads and checks the file, the header before the arrays. Error(failed) in one line with the path:
  /// missing, no regular file, more than the memory that is left, not this format
  /// (too short, header longer than the file or than 100 MB, no JSON object), truncated, a name
  /// twice, an unknown dtype, a bad shape, a shape that does not fit the bytes, offsets that are
  /// out of order, overlap, leave a hole or leave the file; a checksum that does not fit.
  explicit Safetensors(const std::filesystem::path& path);
  Safetensors(Safetensors&&) = default;
  Safetensors& operator=(Safetensors&&) = default;

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// In the order of their bytes.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  std::vector<std::string> names() const;
  /// Null when there is none of that name.
  const TensorView* find(std::string_view name) const;

 private:
  std::filesystem::path path_;
  std::map<std::string, std::string> metadata_;
  std::unique_ptr<std::byte[]> arrays_;  // stays where it is when the object is moved
  std::vector<TensorView> tensors_;
};

}  // namespace rlt
