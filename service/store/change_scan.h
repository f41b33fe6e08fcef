// ReadChanges: one page of the changes of the table, in order of revision, as a message for those
// who watch.
//
//   ChangePosition position = ChangePosition::AfterRevision(41);
//   absl::StatusOr<ChangePage> page = ReadChanges(connection, limits, position, query);
//   position = page->next;
//
// The feed is the table itself: each user at its last change, and the tombstones of those who were
// deleted, by the indexes on their revisions. So a user comes once, at its newest change; and one
// that changes while a reader is on its way moves ahead of it, and is met there.
// A revision is never split: a page ends between two of them, and holds a whole one even if that
// alone is more than its limits. What a page can not hold together is only the rows of revision 0,
// which other programs have inserted: no revision made them, and none is resumed from.
// Errors: REVISION_COMPACTED if a tombstone that the reader needs is gone; others of the catalogue.
// Threads: the connection's. The limits stop it within 50 ms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_limits.h"
#include "service/store/filter.h"
#include "users/v1/user_service.pb.h"

namespace userservice::store {

// How far a reader of the changes has come.
struct ChangePosition {
  static ChangePosition AfterRevision(int64_t revision);
  // From every user there is. `newest` is the newest revision at this time.
  static ChangePosition BeforeAll(int64_t newest);

  bool operator==(const ChangePosition&) const = default;

  int64_t revision = 0;  // everything up to it was read
  // For who has begun with every user: the newest revision at that time. What was gone by then, or
  // did not match a filter, is no change to it.
  int64_t begun_at = 0;
  // Set while among the rows of revision 0: the last user that was read.
  std::optional<int64_t> among_unnumbered;
};

struct ChangeQuery {
  ChangeQuery() = default;

  Filter filter;                 // a changed user that does not match is told of as removed
  int64_t up_to_revision = 0;    // the last to be read
  size_t page_bytes = 64 << 10;  // a page ends once it has so much,
  size_t page_rows = 4096;       // or so many rows were looked at
};

struct ChangePage {
  users::v1::WatchUsersResponse message;  // without `synced`
  ChangePosition next;
};

// From one snapshot.
absl::StatusOr<ChangePage> ReadChanges(sqlite::Connection& connection,
                                       const sqlite::QueryLimits& limits,
                                       const ChangePosition& position, const ChangeQuery& query);

// The newest revision of a tombstone that was dropped; 0 if none was.
absl::StatusOr<int64_t> ReadCompactedRevision(sqlite::Connection& connection,
                                              const sqlite::QueryLimits& limits);

}  // namespace userservice::store
