// Comma-separated values, RFC 4180: lines end in CR LF; a field with a comma, a quote or a line end
// is quoted.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace userservice::cli {

void WriteCsvRow(std::ostream& out, const std::vector<std::string>& fields);

}  // namespace userservice::cli
