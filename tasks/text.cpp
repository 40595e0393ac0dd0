// text: the next character of the user's own text, a UTF-8 file or a folder of them (--data).
// Label: the symbol that follows. Of a document of n symbols the first n - 1 are read, and all these
//   positions are scored; the last one is only predicted.
// Documents: the file, or every file below the folder that is UTF-8 without NUL and has two characters or
//   more; a note counts the others. Links to files are followed, to folders not, and a file is read once
//   however many links lead to it. The order of documents is fixed by a hash of their path below the
//   folder, so that each split gets documents from all over the folder.
// Splits: of all documents end to end the last `held_out` of the characters is held out, the first
//   half of it for validation, the second for testing. A document across a border becomes two; a piece
//   of one symbol is dropped.
//   A folder in which there are folders train, valid and test has its splits there, whole documents each.
// Symbols: those of the run, or else the characters (Unicode code points) of the training part in order
//   of appearance, after one for all others, which is an ordinary input and class that training never
//   shows. White space and control characters are written \s \n \t \r \u{a0}, the backslash \\.
//   With `merges`, the subwords of the training part follow (byte_pairs.hpp). eval.csv has bits per byte, so that
//   vocabularies compare.
// Sampling: none. The sets are fixed (Task::fixed_set).
#include "io/text.hpp"

#include <fmt/format.h>
#include <utf8cpp/utf8.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "io/file.hpp"
#include "io/standard_streams.hpp"
#include "tasks/byte_pairs.hpp"
#include "tasks/fixed_sets.hpp"
#include "tasks/registry.hpp"
#include "tasks/vocabulary.hpp"

namespace rlt {
namespace {

namespace fs = std::filesystem;

constexpr int unknown = 0;
constexpr auto unknown_symbol = "<unknown>";
constexpr int unseen = -1;  // not looked up yet
constexpr const char* splits[] = {"train", "valid", "test"};
constexpr Index shortest_document = 2;  // one symbol to read, one to predict

/// Counts what one line shall tell of, and keeps the first.
struct Tally {
  Index count = 0;
  std::string first;

