#include "service/store/request_log.h"

#include <memory>
#include <utility>

#include "service/errors/errors.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

constexpr absl::Duration kKept = absl::Hours(24);

constexpr char kSelectRequest[] =
    "SELECT fingerprint, user_id, response FROM request_ids WHERE request_id = ? AND created_at > "
    "?";

constexpr char kInsertRequest[] =
    "INSERT OR REPLACE INTO request_ids (request_id, fingerprint, user_id, response, created_at) "
    "VALUES (?, ?, ?, ?, ?)";

// Faster than they are added, so that the table holds little more than a day's.
constexpr char kDeleteSomeOldRequests[] =
    "DELETE FROM request_ids WHERE request_id IN "
    "(SELECT request_id FROM request_ids WHERE created_at <= ? ORDER BY created_at LIMIT 4)";

constexpr char kDeleteOldRequests[] = "DELETE FROM request_ids WHERE created_at <= ?";

constexpr char kEraseResponses[] =
    "UPDATE request_ids SET response = NULL WHERE user_id = ? AND response IS NOT NULL";

int64_t OldestKept(absl::Time now) { return absl::ToUnixSeconds(now - kKept); }

}  // namespace

absl::StatusOr<std::optional<LoggedRequest>> FindRequest(const WriteScope& scope,
                                                         std::string_view request_id,
                                                         std::string_view fingerprint,
                                                         absl::Time now) {
  sqlite::QueryScope row(scope.connection(), kSelectRequest, scope.limits());
  row.Bind(request_id, OldestKept(now));
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  if (!*found) return std::nullopt;
  if (row.Blob(0) != fingerprint) return errors::RequestIdReused(request_id);
  LoggedRequest request(row.Int64(1), std::nullopt);
  if (!row.IsNull(2)) request.response = std::string(row.Blob(2));
  return request;
}

absl::Status LogRequest(const WriteScope& scope, std::string_view request_id,
                        std::string_view fingerprint, const LoggedRequest& request,
                        absl::Time now) {
  {
    sqlite::QueryScope old(scope.connection(), kDeleteSomeOldRequests, scope.limits());
    if (absl::Status status = old.Bind(OldestKept(now)).Run(); !status.ok())
      return StorageError(status);
  }
  std::optional<sqlite::Blob> response;
  if (request.response.has_value()) response.emplace(*request.response);
  sqlite::QueryScope insert(scope.connection(), kInsertRequest, scope.limits());
  insert.Bind(request_id, sqlite::Blob(fingerprint), request.user_id, response,
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
