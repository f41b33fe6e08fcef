// Text on a terminal: how wide it is, broken into lines, numbers in groups; and text that is safe
// to show there. Names come from a database that anybody may have written: control characters in
// them would move the cursor or change colours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace userservice::cli {

// Columns that a terminal gives to this UTF-8: 0 for combining marks, 2 for East Asian wide and
// emoji, else 1.
int DisplayWidth(std::string_view utf8);

// False if a byte belongs to no character.
bool IsUtf8(std::string_view text);

// The same text with every control character, and every byte that is not UTF-8, replaced by U+FFFD.
std::string Printable(std::string_view utf8);

// The text in lines of at most `width` columns, broken at spaces; each ends in \n. A longer word
// has a line of its own.
std::string Wrap(std::string_view utf8, int width);

// 1234567 -> "1,234,567".
std::string WithThousands(int64_t number);

}  // namespace userservice::cli
