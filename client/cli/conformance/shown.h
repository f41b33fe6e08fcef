// Shown: a value as a report shows it: text in quotes, lists in brackets, cut where they are long.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace userservice::cli::conformance {

std::string Shown(bool value);
std::string Shown(int value);
std::string Shown(int64_t value);
std::string Shown(const std::string& value);
std::string Shown(const char* value);
std::string Shown(const std::vector<int64_t>& values);
std::string Shown(const std::vector<std::string>& values);

}  // namespace userservice::cli::conformance
