// How wide text is on a terminal, and text that is safe to show there. Names come from a database that anybody may have
// written: control characters in them would move the cursor or change colours.
#pragma once

#include <string>
#include <string_view>

namespace userservice::cli {

// Columns that a terminal gives to this UTF-8: 0 for combining marks, 2 for East Asian wide and emoji, else 1.
int DisplayWidth(std::string_view utf8);

// The same text with every control character, and every byte that is not UTF-8, replaced by U+FFFD.
std::string Printable(std::string_view utf8);

}  // namespace userservice::cli
