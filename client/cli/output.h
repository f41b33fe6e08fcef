// What userctl prints: users and other answers as a table for people, or as JSON or CSV for
// programs.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "client/cli/table.h"
#include "google/protobuf/message.h"
#include "users/v1/user.pb.h"

namespace userservice::cli {

enum class OutputFormat { kTable, kJson, kCsv };

// Protobuf's JSON with the names of the proto file, fields without a value included where they have
// no presence. Indented, or on one line; ends in \n.
std::string ToJson(const google::protobuf::Message& message, bool indented);

// One user: a line a field; the JSON of users.v1.User; or CSV with a title.
void PrintUser(std::ostream& out, OutputFormat format, const users::v1::User& user);

// A user's fields as CSV has them, and their names.
const std::vector<std::string>& UserFieldNames();
std::vector<std::string> UserFieldTexts(const users::v1::User& user);

// "1 user", "12,345 users".
std::string UserCount(int64_t count);

// What a file of users holds, by the end of its name (.csv; .jsonl, .ndjson, .json); nothing if
// that does not tell.
std::optional<OutputFormat> FormatByName(const std::string& path);

// Many users, as they come: a line each, and for JSON a document each (JSON lines).
class UserRows {
 public:
  // `count_before` were added earlier, to the same output.
  UserRows(std::ostream& out, OutputFormat format, int64_t count_before = 0,
           bool has_title = false);

  void Add(const users::v1::User& user);
  // Shows what was added: a table needs several rows to find its widths. Of CSV the title, even if
  // there is no user.
  void Flush();
  int64_t count() const { return count_; }

 private:
  void PrintCsvTitle();

  std::ostream& out_;
  const OutputFormat format_;
  Table table_;
  int64_t count_;
  bool title_printed_;
};

}  // namespace userservice::cli
