// A row of the table users as the contract's User, whatever program wrote it.
//
//   QueryScope row(connection, absl::StrCat("SELECT ", kUserColumns, " FROM users WHERE age = ?"));
//   ...                    // Bind and Step
//   users::v1::User user;
//   ReadUser(row, user);
//
// SQLite holds any value in any column. What the contract can not show is left out or repaired, so
// that one odd row never fails a page: a time that can not be read (stored_time.h) and an age that
// is no 32-bit integer are absent, and bytes that are no UTF-8 become U+FFFD. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "service/sqlite/query_scope.h"
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

void ReadUser(const sqlite::QueryScope& row, users::v1::User& user);

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& timestamp);

// The etag of a row whose last change was `revision`.
std::string EtagOf(int64_t revision);

// `text`, with U+FFFD for each byte that is part of no UTF-8 sequence.
std::string ValidUtf8(std::string_view text);

}  // namespace userservice::store
