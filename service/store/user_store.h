// UserStore: users as a domain, whatever keeps them. SQLite is the engine that stands behind it
// today.
//
//   absl::StatusOr<EncodedUser> user = co_await store.GetUser(context, 42);
//
// Users are the contract's own messages, complete with times and etag; where they are read, those
// messages encoded. Values that arrive here were checked by the handlers; what only the table knows
// (uniqueness, etags, request ids) is checked here.
// Errors: from the catalogue (service/errors).
// Cancellation: by the awaiting task's stop token, which the caller also fires at the deadline. A
//   statement that runs stops within 50 ms of it, and of the context's deadline.
// Threads: any; a coroutine resumes on the executor that it called from.
// Lifetime: the store outlives every task it gave out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "service/store/filter.h"
#include "service/store/order_by.h"
#include "service/store/page_token.h"
#include "users/v1/user.pb.h"

namespace userservice::store {

// Where a call's time went; filled in by the store, told to the client that asks for it.
struct CallTiming {
  absl::Duration queue_wait;  // between being asked and the first statement
  absl::Duration sql;         // in statements, commit included
};

// What a store operation is told of the call behind it.
struct CallContext {
  CallContext() = default;
  CallContext(absl::Time call_deadline, CallTiming* call_timing)
      : deadline(call_deadline), timing(call_timing) {}

  absl::Time deadline = absl::InfiniteFuture();
  CallTiming* timing = nullptr;  // may be null; outlives the operation
  int64_t min_revision = 0;      // reads: the oldest state that may answer
};

// Which page of which users. The cursor says after which row to go on.
struct PageQuery {
  PageQuery() = default;
  Filter filter;
  OrderBy order_by;
  std::optional<PageCursor> after;
  int32_t page_size = 50;
};

// A user, serialized.
struct EncodedUser {
  std::string bytes;
};

// Users as the responses carry them: their field `repeated User users`, serialized. Serialized
// messages concatenate, so that a response is these bytes and its other fields, serialized.
struct EncodedUsers {
  static constexpr int kField = 1;

  std::string bytes;
  size_t count = 0;
  int64_t last_user_id = 0;  // if there are users
};

struct UserPage {
  EncodedUsers users;
  std::optional<PageCursor> next;  // nothing: the list has ended
  int64_t revision = 0;            // of the snapshot
};

struct UserCount {
  int64_t count = 0;
  int64_t revision = 0;
};

// What every write carries. The fingerprint is of the whole request without its request_id.
struct WriteOptions {
  WriteOptions() = default;
  std::string request_id;  // "" or a UUID in lower case
  std::string fingerprint;
  bool validate_only = false;
};

// The fields to write: those whose flag is set take the value from `values`.
struct UserUpdate {
  UserUpdate() = default;
  users::v1::User values;  // user_id says whose; etag, if set, must match
  bool set_name = false;
  bool set_email = false;
  bool set_age = false;
};

// Whom to delete.
struct UserRemoval {
  UserRemoval() = default;
  UserRemoval(int64_t removed_user_id, std::string expected_etag, bool may_be_missing)
      : user_id(removed_user_id), etag(std::move(expected_etag)), allow_missing(may_be_missing) {}

  int64_t user_id = 0;
  std::string etag;  // "" matches any
  bool allow_missing = false;
};

// What became of users that were stored as far as they could be.
struct UserImport {
  UserImport() = default;
  std::vector<int> taken;  // those whose e-mail address another user has, by index
  int64_t revision = 0;    // 0: none was stored
};

// A WatchUsersResponse, serialized; several streams may share one.
using EncodedChanges = std::shared_ptr<const std::string>;

// The changes of the table for one who watches. Ends with the object, which no Next() outlives.
class ChangeStream {
 public:
  ChangeStream() = default;
  ChangeStream(const ChangeStream&) = delete;
  ChangeStream& operator=(const ChangeStream&) = delete;
  virtual ~ChangeStream() = default;

  // The next message: changes, or from time to time a sign of progress. Waits for it, and holds
  // nothing meanwhile; nor does the stream between two calls. REVISION_COMPACTED; DEADLINE_EXPIRED
  // and CALL_CANCELLED by the context of the stream and the task's stop token.
  virtual Task<absl::StatusOr<EncodedChanges>> Next() = 0;
};

class UserStore {
 public:
  UserStore() = default;
  UserStore(const UserStore&) = delete;
  UserStore& operator=(const UserStore&) = delete;
  virtual ~UserStore() = default;

  // Reads. Each is answered from one snapshot, not older than the context's min_revision.
  virtual Task<absl::StatusOr<EncodedUser>> GetUser(CallContext context, int64_t user_id) = 0;
  // `email` in lower case.
  virtual Task<absl::StatusOr<EncodedUser>> LookupUser(CallContext context, std::string email) = 0;
  virtual Task<absl::StatusOr<EncodedUsers>> BatchGetUsers(CallContext context,
                                                           std::vector<int64_t> user_ids) = 0;
  // `query` must outlive the task.
  virtual Task<absl::StatusOr<UserPage>> ListUsers(CallContext context, const PageQuery& query) = 0;
  // `filter` must outlive the task.
  virtual Task<absl::StatusOr<UserCount>> CountUsers(CallContext context, const Filter& filter) = 0;

  // Watches from what follows a revision on, or from now on; 0: from every user there is.
  // REVISION_IN_FUTURE. A change of users who do not match is told of as their removal.
  virtual Task<absl::StatusOr<std::unique_ptr<ChangeStream>>> WatchUsers(
      CallContext context, Filter filter, std::optional<int64_t> after_revision) = 0;

  // Writes. Each does all that it is given or nothing of it, in order, under one revision.
  // Acknowledged when durable. The arguments must outlive the task.
  virtual Task<absl::StatusOr<std::vector<users::v1::User>>> CreateUsers(
      CallContext context, const std::vector<users::v1::User>& users,
      const WriteOptions& options) = 0;
  virtual Task<absl::StatusOr<std::vector<users::v1::User>>> UpdateUsers(
      CallContext context, const std::vector<UserUpdate>& updates, const WriteOptions& options) = 0;
  virtual Task<absl::Status> DeleteUsers(CallContext context,
                                         const std::vector<UserRemoval>& removals,
                                         const WriteOptions& options) = 0;

  // Stores those whose e-mail address is free, under one revision. A repeat of the request_id gives
  // the first outcome.
  virtual Task<absl::StatusOr<UserImport>> ImportUsers(CallContext context,
                                                       const std::vector<users::v1::User>& users,
                                                       const WriteOptions& options) = 0;

  // Seals and opens page tokens with the key that the database keeps.
  virtual const PageTokenCodec& page_tokens() const = 0;

  // What is open right now, for tests and for the log at shutdown. All zero when nothing is asked
  // of the store.
  struct OpenResources {
    size_t leases = 0;      // read connections lent out
    size_t statements = 0;  // statements that are neither reset nor finalized
    size_t writes = 0;      // writes queued or running
    size_t watches = 0;     // streams of changes
  };
  virtual OpenResources open_resources() const = 0;
};

}  // namespace userservice::store
