// Prints the changes of a watch as they come: a line each, for people in columns, for programs as
// JSON lines or CSV.
//
//   REVISION  CHANGE   ID  NAME  EMAIL            AGE
//         17  changed   3  Ann   ann@example.com   41
//         18  removed   2
#pragma once

#include <cstdint>
#include <ostream>

#include "client/cli/output.h"
#include "client/cli/table.h"
#include "users/v1/user_service.pb.h"

namespace userservice::cli {

class ChangeRows {
 public:
  ChangeRows(std::ostream& out, OutputFormat format);

  void Add(const users::v1::WatchUsersResponse::Change& change);
  // Shows what was added; of CSV the title, even if nothing was.
  void Flush();
  int64_t count() const { return count_; }

 private:
  void AddCsv(const users::v1::WatchUsersResponse::Change& change);

  std::ostream& out_;
  const OutputFormat format_;
  Table table_;
  int64_t count_ = 0;
  bool title_printed_ = false;
};

}  // namespace userservice::cli
