#include "client/cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace userservice::cli {
namespace {

constexpr int kWidth = 100;
constexpr int kWidthMin = 40;

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

const char* EscapeOf(Colour colour) {
  switch (colour) {
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kBlue:
      return "\x1b[34m";
    case Colour::kBold:
      return "\x1b[1m";
    case Colour::kDim:
      return "\x1b[2m";
    case Colour::kNone:
      break;
  }
  return "";
}

}  // namespace

int TerminalWidth(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= kWidthMin) return size.ws_col;
  int columns = 0;
  if (absl::SimpleAtoi(Environment("COLUMNS"), &columns) && columns >= kWidthMin) return columns;
  return kWidth;
}

bool ShowsColours(int fd) {
  return isatty(fd) == 1 && Environment("NO_COLOR").empty() && Environment("TERM") != "dumb";
}

bool ShowsUnicode() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = absl::AsciiStrToLower(Environment(name));
    if (!locale.empty())
      return absl::StrContains(locale, "utf-8") || absl::StrContains(locale, "utf8");
  }
  return true;
}

bool HasReader(int fd) {
  pollfd interest = {fd, POLLOUT, 0};
  return poll(&interest, 1, 0) <= 0 || (interest.revents & (POLLERR | POLLHUP)) == 0;
}

std::string Coloured(std::string_view text, Colour colour) {
  if (colour == Colour::kNone) return std::string(text);
  return EscapeOf(colour) + std::string(text) + "\x1b[0m";
}

}  // namespace userservice::cli
