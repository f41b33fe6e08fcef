// A row of the table users as the contract's User, whatever program wrote it.
//
//   QueryScope row(connection, absl::StrCat("SELECT ", kUserColumns, " FROM users WHERE age = ?"));
//   ...                    // Bind and Step
//   users::v1::User user;
//   ReadUser(row, user);
//
// or, without a message, UserRow(row).name and the like.
//
// SQLite holds any value in any column. What the contract can not show is left out or repaired, so
// that one odd row never fails a page: a time that can not be read (stored_time.h) and an age that
// is no 32-bit integer are absent, and bytes that are no UTF-8 become U+FFFD. Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "google/protobuf/timestamp.pb.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/row_values.h"
#include "users/v1/user.pb.h"

namespace userservice::store {

// What ReadUser reads, in this order, from the first column of the current row on.
inline constexpr char kUserColumns[] =
    "user_id, name, email, age, created_at, updated_at, revision";
inline constexpr int kUserColumnCount = 7;
// One user's row.
inline constexpr char kSelectUser[] =
    "SELECT user_id, name, email, age, created_at, updated_at, revision FROM users WHERE user_id = "
    "?";

// The values of the current row as the contract shows them. The views live until the row's next
// Step(), and as long as the object.
class UserRow {
 public:
  explicit UserRow(const sqlite::QueryScope& row) { Read(row); }
  explicit UserRow(const sqlite::RowValues& row) { Read(row); }  // lives as long as the visit
  UserRow(const UserRow&) = delete;
  UserRow& operator=(const UserRow&) = delete;

  int64_t user_id = 0;
  std::string_view name;
  std::string_view email;
  std::optional<int32_t> age;
  std::optional<int64_t> create_micros;  // since 1970
  std::optional<int64_t> update_micros;
  int64_t revision = 0;

 private:
  template <class Row>
  void Read(const Row& row);

  std::string repaired_name_;  // only where bytes are no UTF-8
  std::string repaired_email_;
};

// A time as Timestamp keeps it: the nanoseconds count from the second on, also before 1970.
struct TimestampParts {
  explicit TimestampParts(int64_t micros);
  int64_t seconds;
  int32_t nanos;
};

void ReadUser(const sqlite::QueryScope& row, users::v1::User& user);

void SetTimestamp(int64_t micros, google::protobuf::Timestamp& timestamp);

// The etag of a row whose last change was `revision`.
std::string EtagOf(int64_t revision);
}  // namespace userservice::store
