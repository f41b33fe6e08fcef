#include "service/store/sqlite_user_store.h"

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "service/errors/errors.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "service/store/request_log.h"
#include "service/store/schema.h"
#include "service/store/storage_error.h"
#include "service/store/stored_time.h"
#include "service/store/user_writes.h"
#include "users/v1/user_service.pb.h"

namespace userservice::store {
namespace {

// Scans that keep every core busy would else make the loop, on whose thread point reads run, wait
// for its turn: 10 ms and more on two cores. The kernel alone does not see to it: it takes a
// processor back every 4 ms at best, from the nicest thread too.
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

using Users = std::vector<users::v1::User>;

// The kind of a write that changes one row for each of `rows`, by one statement.
WriteKind KindOf(size_t rows, const WriteOptions& options) {
  const bool bare = rows <= 1 && options.request_id.empty() && !options.validate_only;
  return bare ? WriteKind::kOneStatement : WriteKind::kSeveralStatements;
}

size_t BytesOf(const users::v1::User& user) { return user.ByteSizeLong(); }
size_t BytesOf(const UserUpdate& update) { return update.values.ByteSizeLong(); }
size_t BytesOf(const UserRemoval& removal) { return removal.etag.size(); }

// Of a write with a row for each item; the bytes are about those that it holds in memory.
template <class Item>
WriteWeight WeightOf(const std::vector<Item>& items) {
  size_t bytes = 0;
  for (const Item& item : items) bytes += sizeof(item) + BytesOf(item);
  return {items.size(), bytes};
}

// What the first success of this request answered; of a user that was deleted since, the number.
absl::StatusOr<Users> ReplayUsers(const std::vector<LoggedUser>& first) {
  Users users(first.size());
  for (size_t i = 0; i < first.size(); ++i) {
    if (!first[i].response.has_value()) {
      users[i].set_user_id(first[i].user_id);
    } else if (!users[i].ParseFromString(*first[i].response)) {
      return errors::Internal("a logged response can not be read");
    }
  }
  return users;
}

// Runs a write, which answers with users, once for its request_id.
template <class Write>
absl::StatusOr<Users> RunOnce(WriteScope& scope, const WriteOptions& options, absl::Time now,
                              const Write& write) {
  const std::string& request_id = options.request_id;
  if (!request_id.empty()) {
    const absl::StatusOr<std::optional<LoggedRequest>> first =
        FindRequest(scope, request_id, options.fingerprint, now);
    if (!first.ok()) return first.status();
    if (first->has_value()) return ReplayUsers((*first)->users);
  }
  absl::StatusOr<Users> users = write();
  if (!users.ok()) return users;
  if (options.validate_only) {
    scope.Discard();
    return users;
  }
  if (request_id.empty()) return users;
  if (absl::Status status = LogRequest(scope, request_id, options.fingerprint, *users, now);
      !status.ok())
    return status;
  return users;
}

// What `write_one` makes of each, up to the first that fails.
template <class Item, class WriteOne>
absl::StatusOr<Users> WriteEach(const std::vector<Item>& items, const WriteOne& write_one) {
  Users users;
  users.reserve(items.size());
  for (const Item& item : items) {
    absl::StatusOr<users::v1::User> user = write_one(item);
    if (!user.ok()) return user.status();
    users.push_back(*std::move(user));
  }
  return users;
}

// A user that was changed more than once is at each place as the last change left it: they share
// its etag.
void ShowAsStored(Users& users) {
  absl::flat_hash_map<int64_t, size_t> last;
  for (size_t i = 0; i < users.size(); ++i) last[users[i].user_id()] = i;
  for (users::v1::User& user : users) user = users[last.at(user.user_id())];
}

// An outcome as the request log keeps it.
std::string Serialize(const UserImport& import) {
  users::v1::ImportUsersResponse kept;
  kept.set_revision(import.revision);
  for (const int index : import.taken) kept.add_failures()->set_index(index);
  return kept.SerializeAsString();
}

absl::StatusOr<UserImport> ReplayImport(const std::string& outcome) {
  users::v1::ImportUsersResponse kept;
  if (!kept.ParseFromString(outcome)) return errors::Internal("a logged outcome can not be read");
  UserImport import;
  import.revision = kept.revision();
  for (const auto& failure : kept.failures()) import.taken.push_back(failure.index());
  return import;
}

// A statement that fails for a taken address undoes itself alone.
absl::StatusOr<UserImport> ImportOnce(WriteScope& scope, const Users& users,
                                      const WriteOptions& options, absl::Time now) {
  const std::string& request_id = options.request_id;
  if (!request_id.empty()) {
    const absl::StatusOr<std::optional<LoggedRequest>> first =
        FindRequest(scope, request_id, options.fingerprint, now);
    if (!first.ok()) return first.status();
    if (first->has_value()) return ReplayImport((*first)->outcome);
  }
  UserImport import;
  const std::string time = FormatStoredTime(now);
  for (size_t i = 0; i < users.size(); ++i) {
    const absl::Status inserted = InsertRow(scope, users[i], time);
    if (inserted.ok()) {
      import.revision = scope.next_revision();
    } else if (absl::IsAlreadyExists(inserted)) {
      import.taken.push_back(static_cast<int>(i));
    } else {
      return inserted;
    }
  }
  if (request_id.empty()) return import;
  const absl::Status logged =
      LogOutcome(scope, request_id, options.fingerprint, Serialize(import), now);
  if (!logged.ok()) return logged;
  return import;
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
  point_options.cache_kib = options.point_cache_kib;
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

  ReaderOptions watch_options;
  watch_options.thread_name = "watch";
  watch_options.threads = 1;
  watch_options.queue_jobs_max = options.watch_queue_jobs_max;
  watch_options.niceness = kScanNiceness;
  watch_options.log_gate = &(*writer)->scans();
  absl::StatusOr<std::unique_ptr<Reader>> watches = Reader::Open(options.path, watch_options);
  if (!watches.ok()) return watches.status();
  absl::StatusOr<std::unique_ptr<ChangeFeed>> feed =
      ChangeFeed::Open(options.path, (*writer)->committed(), (*writer)->scans(), options.feed);
  if (!feed.ok()) return feed.status();
  TombstoneOptions tombstone_options = options.tombstones;
  tombstone_options.clock = options.clock;
  absl::StatusOr<std::unique_ptr<TombstoneCompactor>> tombstones =
      TombstoneCompactor::Open(options.path, **writer, tombstone_options);
  if (!tombstones.ok()) return tombstones.status();

  return std::unique_ptr<SqliteUserStore>(
      new SqliteUserStore(options, *key, *std::move(writer), *std::move(points), *std::move(scans),
                          *std::move(watches), *std::move(feed), *std::move(tombstones)));
}

SqliteUserStore::SqliteUserStore(const SqliteStoreOptions& options,
                                 const std::string& page_token_key, std::unique_ptr<Writer> writer,
                                 std::unique_ptr<Reader> points, std::unique_ptr<Reader> scans,
                                 std::unique_ptr<Reader> watches, std::unique_ptr<ChangeFeed> feed,
                                 std::unique_ptr<TombstoneCompactor> tombstones)
    : options_(options),
      page_tokens_(page_token_key),
      writer_(std::move(writer)),
      points_(std::move(points)),
      scans_(std::move(scans)),
      watches_(std::move(watches)),
      feed_(std::move(feed)),
      tombstones_(std::move(tombstones)) {}

SqliteUserStore::~SqliteUserStore() = default;

Task<absl::StatusOr<Users>> SqliteUserStore::CreateUsers(CallContext context, const Users& users,
                                                         const WriteOptions& options) {
  auto create = [&](WriteScope& scope) -> absl::StatusOr<Users> {
    const absl::Time now = options_.clock();
    const auto insert = [&](const users::v1::User& user) { return InsertUser(scope, user, now); };
    absl::StatusOr<Users> created =
        RunOnce(scope, options, now, [&] { return WriteEach(users, insert); });
    if (!created.ok() || !scope.discarded()) return created;
    // What only storing it would give.
    for (users::v1::User& user : *created) {
      user.clear_user_id();
      user.clear_create_time();
      user.clear_update_time();
      user.clear_etag();
    }
    return created;
  };
  co_return co_await writer_->Write(context, KindOf(users.size(), options), create,
                                    WeightOf(users));
}

Task<absl::StatusOr<Users>> SqliteUserStore::UpdateUsers(CallContext context,
                                                         const std::vector<UserUpdate>& updates,
                                                         const WriteOptions& options) {
  auto change = [&](WriteScope& scope) -> absl::StatusOr<Users> {
    const absl::Time now = options_.clock();
    const auto change_row = [&](const UserUpdate& update) {
      return ChangeUser(scope, update, now);
    };
    const auto change_all = [&]() -> absl::StatusOr<Users> {
      absl::StatusOr<Users> all = WriteEach(updates, change_row);
      if (all.ok()) ShowAsStored(*all);
      return all;
    };
    absl::StatusOr<Users> changed = RunOnce(scope, options, now, change_all);
    if (!changed.ok() || !scope.discarded()) return changed;
    for (users::v1::User& user : *changed) {
      user.clear_update_time();
      user.clear_etag();
    }
    return changed;
  };
  co_return co_await writer_->Write(context, KindOf(updates.size(), options), change,
                                    WeightOf(updates));
}

Task<absl::Status> SqliteUserStore::DeleteUsers(CallContext context,
                                                const std::vector<UserRemoval>& removals,
                                                const WriteOptions& options) {
  auto remove = [&](WriteScope& scope) -> absl::Status {
    const absl::Time now = options_.clock();
    const auto remove_all = [&]() -> absl::StatusOr<Users> {
      for (const UserRemoval& removal : removals) {
        if (absl::Status status = RemoveUser(scope, removal, now); !status.ok()) return status;
      }
      return Users();
    };
    return RunOnce(scope, options, now, remove_all).status();
  };
  co_return co_await writer_->Write(context, WriteKind::kSeveralStatements, remove,
                                    WeightOf(removals));
}

Task<absl::StatusOr<UserImport>> SqliteUserStore::ImportUsers(CallContext context,
                                                              const Users& users,
                                                              const WriteOptions& options) {
  auto import = [&](WriteScope& scope) -> absl::StatusOr<UserImport> {
    return ImportOnce(scope, users, options, options_.clock());
  };
  co_return co_await writer_->Write(context, WriteKind::kSeveralStatements, import,
                                    WeightOf(users));
}

UserStore::OpenResources SqliteUserStore::open_resources() const {
  OpenResources open;
  open.leases = points_->leased() + scans_->leased() + watches_->leased();
  open.statements = points_->active_statements() + scans_->active_statements() +
                    watches_->active_statements() + writer_->stats().statements;
  open.writes = tombstones_->BetweenTransactions([this] { return writer_->open_jobs(); });
  open.watches = feed_->stats().followers;
  return open;
}

}  // namespace userservice::store
