// Records: the users that the lines of a file say, whatever its format.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/import/lines.h"
#include "users/v1/user.pb.h"

namespace userservice::cli {

enum class InputFormat { kCsv, kJsonLines };

// One user, or why there is none.
struct Record {
  Record() = default;
  int64_t line = 0;  // where it begins
  users::v1::User user;
  std::string error;  // empty if `user` is one
};

class RecordParser {
 public:
  virtual ~RecordParser() = default;

  // The record that ends with this line, if one does. Called with each line in turn.
  virtual std::optional<Record> Add(const Line& line) = 0;
  // After the last line: the record that has no end.
  virtual std::optional<Record> End() = 0;
  // What is left out of the file, once, as soon as it is known: "ignored columns: user_id".
  virtual std::string TakeNotice() = 0;
};

// Reads what comes before the first record, a title. INVALID_ARGUMENT if it is none.
absl::StatusOr<std::unique_ptr<RecordParser>> MakeRecordParser(InputFormat format,
                                                               LineReader& lines);

}  // namespace userservice::cli
