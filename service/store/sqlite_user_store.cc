#include "service/store/sqlite_user_store.h"

#include <optional>

#include "service/errors/errors.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "service/store/request_log.h"
#include "service/store/schema.h"
#include "service/store/storage_error.h"
#include "service/store/user_writes.h"

namespace userservice::store {
namespace {

// Scans that keep every core busy would else make the loop, on whose thread point reads run, wait
// for its turn: 10 ms and more on two cores.
constexpr int kScanNiceness = 10;

constexpr char kSelectState[] = "SELECT value FROM service_state WHERE key = ?";

absl::StatusOr<std::string> ReadPageTokenKey(const std::string& path) {
  const sqlite::ConnectionOptions options(path, sqlite::OpenMode::kReadOnly);
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
      sqlite::Connection::Open(options);
  if (!connection.ok()) return StorageError(connection.status());
  sqlite::QueryScope row(**connection, kSelectState);
  row.Bind(kPageTokenKeyState);
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  if (!*found) return errors::Internal("the database has no key for page tokens");
  return std::string(row.Blob(0));
}

WriteKind KindOf(WriteKind bare, const WriteOptions& options) {
  return options.request_id.empty() && !options.validate_only ? bare
                                                              : WriteKind::kSeveralStatements;
}

// What the first success of this request answered.
absl::StatusOr<users::v1::User> Replay(const LoggedRequest& first) {
  if (!first.response.has_value()) return errors::UserNotFound(first.user_id);
  users::v1::User user;
  if (!user.ParseFromString(*first.response))
    return errors::Internal("a logged response can not be read");
  return user;
}

// Runs a write that answers with a user once for its request_id.
template <class Write>
absl::StatusOr<users::v1::User> RunOnce(WriteScope& scope, const WriteOptions& options,
                                        absl::Time now, const Write& write) {
  const std::string& request_id = options.request_id;
  if (!request_id.empty()) {
    const absl::StatusOr<std::optional<LoggedRequest>> first =
        FindRequest(scope, request_id, options.fingerprint, now);
    if (!first.ok()) return first.status();
    if (first->has_value()) return Replay(**first);
  }
  absl::StatusOr<users::v1::User> user = write();
  if (!user.ok()) return user;
  if (options.validate_only) {
    scope.Discard();
    return user;
  }
  if (request_id.empty()) return user;
  const LoggedRequest request(user->user_id(), user->SerializeAsString());
  if (absl::Status status = LogRequest(scope, request_id, options.fingerprint, request, now);
      !status.ok())
    return status;
  return user;
}

absl::Status RemoveOnce(WriteScope& scope, int64_t user_id, const std::string& etag,
                        bool allow_missing, const WriteOptions& options, absl::Time now) {
  const std::string& request_id = options.request_id;
  if (!request_id.empty()) {
    const absl::StatusOr<std::optional<LoggedRequest>> first =
        FindRequest(scope, request_id, options.fingerprint, now);
    if (!first.ok()) return first.status();
    if (first->has_value()) return absl::OkStatus();
  }
  if (absl::Status status = RemoveUser(scope, user_id, etag, allow_missing, now); !status.ok())
    return status;
  if (options.validate_only) {
    scope.Discard();
    return absl::OkStatus();
  }
  if (request_id.empty()) return absl::OkStatus();
  return LogRequest(scope, request_id, options.fingerprint, LoggedRequest(user_id, std::nullopt),
                    now);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteUserStore>> SqliteUserStore::Open(
    const SqliteStoreOptions& options) {
  absl::StatusOr<std::string> key = ReadPageTokenKey(options.path);
  if (!key.ok()) return key.status();
  // If this fails, for a full disk say, users can still be read. Before the writer, which erases
  // what it finds in the log.
  (void)PurgeRequests(options.path, options.clock());
  absl::StatusOr<std::unique_ptr<Writer>> writer = Writer::Open(options.path, options.writer);
  if (!writer.ok()) return writer.status();

  ReaderOptions point_options;
  point_options.thread_name = "point";
  point_options.threads = options.point_threads;
  point_options.connections = options.point_connections;
  point_options.queue_jobs_max = options.point_queue_jobs_max;
  absl::StatusOr<std::unique_ptr<Reader>> points = Reader::Open(options.path, point_options);
  if (!points.ok()) return points.status();

  ReaderOptions scan_options;
  scan_options.thread_name = "scan";
  scan_options.threads = options.scan_threads;
  scan_options.connections = options.scan_threads;
  scan_options.queue_jobs_max = options.scan_queue_jobs_max;
  scan_options.niceness = kScanNiceness;
  scan_options.log_gate = &(*writer)->scans();
  absl::StatusOr<std::unique_ptr<Reader>> scans = Reader::Open(options.path, scan_options);
  if (!scans.ok()) return scans.status();

  return std::unique_ptr<SqliteUserStore>(new SqliteUserStore(
      options, *std::move(key), *std::move(writer), *std::move(points), *std::move(scans)));
}

SqliteUserStore::SqliteUserStore(const SqliteStoreOptions& options, std::string page_token_key,
                                 std::unique_ptr<Writer> writer, std::unique_ptr<Reader> points,
                                 std::unique_ptr<Reader> scans)
    : options_(options),
      page_tokens_(std::move(page_token_key)),
      writer_(std::move(writer)),
      points_(std::move(points)),
      scans_(std::move(scans)) {}

SqliteUserStore::~SqliteUserStore() = default;

Task<absl::StatusOr<users::v1::User>> SqliteUserStore::CreateUser(CallContext context,
                                                                  const users::v1::User& user,
                                                                  const WriteOptions& options) {
  auto create = [&](WriteScope& scope) -> absl::StatusOr<users::v1::User> {
    const absl::Time now = options_.clock();
    const auto insert = [&] { return InsertUser(scope, user, now); };
    absl::StatusOr<users::v1::User> created = RunOnce(scope, options, now, insert);
    // What only storing it would give.
    if (created.ok() && scope.discarded()) {
      created->clear_user_id();
      created->clear_create_time();
      created->clear_update_time();
      created->clear_etag();
    }
    return created;
  };
  co_return co_await writer_->Write(context, KindOf(WriteKind::kOneStatement, options), create);
}

Task<absl::StatusOr<users::v1::User>> SqliteUserStore::UpdateUser(CallContext context,
                                                                  const UserUpdate& update,
                                                                  const WriteOptions& options) {
  auto change = [&](WriteScope& scope) -> absl::StatusOr<users::v1::User> {
    const absl::Time now = options_.clock();
    const auto change_row = [&] { return ChangeUser(scope, update, now); };
    absl::StatusOr<users::v1::User> changed = RunOnce(scope, options, now, change_row);
    if (changed.ok() && scope.discarded()) {
      changed->clear_update_time();
      changed->clear_etag();
    }
    return changed;
  };
  co_return co_await writer_->Write(context, KindOf(WriteKind::kOneStatement, options), change);
}

Task<absl::Status> SqliteUserStore::DeleteUser(CallContext context, int64_t user_id,
                                               const std::string& etag, bool allow_missing,
                                               const WriteOptions& options) {
  auto remove = [&](WriteScope& scope) -> absl::Status {
    return RemoveOnce(scope, user_id, etag, allow_missing, options, options_.clock());
  };
  co_return co_await writer_->Write(context, WriteKind::kSeveralStatements, remove);
}

UserStore::OpenResources SqliteUserStore::open_resources() const {
  OpenResources open;
  open.leases = points_->leased() + scans_->leased();
  open.statements =
      points_->active_statements() + scans_->active_statements() + writer_->stats().statements;
  open.writes = writer_->open_jobs();
  return open;
}

}  // namespace userservice::store
