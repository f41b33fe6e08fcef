#include "service/store/user_scan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/transaction.h"
#include "service/store/field_sql.h"
#include "service/store/filter_sql.h"
#include "service/store/order_sql.h"
#include "service/store/order_walk.h"
#include "service/store/page_scan.h"
#include "service/store/scan_plan.h"
#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

// A tombstone that was dropped leaves its revision in compacted_revision.
constexpr char kSelectRevision[] =
    "SELECT max(coalesce((SELECT max(revision) FROM users), 0),"
    " coalesce((SELECT max(revision) FROM tombstones), 0),"
    " coalesce((SELECT CAST(value AS INTEGER) FROM service_state WHERE key = "
    "'compacted_revision'), 0))";

// A range that the filter gives another field than the order walks is counted only where the walk
// has not filled the page within so many rows for each of its users, and half of those that it may
// examine: most often it has.
constexpr size_t kTrialRowsPerUser = 4;

// The page, by the plan of scan_plan.h: in the order, unless the rows in the range of another field
// are so few that they can be sorted.
absl::StatusOr<UserPage> ReadRows(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                                  const PageQuery& query,
                                  std::optional<std::vector<SqlValue>> after, size_t rows_max) {
  const std::vector<OrderBy::Key>& keys = query.order_by.keys();
  std::optional<IndexRange> best = BestRange(query.filter, keys.front().field);
  // Of a single value the walk by user_id reads the index by itself.
  if (best.has_value() && best->range.is_one_value() && keys.size() == 1) best.reset();
  const bool tries_the_order = best.has_value() && !best->range.is_one_value();
  const size_t trial_rows = std::clamp(kTrialRowsPerUser * static_cast<size_t>(query.page_size),
                                       size_t{1}, std::max(rows_max / 2, size_t{1}));
  PageScan scan(connection, limits, query, tries_the_order ? trial_rows : rows_max);
  size_t sorted_max = rows_max;
  if (tries_the_order) {
    OrderWalk walk(connection, limits, query, rows_max, scan);
    if (absl::Status status = walk.Run(after); !status.ok()) return status;
    after = scan.Extend(rows_max);
    if (!after.has_value()) return std::move(scan.page());
    // The range would be read and sorted whole for each page: not where the walk, at the rate at
    // which it has found users, fills the page sooner.
    if (const size_t found = scan.page().users.count; found > 0) {
      const size_t missing = static_cast<size_t>(query.page_size) - found;
      sorted_max = std::min(rows_max, trial_rows * missing / found);
    }
  }
  if (best.has_value()) {
    RowRange range;
    range.index = best->field;
    range.where = RangeSql(best->field, best->range);
    range.sorted_by = keys;
    const absl::StatusOr<bool> has_more =
        HasMoreThan(connection, limits, best->field, range.where, sorted_max);
    if (!has_more.ok()) return has_more.status();
    if (!*has_more) {
      if (after.has_value()) range.where.And(AfterSql(keys, *after));
      if (absl::Status status = scan.Read(range); !status.ok()) return status;
      return std::move(scan.page());
    }
  }
  OrderWalk walk(connection, limits, query, rows_max, scan);
  if (absl::Status status = walk.Run(after); !status.ok()) return status;
  return std::move(scan.page());
}

}  // namespace

absl::StatusOr<int64_t> ReadRevision(sqlite::Connection& connection,
                                     const sqlite::QueryLimits& limits) {
  sqlite::QueryScope row(connection, kSelectRevision, limits);
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  return row.Int64(0);
}

absl::StatusOr<UserPage> ReadPage(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                                  const PageQuery& query, size_t rows_examined_max) {
  std::optional<std::vector<SqlValue>> after;
  if (query.after.has_value()) {
    absl::StatusOr<std::vector<SqlValue>> values = CursorValues(query.order_by, *query.after);
    if (!values.ok()) return values.status();
    after = *std::move(values);
  }
  const absl::StatusOr<sqlite::Transaction> snapshot =
      sqlite::Transaction::BeginRead(connection, limits);
  if (!snapshot.ok()) return StorageError(snapshot.status());
  const absl::StatusOr<int64_t> revision = ReadRevision(connection, limits);
  if (!revision.ok()) return revision.status();
  absl::StatusOr<UserPage> page =
      ReadRows(connection, limits, query, std::move(after), std::max(rows_examined_max, size_t{1}));
  if (page.ok()) page->revision = *revision;
  return page;
}

absl::StatusOr<UserCount> ReadCount(sqlite::Connection& connection,
                                    const sqlite::QueryLimits& limits, const Filter& filter) {
  SqlCondition where = FilterSql(filter);
  const std::optional<IndexRange> best = BestRange(filter);
  if (best.has_value()) where.And(RangeSql(best->field, best->range));
  // Always with a WHERE: without one SQLite counts in one instruction, which nothing can stop.
  const std::string sql =
      absl::StrCat("SELECT count(*) FROM users", best.has_value() ? IndexedBySql(best->field) : "",
                   " WHERE ", where.sql);
  const absl::StatusOr<sqlite::Transaction> snapshot =
      sqlite::Transaction::Begin(connection, sqlite::Transaction::Kind::kDeferred, limits);
  if (!snapshot.ok()) return StorageError(snapshot.status());
  const absl::StatusOr<int64_t> revision = ReadRevision(connection, limits);
  if (!revision.ok()) return revision.status();

  sqlite::QueryScope row(connection, sql, limits);
  BindAll(row, where.parameters, 0);
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  UserCount count;
  count.count = row.Int64(0);
  count.revision = *revision;
  return count;
}

}  // namespace userservice::store
