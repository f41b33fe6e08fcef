// ErasedTexts: whether texts that were erased have left a piece in a file.
//
//   ErasedTexts erased;
//   erased.Add("personal@example.com");
//   EXPECT_THAT(erased.FindIn(path), IsEmpty());
//
// Finds every piece of 12 bytes or more, in any case of its letters: what SQLite leaves behind may
// lack its begin or its end. So the texts must have no 12 bytes in common with what may stay, as
// random ones have none.
#pragma once

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace userservice {

class ErasedTexts {
 public:
  void Add(std::string_view text) {
    const std::string lower = ToLower(std::string(text));
    for (size_t at = 0; at + kPiece <= lower.size(); ++at) {
      const uint64_t piece = PieceAt(lower, at);
      pieces_.insert(piece);
      seen_[BucketOf(piece)] = true;
    }
  }

  // Each as "PIECE at OFFSET".
  std::vector<std::string> FindIn(const std::string& path) const {
    std::ifstream file(path, std::ios::binary);
    const std::string content = ToLower(
        std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()));
    std::vector<std::string> found;
    for (size_t at = 0; at + kPiece <= content.size(); ++at) {
      if (!IsErased(content, at)) continue;
      const size_t begin = at;
      while (at + 1 + kPiece <= content.size() && IsErased(content, at + 1)) ++at;
      found.push_back(content.substr(begin, at + kPiece - begin) + " at " + std::to_string(begin));
    }
    return found;
  }

  // In all files of a directory; each with its file's name.
  std::vector<std::string> FindInDirectory(const std::string& directory) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      for (const std::string& piece : FindIn(entry.path().string()))
        found.push_back(entry.path().filename().string() + ": " + piece);
    }
    return found;
  }

 private:
  static constexpr size_t kPiece = 12;
  static constexpr size_t kBuckets = 1U << 22U;

  static std::string ToLower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
  // Its first eight bytes and its last four, mixed.
  static uint64_t PieceAt(const std::string& text, size_t at) {
    uint64_t first = 0;
    uint32_t last = 0;
    std::memcpy(&first, text.data() + at, sizeof(first));
    std::memcpy(&last, text.data() + at + sizeof(first), sizeof(last));
    return first ^ last * 0xD6E8FEB86659FD93U;
  }
  // Spares looking up the most.
  static size_t BucketOf(uint64_t piece) { return piece * 0x9E3779B97F4A7C15U >> 42U; }
  bool IsErased(const std::string& content, size_t at) const {
    const uint64_t piece = PieceAt(content, at);
    return seen_[BucketOf(piece)] && pieces_.count(piece) != 0;
  }

  std::unordered_set<uint64_t> pieces_;
  std::vector<bool> seen_ = std::vector<bool>(kBuckets);
};

}  // namespace userservice
