// What the terminal behind standard output or error can show.
#pragma once

#include <string>
#include <string_view>

namespace userservice::cli {

// Columns of the terminal behind a file descriptor, standard output's: what it says if that is 40
// or more, else COLUMNS, else 100.
int TerminalWidth(int fd = 1);

// Whether to colour what goes to this file descriptor: a terminal, and neither NO_COLOR nor
// TERM=dumb is set. Source: https://no-color.org
bool ShowsColours(int fd);

// False if the locale says another encoding than UTF-8. A locale that says nothing is that of most
// containers, whose terminals show UTF-8.
bool ShowsUnicode();

// False once nobody reads from this file descriptor any more: `| head` has what it wanted.
bool HasReader(int fd);

enum class Colour { kNone, kRed, kGreen, kYellow, kBlue, kBold, kDim };

// `text` in that colour.
std::string Coloured(std::string_view text, Colour colour);

}  // namespace userservice::cli
