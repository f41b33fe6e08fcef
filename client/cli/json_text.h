// Text as a JSON string, quotes included. What is no UTF-8 and control characters are shown as
// U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace userservice::cli {

std::string JsonText(std::string_view text);

}  // namespace userservice::cli
