// text: the next character of the user's own text, a UTF-8 file or a folder of them (--data).
// Label: the character that follows. A document of n characters is read up to its last but one and
//   scored at all these n - 1 positions; its last character is only predicted.
// Documents: the file, or every regular file below the folder (symbolic links are not followed) that
//   is UTF-8 without NUL and has two characters or more. Their order is fixed by a hash of their path
//   below the folder, so that neighbours in the folder fall on both sides of a border.
// Splits: of all documents end to end the last `held_out` of the characters is held out, the first
//   half of it for validation, the second for testing. A document across a border becomes two; a piece
//   of one character is dropped.
// Symbols: the characters (Unicode code points) of the training part in order of appearance, after
//   one for all others, which is an ordinary input and class that training never shows. White space
//   and control characters are written \s \n \t \r \u{a0}, the backslash \\.
// Sampling: none. The sets are fixed (Task::fixed_set), the same under either rule.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "io/file.hpp"
#include "tasks/fixed_sets.hpp"
#include "tasks/registry.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

constexpr int unknown = 0;
constexpr Index shortest_document = 2;  // one character to read, one to predict

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(Exit::failed, "{}: cannot be read: {}", path.string(), std::strerror(errno));
  std::string bytes;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (file.read(buffer.data(), std::ssize(buffer)), file.gcount() > 0) {
    bytes.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad())
    fail(Exit::failed, "{}: reading failed after {} bytes", path.string(), bytes.size());
  return bytes;
}

/// Decodes up to the first byte that is not text and returns its offset, or bytes.size().
std::size_t decode(std::string_view bytes, std::u32string& text) {
  return append_decoded(bytes.substr(0, bytes.find('\0')), text);
}

std::u32string read_document(const fs::path& path) {
  const std::string bytes = read_bytes(path);
  std::u32string text;
  const std::size_t end = decode(bytes, text);
  if (end < bytes.size()) {
    fail(Exit::failed, "{}: line {}: byte {:#04x} at offset {} is not UTF-8 text", path.string(),
         1 + std::count(text.begin(), text.end(), U'\n'), static_cast<unsigned char>(bytes[end]),
         end);
  }
  return text;
}

/// The regular files below `folder`, in the order of the hash of their paths.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<std::tuple<std::uint64_t, std::string, fs::path>> files;
  std::error_code problem;
  fs::recursive_directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::end(entry); entry.increment(problem)) {
    std::error_code ignored;
    if (!fs::is_regular_file(entry->symlink_status(ignored))) continue;
    const std::string name = entry->path().lexically_relative(folder).generic_string();
    files.emplace_back(Rng(0).stream("text").stream(name).bits(0), name, entry->path());
  }
  if (problem) {
    fail(Exit::failed, "--data {}: cannot be listed: {}", folder.string(), problem.message());
  }
  std::sort(files.begin(), files.end());
  std::vector<fs::path> paths;
  paths.reserve(files.size());
  for (const auto& file : files) paths.push_back(std::get<fs::path>(file));
  return paths;
}

