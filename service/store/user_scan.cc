#include "service/store/user_scan.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/transaction.h"
#include "service/store/filter_node.h"
#include "service/store/filter_sql.h"
#include "service/store/order_sql.h"
#include "service/store/sql_condition.h"
#include "service/store/storage_error.h"
#include "service/store/user_row.h"

namespace userservice::store {
namespace {

// A tombstone that was dropped leaves its revision in compacted_revision.
constexpr char kSelectRevision[] =
    "SELECT max(coalesce((SELECT max(revision) FROM users), 0),"
    " coalesce((SELECT max(revision) FROM tombstones), 0),"
    " coalesce((SELECT CAST(value AS INTEGER) FROM service_state WHERE key = "
    "'compacted_revision'), 0))";

// Another program may have stored texts of any length. A page ends once it has come to so much, far
// below the 4 MiB that a gRPC client receives; only its last user goes past it.
constexpr size_t kPageBytesMax = size_t{1} << 20;

bool IsServedByIndex(const OrderBy& order) {
  const UserField first = order.keys().front().field;
  return first == UserField::kUserId || first == UserField::kEmail;
}

void AppendAnd(SqlCondition& where, SqlCondition more) {
  absl::StrAppend(&where.sql, " AND ", more.sql);
  for (SqlValue& value : more.parameters) where.parameters.push_back(std::move(value));
}

std::string_view RangeSql(FilterOperator op) {
  switch (op) {
    case FilterOperator::kEqual:
      return "user_id = ?";
    case FilterOperator::kLess:
      return "user_id < ?";
    case FilterOperator::kLessOrEqual:
      return "user_id <= ?";
    case FilterOperator::kGreater:
      return "user_id > ?";
    case FilterOperator::kGreaterOrEqual:
      return "user_id >= ?";
    case FilterOperator::kNotEqual:
    case FilterOperator::kHas:
      break;
  }
  return "";
}

// Narrows `where` by those comparisons that every match has to fulfil and that an index can look
// up, so that the rows outside are not even examined.
// Ranges of user_id narrow only what goes by user_id: any other order would then be sorted.
void AppendIndexed(const FilterNode& node, UserField first_key, SqlCondition& where) {
  if (const auto* const all = std::get_if<FilterNode::And>(&node.node)) {
    for (const FilterNode& each : all->nodes) AppendIndexed(each, first_key, where);
    return;
  }
  const auto* const comparison = std::get_if<FilterComparison>(&node.node);
  if (comparison == nullptr) return;
  const auto* const number = std::get_if<int64_t>(&comparison->value);
  const auto* const text = std::get_if<std::string>(&comparison->value);
  if (comparison->field == UserField::kUserId && number != nullptr) {
    const std::string_view range = RangeSql(comparison->op);
    const bool helps = first_key == UserField::kUserId || comparison->op == FilterOperator::kEqual;
    if (helps && !range.empty()) AppendAnd(where, SqlCondition{std::string(range), {*number}});
  } else if (comparison->field == UserField::kEmail && text != nullptr &&
             comparison->op == FilterOperator::kEqual) {
    AppendAnd(where, SqlCondition{"email = ? COLLATE NOCASE", {*text}});
  }
}

// The columns of kUserColumns again.
enum Column { kUserId, kName, kEmail, kAge, kCreatedAt, kUpdatedAt };

SqlValue TextOrNull(const sqlite::QueryScope& row, int column) {
  if (row.IsNull(column)) return {};
  return std::string(row.Text(column));
}

SqlValue KeyValue(const sqlite::QueryScope& row, UserField field) {
  switch (field) {
    case UserField::kUserId:
      return row.Int64(kUserId);
    case UserField::kName:
      return std::string(row.Text(kName));
    case UserField::kEmail:
      return std::string(row.Text(kEmail));
    case UserField::kAge:
      if (row.IsNull(kAge)) return {};
      if (!row.IsInteger(kAge)) return row.Double(kAge);
      return row.Int64(kAge);
    case UserField::kCreateTime:
      return TextOrNull(row, kCreatedAt);
    case UserField::kUpdateTime:
      return TextOrNull(row, kUpdatedAt);
  }
  return {};
}

PageCursor CursorAt(const sqlite::QueryScope& row, const OrderBy& order) {
  PageCursor cursor;
  cursor.keys.reserve(order.keys().size());
  for (const OrderBy::Key& key : order.keys()) cursor.keys.push_back(KeyValue(row, key.field));
  return cursor;
}

// What a page reads: rows in order, each with whether it matches.
struct Scan {
  std::string sql;
  std::vector<SqlValue> parameters;
  size_t rows_max = 0;  // to examine; one more is asked for, to see whether there is one
};

absl::StatusOr<Scan> PlanScan(const PageQuery& query, size_t rows_examined_max) {
  SqlCondition matches = FilterSql(query.filter);
  SqlCondition where{"TRUE", {}};
  Scan scan;
  scan.rows_max = std::max(rows_examined_max, size_t{1});
  if (!IsServedByIndex(query.order_by)) {
    AppendAnd(where, std::exchange(matches, SqlCondition{"TRUE", {}}));
    scan.rows_max = static_cast<size_t>(query.page_size);
  } else if (query.filter.root() != nullptr) {
    AppendIndexed(*query.filter.root(), query.order_by.keys().front().field, where);
  } else {
    scan.rows_max = std::min(scan.rows_max, static_cast<size_t>(query.page_size));
  }
  if (query.after.has_value()) {
    absl::StatusOr<SqlCondition> after = AfterCursorSql(query.order_by, *query.after);
    if (!after.ok()) return after.status();
    AppendAnd(where, *std::move(after));
  }
  scan.sql = absl::StrCat("SELECT ", kUserColumns, ", ", matches.sql, " FROM users WHERE ",
                          where.sql, " ORDER BY ", OrderSql(query.order_by), " LIMIT ?");
  scan.parameters = std::move(matches.parameters);
  for (SqlValue& value : where.parameters) scan.parameters.push_back(std::move(value));
  return scan;
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
  const absl::StatusOr<Scan> scan = PlanScan(query, rows_examined_max);
  if (!scan.ok()) return scan.status();
  const absl::StatusOr<sqlite::Transaction> snapshot =
      sqlite::Transaction::Begin(connection, sqlite::Transaction::Kind::kDeferred, limits);
  if (!snapshot.ok()) return StorageError(snapshot.status());
  const absl::StatusOr<int64_t> revision = ReadRevision(connection, limits);
  if (!revision.ok()) return revision.status();

  UserPage page;
  page.revision = *revision;
  const auto page_size = static_cast<size_t>(query.page_size);
  sqlite::QueryScope row(connection, scan->sql, limits);
  const int bound = BindAll(row, scan->parameters, 0);
  row.BindAt(bound + 1, static_cast<int64_t>(scan->rows_max) + 1);
  std::optional<PageCursor> last;
  size_t bytes = 0;
  for (size_t examined = 0;; ++examined) {
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found) return page;
    if (last.has_value()) {
      page.next = std::move(last);
      return page;
    }
    if (row.Int64(kUserColumnCount) != 0) {
      ReadUser(row, page.users.emplace_back());
      bytes += page.users.back().ByteSizeLong();
    }
    // The last row of this page; one look further tells whether the list goes on.
    if (page.users.size() == page_size || examined + 1 == scan->rows_max || bytes >= kPageBytesMax)
      last = CursorAt(row, query.order_by);
  }
}

absl::StatusOr<UserCount> ReadCount(sqlite::Connection& connection,
                                    const sqlite::QueryLimits& limits, const Filter& filter) {
  const SqlCondition where = FilterSql(filter);
  // Always with a WHERE: without one SQLite counts in one instruction, which nothing can stop.
  const std::string sql = absl::StrCat("SELECT count(*) FROM users WHERE ", where.sql);
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
