// Users in JSON lines: a users.v1.User a line, in protobuf's JSON. Empty lines are nothing.
#pragma once

#include <optional>
#include <string>

#include "client/cli/import/records.h"

namespace userservice::cli {

class JsonRecords final : public RecordParser {
 public:
  std::optional<Record> Add(const Line& line) override;
  std::optional<Record> End() override { return {}; }
  std::string TakeNotice() override;

 private:
  std::string notice_;
  bool noticed_ = false;
};

}  // namespace userservice::cli
