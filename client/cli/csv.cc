#include "client/cli/csv.h"

#include "absl/strings/str_replace.h"

namespace userservice::cli {

void WriteCsvRow(std::ostream& out, const std::vector<std::string>& fields) {
  const char* separator = "";
  for (const std::string& field : fields) {
    out << separator;
    separator = ",";
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      out << field;
    } else {
      out << '"' << absl::StrReplaceAll(field, {{"\"", "\"\""}}) << '"';
    }
  }
  out << "\r\n";
}

}  // namespace userservice::cli
