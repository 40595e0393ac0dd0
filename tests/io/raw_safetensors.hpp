// Safetensors files by hand, also broken ones: no code of the library.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace rlt::test {

/// The file with that header (padded here) and those array bytes.
inline std::string raw_safetensors(std::string header, const std::string& bytes) {
  header.append((8 - header.size() % 8) % 8, ' ');
  std::uint64_t length = header.size();
  std::string file;
  for (int i = 0; i < 8; ++i, length >>= 8) file += static_cast<char>(length & 0xff);
  return file + header + bytes;
}

/// The bytes of four-byte floats.
template <typename... Values>
std::string raw_floats(Values... values) {
  const float numbers[] = {static_cast<float>(values)...};
  std::string bytes(sizeof(numbers), '\0');
  std::memcpy(bytes.data(), numbers, sizeof(numbers));
  return bytes;
}

}  // namespace rlt::test
