#include "client/server_timing.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace userservice::internal {

std::vector<ServerSpan> ParseServerTiming(absl::string_view value) {
  std::vector<ServerSpan> spans;
  for (const absl::string_view metric : absl::StrSplit(value, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(metric, ';');
    const absl::string_view name = absl::StripAsciiWhitespace(parts[0]);
    if (name.empty()) continue;
    for (size_t i = 1; i < parts.size(); ++i) {
      absl::string_view parameter = absl::StripAsciiWhitespace(parts[i]);
      double milliseconds = 0;
      if (!absl::ConsumePrefix(&parameter, "dur=") || !absl::SimpleAtod(parameter, &milliseconds))
        continue;
      spans.emplace_back(std::string(name), absl::Milliseconds(milliseconds));
      break;
    }
  }
  return spans;
}

}  // namespace userservice::internal
