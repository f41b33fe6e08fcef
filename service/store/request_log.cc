#include "service/store/request_log.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

constexpr absl::Duration kKept = absl::Hours(24);

constexpr char kSelectRequest[] =
    "SELECT fingerprint, user_id, response FROM request_ids WHERE request_id = ? AND created_at > "
    "?";

// The rows of the users after the first, in their order. Those of an earlier use of the id may
// still be there.
constexpr char kSelectMoreUsers[] =
    "SELECT user_id, response FROM request_ids WHERE request_id > ? AND request_id < ? AND "
    "created_at > ? ORDER BY request_id";

constexpr char kInsertRequest[] =
    "INSERT OR REPLACE INTO request_ids (request_id, fingerprint, user_id, response, created_at) "
    "VALUES (?, ?, ?, ?, ?)";

// Faster than they are added, so that the table holds little more than a day's.
constexpr char kDeleteSomeOldRequests[] =
    "DELETE FROM request_ids WHERE request_id IN "
    "(SELECT request_id FROM request_ids WHERE created_at <= ? ORDER BY created_at LIMIT ?)";

constexpr char kDeleteOldRequests[] = "DELETE FROM request_ids WHERE created_at <= ?";

constexpr char kEraseResponses[] =
    "UPDATE request_ids SET response = NULL WHERE user_id = ? AND response IS NOT NULL";

constexpr size_t kDroppedPerRow = 4;

// '0' follows '/' in ASCII, and neither stands in a UUID before its end.
std::string MoreUsersBegin(std::string_view request_id) {
  return absl::StrCat(errors::AbslView(request_id), "/");
}
std::string MoreUsersEnd(std::string_view request_id) {
  return absl::StrCat(errors::AbslView(request_id), "0");
}
// As wide for each, so that they sort as they are counted.
std::string MoreUsersKey(std::string_view request_id, size_t index) {
  return absl::StrCat(MoreUsersBegin(request_id), absl::Dec(index, absl::kZeroPad6));
}

LoggedUser ReadLoggedUser(const sqlite::QueryScope& row, int column) {
  LoggedUser user(row.Int64(column), std::nullopt);
  if (!row.IsNull(column + 1)) user.response = std::string(row.Blob(column + 1));
  return user;
}

int64_t OldestKept(absl::Time now) { return absl::ToUnixSeconds(now - kKept); }

// Makes room for `rows` more.
absl::Status DropSome(const WriteScope& scope, size_t rows, absl::Time now) {
  sqlite::QueryScope old(scope.connection(), kDeleteSomeOldRequests, scope.limits());
  old.Bind(OldestKept(now), static_cast<int64_t>(kDroppedPerRow * rows));
  return StorageError(old.Run());
}

}  // namespace

absl::StatusOr<std::optional<LoggedRequest>> FindRequest(const WriteScope& scope,
                                                         std::string_view request_id,
                                                         std::string_view fingerprint,
                                                         absl::Time now) {
  LoggedRequest request;
  {
    sqlite::QueryScope row(scope.connection(), kSelectRequest, scope.limits());
    row.Bind(request_id, OldestKept(now));
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found) return std::nullopt;
    if (row.Blob(0) != fingerprint) return errors::RequestIdReused(request_id);
    if (row.IsNull(1)) {
      request.outcome = std::string(row.Blob(2));
      return request;
    }
    request.users.push_back(ReadLoggedUser(row, 1));
  }
  sqlite::QueryScope row(scope.connection(), kSelectMoreUsers, scope.limits());
  row.Bind(MoreUsersBegin(request_id), MoreUsersEnd(request_id), OldestKept(now));
  for (;;) {
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found) return request;
    request.users.push_back(ReadLoggedUser(row, 0));
  }
}

absl::Status LogRequest(const WriteScope& scope, std::string_view request_id,
                        std::string_view fingerprint, const std::vector<users::v1::User>& users,
                        absl::Time now) {
  if (users.empty()) return LogOutcome(scope, request_id, fingerprint, "", now);
  if (absl::Status status = DropSome(scope, users.size(), now); !status.ok()) return status;
  for (size_t i = 0; i < users.size(); ++i) {
    const std::string key = i == 0 ? std::string(request_id) : MoreUsersKey(request_id, i);
    sqlite::QueryScope insert(scope.connection(), kInsertRequest, scope.limits());
    insert.Bind(key, sqlite::Blob(fingerprint), users[i].user_id(),
                sqlite::Blob(users[i].SerializeAsString()), absl::ToUnixSeconds(now));
    if (absl::Status status = insert.Run(); !status.ok()) return StorageError(status);
  }
  return absl::OkStatus();
}

absl::Status LogOutcome(const WriteScope& scope, std::string_view request_id,
                        std::string_view fingerprint, std::string_view outcome, absl::Time now) {
  if (absl::Status status = DropSome(scope, 1, now); !status.ok()) return status;
  std::optional<sqlite::Blob> response;
  if (!outcome.empty()) response.emplace(outcome);
  sqlite::QueryScope insert(scope.connection(), kInsertRequest, scope.limits());
  insert.Bind(request_id, sqlite::Blob(fingerprint), std::nullopt, response,
              absl::ToUnixSeconds(now));
  return StorageError(insert.Run());
}

absl::Status PurgeRequests(const std::string& path, absl::Time now) {
  const sqlite::ConnectionOptions options(path, sqlite::OpenMode::kReadWrite);
  const absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
      sqlite::Connection::Open(options);
  if (!connection.ok()) return StorageError(connection.status());
  sqlite::QueryScope purge(**connection, kDeleteOldRequests);
  return StorageError(purge.Bind(OldestKept(now)).Run());
}

absl::Status EraseResponses(const WriteScope& scope, int64_t user_id) {
  sqlite::QueryScope update(scope.connection(), kEraseResponses, scope.limits());
  return StorageError(update.Bind(user_id).Run());
}

}  // namespace userservice::store
