#include "service/store/change_scan.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/transaction.h"
#include "service/store/filter_sql.h"
#include "service/store/schema.h"
#include "service/store/sql_condition.h"
#include "service/store/storage_error.h"
#include "service/store/user_row.h"

namespace userservice::store {
namespace {

using users::v1::WatchUsersResponse;

constexpr char kSelectCompacted[] =
    "SELECT CAST(value AS INTEGER) FROM service_state WHERE key = ?";

// The columns of kUserColumns that every row has, and what follows them.
constexpr int kUserIdColumn = 0;
constexpr int kRevisionColumn = kUserColumnCount - 1;
constexpr int kMatchesColumn = kUserColumnCount;

// Two walks along two indexes, merged as they go: nothing is sorted, and a page costs what it
// holds.
std::string NumberedSql(const SqlCondition& matches) {
  return absl::StrCat("SELECT ", kUserColumns, ", ", matches.sql,
                      " FROM users WHERE revision > ? AND revision <= ?"
                      " UNION ALL "
                      "SELECT user_id, NULL, NULL, NULL, NULL, NULL, revision, FALSE"
                      " FROM tombstones WHERE revision > ? AND revision <= ?"
                      " ORDER BY ",
                      kRevisionColumn + 1, ", ", kUserIdColumn + 1);
}

std::string UnnumberedSql(const SqlCondition& matches) {
  return absl::StrCat("SELECT ", kUserColumns, ", ", matches.sql,
                      " FROM users WHERE revision = 0 AND user_id > ? ORDER BY user_id");
}

// The newest revision that holds no news for a reader at `position` but changes of users who match.
int64_t KnownRevision(const ChangePosition& position) {
  return std::max(position.revision, position.begun_at);
}

void AddChange(const sqlite::QueryScope& row, const ChangePosition& position,
               WatchUsersResponse& message) {
  const int64_t revision = row.Int64(kRevisionColumn);
  if (row.Int64(kMatchesColumn) != 0) {
    WatchUsersResponse::Change* const change = message.add_changes();
    change->set_revision(revision);
    ReadUser(row, *change->mutable_user());
  } else if (revision > position.begun_at) {
    WatchUsersResponse::Change* const change = message.add_changes();
    change->set_revision(revision);
    change->set_removed_user_id(row.Int64(kUserIdColumn));
  }
}

// Every row of the statement up to the page's end. False: there are more.
absl::StatusOr<bool> ReadRows(sqlite::QueryScope& row, const ChangeQuery& query, ChangePage& page) {
  const ChangePosition begin = page.next;
  const bool is_unnumbered = begin.among_unnumbered.has_value();
  size_t bytes = 0;
  for (size_t rows = 0;; ++rows) {
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found) return true;
    const int64_t revision = row.Int64(kRevisionColumn);
    const bool may_end = rows > 0 && (is_unnumbered || revision != page.next.revision);
    if (may_end && (bytes >= query.page_bytes || rows >= query.page_rows)) return false;
    const int changes = page.message.changes_size();
    AddChange(row, begin, page.message);
    if (page.message.changes_size() > changes)
      bytes += page.message.changes(changes).ByteSizeLong();
    page.next.revision = revision;
    if (is_unnumbered) page.next.among_unnumbered = row.Int64(kUserIdColumn);
  }
}

}  // namespace

ChangePosition ChangePosition::AfterRevision(int64_t revision) {
  ChangePosition position;
  position.revision = revision;
  return position;
}

ChangePosition ChangePosition::BeforeAll(int64_t newest) {
  ChangePosition position;
  position.begun_at = newest;
  position.among_unnumbered = std::numeric_limits<int64_t>::min();
  return position;
}

absl::StatusOr<int64_t> ReadCompactedRevision(sqlite::Connection& connection,
                                              const sqlite::QueryLimits& limits) {
  sqlite::QueryScope row(connection, kSelectCompacted, limits);
  row.Bind(kCompactedRevisionState);
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  return *found ? row.Int64(0) : 0;
}

absl::StatusOr<ChangePage> ReadChanges(sqlite::Connection& connection,
                                       const sqlite::QueryLimits& limits,
                                       const ChangePosition& position, const ChangeQuery& query) {
  const absl::StatusOr<sqlite::Transaction> snapshot =
      sqlite::Transaction::Begin(connection, sqlite::Transaction::Kind::kDeferred, limits);
  if (!snapshot.ok()) return StorageError(snapshot.status());
  const absl::StatusOr<int64_t> compacted = ReadCompactedRevision(connection, limits);
  if (!compacted.ok()) return compacted.status();
  if (*compacted > KnownRevision(position))
    return errors::RevisionCompacted(position.revision, *compacted);

  ChangePage page;
  page.next = position;
  const SqlCondition matches = FilterSql(query.filter);
  const bool is_unnumbered = position.among_unnumbered.has_value();
  sqlite::QueryScope row(connection, is_unnumbered ? UnnumberedSql(matches) : NumberedSql(matches),
                         limits);
  int bound = BindAll(row, matches.parameters, 0);
  if (is_unnumbered) {
    row.BindAt(++bound, *position.among_unnumbered);
  } else {
    row.BindAt(++bound, position.revision);
    row.BindAt(++bound, query.up_to_revision);
    row.BindAt(++bound, KnownRevision(position));
    row.BindAt(++bound, query.up_to_revision);
  }
  const absl::StatusOr<bool> is_last = ReadRows(row, query, page);
  if (!is_last.ok()) return is_last.status();
  if (*is_last && is_unnumbered) {
    page.next.among_unnumbered.reset();
  } else if (*is_last) {
    page.next.revision = std::max(position.revision, query.up_to_revision);
  }
  page.message.set_revision(page.next.revision);
  return page;
}

}  // namespace userservice::store
