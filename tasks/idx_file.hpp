// Reads IDX files of bytes, the form of MNIST and Fashion-MNIST: two bytes 0, the type (8: bytes), the number of
// dimensions, their sizes (4 bytes each, most significant first), then the values. Plain or as gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/index.hpp"

namespace rlt {

struct IdxFile {
  std::vector<Index> sizes;
  std::string values;  // bytes, as many as the product of the sizes

  int operator[](Index i) const {
    return static_cast<std::uint8_t>(values[static_cast<std::size_t>(i)]);
  }
};

/// Error(failed), one line with file and offset: it is no IDX file of bytes with as many dimensions, its size is not
/// what its header says, or it is broken gzip.
IdxFile read_idx(const std::filesystem::path& path, std::size_t dimensions);

/// FOLDER/NAME, or FOLDER/NAME.gz where only that exists.
std::filesystem::path idx_path(const std::filesystem::path& folder, const std::string& name);

}  // namespace rlt
