#include "service/store/user_batch.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/row_values.h"
#include "service/sqlite/transaction.h"
#include "service/store/encoded_users.h"
#include "service/store/field_sql.h"
#include "service/store/storage_error.h"
#include "service/store/user_row.h"

namespace userservice::store {
namespace {

// A batch is read in groups of so many users, each by one statement.
constexpr size_t kGroupMax = 100;

// By number, as many as there are parameters, in the order of these. The user of a NULL is none.
// The function takes column1 as well: a term of users alone lets SQLite, where it has statistics,
// read the whole table first for a Bloom filter.
std::string SelectGroupSql(size_t parameters) {
  std::string values = "(?)";
  for (size_t i = 1; i < parameters; ++i) values += ",(?)";
  return absl::StrCat("SELECT 1 FROM (VALUES ", values, ") CROSS JOIN users",
                      IndexedBySql(UserField::kUserId), " WHERE user_id = column1 AND visit_row(",
                      kUserColumns, ", column1)");
}

// Starting a statement anew for each user would cost as much again as reading them.
absl::Status AppendGroup(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                         std::span<const int64_t> user_ids, EncodedUsers& users) {
  // So there are few texts to be kept compiled.
  const size_t parameters = std::min(std::bit_ceil(user_ids.size()), kGroupMax);
  sqlite::QueryScope rows(connection, SelectGroupSql(parameters), limits);
  for (size_t i = 0; i < user_ids.size(); ++i) rows.BindAt(static_cast<int>(i + 1), user_ids[i]);
  size_t found = 0;
  const auto append = [&](const sqlite::RowValues& values) {
    const UserRow row(values);
    const bool is_next = row.user_id == user_ids[found];
    if (is_next) {
      AppendUser(row, users);
      ++found;
    }
    return !is_next;
  };
  const absl::StatusOr<bool> ended = rows.Visit(append);
  if (!ended.ok()) return StorageError(ended.status());
  return found == user_ids.size() ? absl::OkStatus() : errors::UserNotFound(user_ids[found]);
}

}  // namespace

absl::StatusOr<EncodedUsers> ReadBatch(sqlite::Connection& connection,
                                       const sqlite::QueryLimits& limits,
                                       std::span<const int64_t> user_ids) {
  const absl::StatusOr<sqlite::Transaction> snapshot =
      sqlite::Transaction::BeginRead(connection, limits);
  if (!snapshot.ok()) return StorageError(snapshot.status());
  EncodedUsers users;
  for (std::span<const int64_t> left = user_ids; !left.empty();) {
    const auto group = left.first(std::min(left.size(), kGroupMax));
    left = left.subspan(group.size());
    absl::Status read = AppendGroup(connection, limits, group, users);
    if (!read.ok()) return read;
  }
  return users;
}

}  // namespace userservice::store
