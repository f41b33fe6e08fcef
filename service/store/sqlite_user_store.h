// SqliteUserStore: the UserStore that keeps users in one SQLite file.
//
//   absl::StatusOr<DatabaseInfo> info = PrepareDatabase(path, DatabaseOptions());
//   absl::StatusOr<std::unique_ptr<SqliteUserStore>> store =
//       SqliteUserStore::Open(SqliteStoreOptions(path));
//
// Point reads (GetUser, LookupUser, small batches, short pages of all users) have connections of
// their own, and run on the calling thread or on point threads; what scans (other lists,
// CountUsers, large batches) runs on scan threads behind a bounded queue, so that no scan delays a
// point read. Writes go through the one Writer, see writer.h. A read transaction lives for one call
// at most: one page, one batch; but point reads of one loop may share one, see point_snapshots.h.
// Changes are read once for all who watch (change_feed.h), on a thread; those who have yet to catch
// up, or have a filter, read them on another (change_stream.h).
// Erasing: the checkpoint after a deletion leaves no byte of the user's values in any file: not in
// the table and the indexes (sqlite/erasing_vfs.h), not in what was answered to a request_id
// (request_log.h), not in the log, which is cut to nothing (checkpointer.h).
// Threads, errors: see user_store.h. Ending: the destructor waits for scans and commits the writes
// that are queued; every task that the store gave out has ended before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "service/store/change_feed.h"
#include "service/store/reader.h"
#include "service/store/tombstone_compactor.h"
#include "service/store/user_store.h"
#include "service/store/writer.h"

namespace userservice::store {

struct SqliteStoreOptions {
  explicit SqliteStoreOptions(std::string database_path) : path(std::move(database_path)) {}

  std::string path;                    // of a database that PrepareDatabase has prepared
  size_t point_threads = 0;            // 0: point reads run on the thread that asks
  size_t point_connections = 2;        // how many threads may read points at once
  size_t point_queue_jobs_max = 4096;  // of the point threads
  // Of each connection for point reads, filled by use. Where a table fits, no read goes to the file
  // until the next commit, with which SQLite lets go of all pages at once: a thousand in 0.3 ms.
  int point_cache_kib = 128 * 1024;
  size_t scan_threads = 2;
  size_t scan_queue_jobs_max = 256;
  size_t rows_examined_max = 20'000;   // a page
  size_t watch_queue_jobs_max = 1024;  // at least as many as watch: each has one job at most
  std::function<absl::Time()> clock = absl::Now;  // what rows and request ids are stamped with
  WriterOptions writer;
  ChangeFeedOptions feed;
  TombstoneOptions tombstones;
};

class SqliteUserStore final : public UserStore {
 public:
  // Errors: of the catalogue.
  static absl::StatusOr<std::unique_ptr<SqliteUserStore>> Open(const SqliteStoreOptions& options);
  ~SqliteUserStore() override;

  Task<absl::StatusOr<EncodedUser>> GetUser(CallContext context, int64_t user_id) override;
  Task<absl::StatusOr<EncodedUser>> LookupUser(CallContext context, std::string email) override;
  Task<absl::StatusOr<EncodedUsers>> BatchGetUsers(CallContext context,
                                                   std::vector<int64_t> user_ids) override;
  Task<absl::StatusOr<UserPage>> ListUsers(CallContext context, const PageQuery& query) override;
  Task<absl::StatusOr<UserCount>> CountUsers(CallContext context, const Filter& filter) override;

  Task<absl::StatusOr<std::unique_ptr<ChangeStream>>> WatchUsers(
      CallContext context, Filter filter, std::optional<int64_t> after_revision) override;

  Task<absl::StatusOr<std::vector<users::v1::User>>> CreateUsers(
      CallContext context, const std::vector<users::v1::User>& users,
      const WriteOptions& options) override;
  Task<absl::StatusOr<std::vector<users::v1::User>>> UpdateUsers(
      CallContext context, const std::vector<UserUpdate>& updates,
      const WriteOptions& options) override;
  Task<absl::Status> DeleteUsers(CallContext context, const std::vector<UserRemoval>& removals,
                                 const WriteOptions& options) override;
  Task<absl::StatusOr<UserImport>> ImportUsers(CallContext context,
                                               const std::vector<users::v1::User>& users,
                                               const WriteOptions& options) override;

  const PageTokenCodec& page_tokens() const override { return page_tokens_; }
  OpenResources open_resources() const override;

  // The engine's own parts, for tests.
  Writer& writer() { return *writer_; }
  ChangeFeed& feed() const { return *feed_; }
  TombstoneCompactor& tombstones() { return *tombstones_; }

 private:
  SqliteUserStore(const SqliteStoreOptions& options, const std::string& page_token_key,
                  std::unique_ptr<Writer> writer, std::unique_ptr<Reader> points,
                  std::unique_ptr<Reader> scans, std::unique_ptr<Reader> watches,
                  std::unique_ptr<ChangeFeed> feed, std::unique_ptr<TombstoneCompactor> tombstones);

  const SqliteStoreOptions options_;
  const PageTokenCodec page_tokens_;
  // Members end in reverse order: reads first, then the writer, whose last act is to copy the log
  // back, for which no reader may be in the way.
  const std::unique_ptr<Writer> writer_;
  const std::unique_ptr<Reader> points_;
  const std::unique_ptr<Reader> scans_;
  const std::unique_ptr<Reader> watches_;  // what those read who watch, beside the feed
  const std::unique_ptr<ChangeFeed> feed_;
  const std::unique_ptr<TombstoneCompactor> tombstones_;
};

}  // namespace userservice::store
