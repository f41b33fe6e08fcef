#include "client/cli/text_width.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace userservice::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Combining marks, joiners and variation selectors of the scripts that names are written in.
constexpr Range kZeroWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},   {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093C, 0x093C},   {0x0941, 0x0948},
    {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},   {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064},   {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

// East Asian Width W and F, and emoji. Source: Unicode's EastAsianWidth.txt, in blocks.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF},
    {0x20000, 0x3FFFD},
};

template <size_t N>
bool Contains(const Range (&ranges)[N], char32_t code_point) {
  const Range* const range =
      std::lower_bound(std::begin(ranges), std::end(ranges), code_point,
                       [](const Range& r, char32_t c) { return r.last < c; });
  return range != std::end(ranges) && range->first <= code_point;
}

constexpr char32_t kInvalid = 0xFFFFFFFF;
constexpr char kReplacement[] = "\xEF\xBF\xBD";

// Takes one code point off the front; kInvalid for a byte that begins none.
char32_t TakeCodePoint(std::string_view& utf8) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(utf8[i]); };
  const uint8_t lead = byte(0);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                                                      : 4;
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  char32_t code_point = length == 1 ? lead : lead & (0x7FU >> length);
  bool valid = length <= utf8.size() && (lead < 0x80 || (lead >= 0xC2 && lead <= 0xF4));
  for (size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xC0) == 0x80;
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  valid = valid && code_point >= kSmallest[length] && code_point <= 0x10FFFF;
  valid = valid && (code_point < 0xD800 || code_point > 0xDFFF);
  utf8.remove_prefix(valid ? length : 1);
  return valid ? code_point : kInvalid;
}

bool IsControl(char32_t code_point) {
  const bool directional = (code_point >= 0x202A && code_point <= 0x202E) ||
                           (code_point >= 0x2066 && code_point <= 0x2069);
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) || code_point == 0x2028 ||
         code_point == 0x2029 || directional || code_point == kInvalid;
}

}  // namespace

int DisplayWidth(std::string_view utf8) {
  int width = 0;
  while (!utf8.empty()) {
    const char32_t code_point = TakeCodePoint(utf8);
    if (Contains(kZeroWidth, code_point)) continue;
    width += Contains(kWide, code_point) ? 2 : 1;
  }
  return width;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (TakeCodePoint(text) == kInvalid) return false;
  }
  return true;
}

std::string Printable(std::string_view utf8) {
  std::string printable;
  printable.reserve(utf8.size());
  while (!utf8.empty()) {
    const std::string_view rest = utf8;
    const char32_t code_point = TakeCodePoint(utf8);
    if (IsControl(code_point)) {
      printable += kReplacement;
    } else {
      printable += rest.substr(0, rest.size() - utf8.size());
    }
  }
  return printable;
}

std::string Wrap(std::string_view utf8, int width) {
  std::string lines;
  int column = 0;
  for (const absl::string_view word :
       absl::StrSplit(absl::string_view(utf8.data(), utf8.size()), ' ', absl::SkipEmpty())) {
    const int word_width = DisplayWidth({word.data(), word.size()});
    if (column > 0) {
      const bool fits = column + 1 + word_width <= width;
      lines += fits ? ' ' : '\n';
      column = fits ? column + 1 : 0;
    }
    absl::StrAppend(&lines, word);
    column += word_width;
  }
  return lines + '\n';
}

std::string WithThousands(int64_t number) {
  const std::string digits = absl::StrCat(number);
  const size_t first = number < 0 ? 1 : 0;
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > first && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

}  // namespace userservice::cli