/// How a character is shown: visibly, and without white space.
std::string symbol_of(char32_t c) {
  if (c == U' ') return "\\s";
  if (c == U'\n') return "\\n";
  if (c == U'\t') return "\\t";
  if (c == U'\r') return "\\r";
  if (c == U'\\') return "\\\\";
  constexpr std::pair<char32_t, char32_t> invisible[] = {
      {0x00, 0x1F},     {0x7F, 0xA0},     {0xAD, 0xAD},     {0x1680, 0x1680}, {0x2000, 0x200F},
      {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  for (const auto& [low, high] : invisible) {
    if (c >= low && c <= high) return fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
  }
  return utf8_of(c);
}

class Text final : public FixedSets {
 public:
  explicit Text(const TaskOptions& options) {
    info_.name = "text";
    info_.summary = "the next character of your own text";
    info_.source = options.data;
    info_.rule = options.rule;
    info_.label = "the character that follows";
    info_.length_unit = "characters";
    info_.documents = true;
    info_.options = {{.name = "held_out",
                      .value = "0.1",
                      .help = "share of the text for validation and testing, half each",
                      .choices = {},
                      .low = 0.002,
                      .high = 0.5}};
    const OptionValues chosen =
        complete_options("task-option", info_.name, info_.options, options.options);
    read(options.data);
    split(std::stod(chosen.at("held_out")));
  }

 private:
  void read(const std::string& data) {
    if (data.empty()) {
      fail(Exit::usage, "--task text: needs --data FILE or FOLDER of UTF-8 text");
    }
    if (!file_exists(data)) fail(Exit::failed, "--data {}: no such file or folder", data);
    if (!is_folder(data)) {
      documents_.push_back(read_document(data));
      return;
    }
    Index skipped = 0;
    for (const fs::path& path : files_below(data)) {
      const std::string bytes = read_bytes(path);
      std::u32string text;
      if (decode(bytes, text) < bytes.size() || std::ssize(text) < shortest_document) {
        ++skipped;
      } else {
        documents_.push_back(std::move(text));
      }
    }
    if (skipped > 0) {
      info_.quirks = fmt::format("{} files skipped: not UTF-8 text, or under {} characters",
                                 skipped, shortest_document);
    }
  }

  void split(double held_out) {
    Index characters = 0;
    for (const std::u32string& document : documents_) characters += std::ssize(document);
    const auto share = [&](double part) {
      return std::llround(part * static_cast<double>(characters));
    };
    const Index valid_begin = characters - share(held_out);
    const Index test_begin = characters - share(held_out / 2);
    number_symbols(valid_begin);
    sets_["train"] = examples(0, valid_begin);
    sets_["valid"] = examples(valid_begin, test_begin);
    sets_["test"] = examples(test_begin, characters);
    if (std::ranges::any_of(sets_, [](const auto& set) { return set.second.empty(); })) {
      fail(Exit::failed,
           "--data {}: too little text, {} characters: training, validation and test need two "
           "neighbouring characters each; one document of {} will do",
           info_.source, characters, std::ceil(2 * shortest_document / held_out));
    }
    documents_ = {};
    numbers_ = {};
    measure_training();
  }

  /// body(piece) for every piece of a document among the characters [from, to) of all.
  template <typename Body>
  void for_pieces(Index from, Index to, Body&& body) const {
    Index begin = 0;
    for (const std::u32string& document : documents_) {
      const Index first = std::clamp<Index>(from - begin, 0, std::ssize(document));
      const Index last = std::clamp<Index>(to - begin, 0, std::ssize(document));
      if (first < last) {
        body(std::u32string_view(document).substr(static_cast<std::size_t>(first),
                                                  static_cast<std::size_t>(last - first)));
      }
      begin += std::ssize(document);
    }
  }

  void number_symbols(Index training_end) {
    info_.inputs = {"<unknown>"};
    numbers_.assign(0x110000, unknown);
    for_pieces(0, training_end, [&](std::u32string_view piece) {
      for (const char32_t character : piece) {
        int& number = numbers_[character];
        if (number != unknown) continue;
        number = static_cast<int>(info_.inputs.size());
        info_.inputs.push_back(symbol_of(character));
      }
    });
    info_.outputs = info_.inputs;
  }

  std::vector<Example> examples(Index from, Index to) const {
    std::vector<Example> result;
    for_pieces(from, to, [&](std::u32string_view piece) {
      if (std::ssize(piece) < shortest_document) return;
      std::vector<int> numbers(piece.size());
      std::transform(piece.begin(), piece.end(), numbers.begin(),
                     [&](char32_t character) { return numbers_[character]; });
      std::vector<int> targets(numbers.begin() + 1, numbers.end());
      numbers.pop_back();
      result.push_back({std::move(numbers), std::move(targets)});
    });
    return result;
  }

  std::vector<std::u32string> documents_;  // while they are read
  std::vector<int> numbers_;               // of every code point, while they are read
};

}  // namespace

std::unique_ptr<Task> make_text(const TaskOptions& options) {
  return std::make_unique<Text>(options);
}

}  // namespace rlt