  void add(std::string one) {
    if (count++ == 0) first = std::move(one);
  }
};

/// The files below `folder`, in the order of the hash of their paths.
std::vector<fs::path> files_below(const fs::path& folder, Tally& skipped) {
  std::error_code problem;
  const fs::path root = fs::canonical(folder, problem);
  // A file by its true path; of its names the one that is no link, or the first.
  std::map<fs::path, std::pair<bool, std::string>> names;
  fs::recursive_directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::end(entry); entry.increment(problem)) {
    std::error_code ignored;
    const bool is_link = entry->is_symlink(ignored);
    const fs::file_status target = entry->status(ignored);
    if (fs::is_directory(target) && !is_link) continue;
    if (!fs::is_regular_file(target)) {
      skipped.add(fmt::format("{}: {}", entry->path().string(),
                              fs::is_directory(target) ? "a link to a folder" : "no regular file"));
      continue;
    }
    const std::pair name(is_link, entry->path().lexically_relative(folder).generic_string());
    const auto [known, is_new] = names.try_emplace(
        is_link ? fs::canonical(entry->path(), ignored) : root / name.second, name);
    if (!is_new) known->second = std::min(known->second, name);
  }
  if (problem) {
    fail(Exit::failed, "--data {}: cannot be listed: {}", folder.string(), problem.message());
  }
  std::vector<std::pair<std::uint64_t, std::string>> files;
  files.reserve(names.size());
  for (const auto& [path, name] : names) {
    files.emplace_back(Rng(0).stream("text").stream(name.second).bits(0), name.second);
  }
  std::ranges::sort(files);
  std::vector<fs::path> paths;
  paths.reserve(files.size());
  for (const auto& [hash, name] : files) paths.push_back(folder / name);
  return paths;
}

/// Characters that are shown by a letter behind a backslash.
constexpr std::pair<char32_t, char> escapes[] = {
    {U' ', 's'}, {U'\n', 'n'}, {U'\t', 't'}, {U'\r', 'r'}, {U'\\', '\\'}};

/// How a character is shown: visibly, and without white space.
std::string symbol_of(char32_t c) {
  for (const auto& [character, letter] : escapes) {
    if (c == character) return {'\\', letter};
  }
  constexpr std::pair<char32_t, char32_t> invisible[] = {
      {0x00, 0x1F},     {0x7F, 0xA0},     {0xAD, 0xAD},     {0x1680, 0x1680}, {0x2000, 0x200F},
      {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  for (const auto& [low, high] : invisible) {
    if (c >= low && c <= high) return fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
  }
  std::string bytes;
  utf8::append(c, bytes);
  return bytes;
}

std::string symbol_of(std::u32string_view characters) {
  std::string symbol;
  for (const char32_t character : characters) symbol += symbol_of(character);
  return symbol;
}

/// The inverse of symbol_of.
std::u32string characters_of(const std::string& symbol) {
  std::u32string characters;
  const char* at = symbol.data();
  const char* const end = at + symbol.size();
  while (at != end) {
    const char32_t c = utf8::next(at, end);
    if (c != U'\\' || at == end) {
      characters += c;
      continue;
    }
    const char letter = *at++;
    for (const auto& [character, name] : escapes) {
      if (letter == name) characters += character;
    }
    if (letter == 'u') {
      unsigned number = 0;
      for (++at; at < end && *at != '}'; ++at) {
        number = 16 * number + static_cast<unsigned>(*at <= '9' ? *at - '0' : *at - 'a' + 10);
      }
      characters += static_cast<char32_t>(number);
      if (at < end) ++at;
    }
  }
  return characters;
}

class Text final : public FixedSets {
 public:
  explicit Text(const TaskOptions& options)
      : FixedSets(text_info(options)), vocabulary_(options.symbols.inputs) {
    const OptionValues chosen =
        complete_options("task-option", info_.name, info_.options, options.options);
    read(options.data);
    if (!given_.empty() && options.options.contains("held_out")) {
      fail(Exit::usage, "--task-option held_out: {} has its splits in folders of their own",
           options.data);
    }
    split(std::stod(chosen.at("held_out")), std::stoul(chosen.at("merges")));
  }

  Index predicted_bytes(std::string_view split) const override {
    const auto bytes = bytes_.find(split);
    return bytes == bytes_.end() ? 0 : bytes->second;
  }

 private:
  void read(const std::string& data) {
    if (!is_folder(data)) {
      documents_.push_back(utf8::utf8to32(read_text(data)));
      return;
    }
    const fs::path folder(data);
    const auto is_there = [&](const char* name) { return is_folder((folder / name).string()); };
    if (!std::ranges::all_of(splits, is_there)) return read_folder(folder);
    for (const char* const name : splits) {
      read_folder(folder / name);
      given_.push_back(characters());
    }
  }

  void read_folder(const fs::path& folder) {
    Tally skipped, marked;
    for (const fs::path& path : files_below(folder, skipped)) {
      std::string content = read_file(path);
      if (drop_byte_order_mark(content)) marked.add(path.string());
      if (std::string fault = text_fault(path, content); !fault.empty()) {
        skipped.add(std::move(fault));
        continue;
      }
      std::u32string text = utf8::utf8to32(content);
      if (std::ssize(text) < shortest_document) {
        skipped.add(fmt::format("{}: under {} characters", path.string(), shortest_document));
      } else {
        documents_.push_back(std::move(text));
      }
    }
    if (marked.count > 0) {
      print_message("rlt: note: byte-order marks dropped from {} of the files, the first {}",
                    marked.count, marked.first);
    }
    if (skipped.count > 0) {
      print_message("rlt: note: {} entries of {} skipped, the first {}", skipped.count,
                    folder.string(), skipped.first);
    }
  }

  Index characters() const {
    Index count = 0;
    for (const std::u32string& document : documents_) count += std::ssize(document);
    return count;
  }

  void split(double held_out, std::size_t merges) {
    const Index characters = this->characters();
    const auto share = [&](double part) {
      return std::llround(part * static_cast<double>(characters));
    };
    const Index valid_begin = given_.empty() ? characters - share(held_out) : given_[0];
    const Index test_begin = given_.empty() ? characters - share(held_out / 2) : given_[1];
    number_symbols(valid_begin, merges);
    make_set("train", 0, valid_begin);
    make_set("valid", valid_begin, test_begin);
    make_set("test", test_begin, characters);
    if (sets_.size() < 3) {
      fail(Exit::failed,
           "--data {}: too little text, {} characters: training, validation and test need two "
           "neighbouring characters each; one document of {} will do",
           info_.source, characters, std::ceil(2 * shortest_document / held_out));
    }
    info_.inputs = info_.outputs = vocabulary_.symbols();
    documents_ = {};
    numbers_ = {};
    vocabulary_ = {};
    subwords_ = {};
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

  void number_symbols(Index training_end, std::size_t merges) {
    numbers_.assign(0x110000, unseen);
    std::vector<std::u32string> subwords;
    if (!vocabulary_.symbols().empty()) {  // of the run
      for (const std::string& symbol : vocabulary_.symbols()) {
        if (symbol == unknown_symbol) continue;
        if (std::u32string characters = characters_of(symbol); characters.size() > 1) {
          subwords.push_back(std::move(characters));
        }
      }
      subwords_ = Subwords(subwords);
      return;
    }
    vocabulary_.add(unknown_symbol);
    std::vector<std::u32string_view> pieces;
    for_pieces(0, training_end, [&](std::u32string_view piece) {
      for (const char32_t character : piece) {
        int& number = numbers_[character];
        if (number == unseen) number = vocabulary_.add(symbol_of(character));
      }
      pieces.push_back(piece);
    });
    if (merges == 0) return;
    subwords = learn_subwords(pieces, merges);
    for (const std::u32string& subword : subwords) vocabulary_.add(symbol_of(subword));
    subwords_ = Subwords(subwords);
  }

  int number_of(std::u32string_view characters) {
    if (characters.size() > 1) return vocabulary_.find(symbol_of(characters));
    int& number = numbers_[characters[0]];
    if (number == unseen) number = std::max(unknown, vocabulary_.find(symbol_of(characters)));
    return number;
  }

  void make_set(const std::string& name, Index from, Index to) {
    for_pieces(from, to, [&](std::u32string_view piece) {
      const std::vector<std::u32string_view> parts = subwords_.cut(piece);
      if (std::ssize(parts) < shortest_document) return;
      std::vector<int> numbers;
      numbers.reserve(parts.size());
      for (const std::u32string_view part : parts) numbers.push_back(number_of(part));
      std::vector<int> targets(numbers.begin() + 1, numbers.end());
      numbers.pop_back();
      bytes_[name] += std::ssize(utf8::utf32to8(piece.substr(parts[0].size())));
      sets_[name].push_back({std::move(numbers), std::move(targets)});
    });
  }

  std::map<std::string, Index, std::less<>> bytes_;  // predicted in each set

  // While the text is read:
  std::vector<std::u32string> documents_;
  std::vector<Index> given_;  // characters up to the end of each split, where folders say it
  Vocabulary vocabulary_;
  std::vector<int> numbers_;  // of every code point
  Subwords subwords_;
};

}  // namespace

TaskInfo text_info(const TaskOptions& options) {
  TaskInfo info;
  info.name = "text";
  info.summary = "the next character of your own text";
  info.source = options.data;
  info.rule = options.rule;
  info.label = "the character or subword that follows";
  info.length_unit = "characters";
  info.documents = true;
  info.data = "FILE or FOLDER of UTF-8 text";
  info.options = {
      {.name = "held_out",
       .value = "0.1",
       .help = "share of the text for validation and testing, half each, where no folders "
               "train, valid and test hold the splits",
       .choices = {},
       .low = 0.002,
       .high = 0.5},
      {.name = "merges",
       .value = "0",
       .help = "subwords beside the characters, by byte-pair merges in the training part",
       .choices = {},
       .low = 0,
       .high = 100000,
       .whole = true}};
  return info;
}

std::unique_ptr<Task> make_text(const TaskOptions& options) {
  return std::make_unique<Text>(options);
}

}  // namespace rlt
