#include "service/store/page_scan.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "service/store/encoded_users.h"
#include "service/store/field_sql.h"
#include "service/store/filter_sql.h"
#include "service/store/order_sql.h"
#include "service/store/storage_error.h"
#include "service/store/user_row.h"

namespace userservice::store {
namespace {

// Another program may have stored texts of any length. A page ends once it has come to so much, far
// below the 4 MiB that a gRPC client receives; only its last user goes past it.
constexpr size_t kPageBytesMax = size_t{1} << 20;

constexpr int kVisitedUserId = 0;
constexpr int kMatchColumn = kUserColumnCount;
constexpr int kFirstKeyColumn = kMatchColumn + 1;

}  // namespace

SqlValue ReadValue(const sqlite::QueryScope& row, int column, UserField field) {
  if (row.IsNull(column)) return {};
  if (field == UserField::kUserId || field == UserField::kAge) return row.Int64(column);
  if (field == UserField::kEmail) return absl::AsciiStrToLower(std::string(row.Text(column)));
  return std::string(row.Text(column));
}

PageScan::PageScan(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                   const PageQuery& query, size_t rows_max)
    : connection_(connection),
      limits_(limits),
      query_(query),
      filter_(FilterSql(query.filter)),
      rows_max_(rows_max) {}

bool PageScan::has_its_users() const {
  return page_.users.count == static_cast<size_t>(query_.page_size) ||
         page_.users.bytes.size() >= kPageBytesMax;
}

std::optional<std::vector<SqlValue>> PageScan::Extend(size_t rows_max) {
  if (!is_complete_ || has_its_users() || rows_examined_ >= rows_max) return std::nullopt;
  rows_max_ = rows_max;
  is_complete_ = false;
  return std::exchange(page_.next, std::nullopt)->keys;
}

// One more than the page can take shows whether the list goes on. Where SQL sorts, it keeps no more
// than it is asked for.
size_t PageScan::RowsToAskFor(bool takes_all) const {
  if (last_.has_value()) return 1;
  const size_t rows = rows_max_ - rows_examined_;
  const size_t users = static_cast<size_t>(query_.page_size) - page_.users.count;
  return (takes_all ? std::min(users, rows) : rows) + 1;
}

std::string PageScan::SelectSql(const RowRange& range, const SqlCondition& is_match) const {
  std::string sql = absl::StrCat("SELECT ", kUserColumns, ", ", is_match.sql);
  const std::vector<OrderBy::Key>& keys = query_.order_by.keys();
  for (size_t i = range.fixed.size(); i < keys.size(); ++i)
    absl::StrAppend(&sql, ", ", ValueSql(keys[i].field));
  absl::StrAppend(&sql, " FROM users", IndexedBySql(range.index), " WHERE ", range.where.sql,
                  " ORDER BY ");
  // By the columns' numbers: times are long expressions, and a longer text may not be kept.
  const size_t before_first = kFirstKeyColumn - range.fixed.size();
  for (size_t i = keys.size() - range.sorted_by.size(); i < keys.size(); ++i) {
    if (sql.back() != ' ') sql += ", ";
    absl::StrAppend(&sql, before_first + i + 1, keys[i].descending ? " DESC" : "");
  }
  sql += " LIMIT ?";
  return sql;
}

PageCursor PageScan::CursorAt(const sqlite::QueryScope& row,
                              std::span<const SqlValue> fixed) const {
  PageCursor cursor(std::vector<SqlValue>(fixed.begin(), fixed.end()));
  const std::vector<OrderBy::Key>& keys = query_.order_by.keys();
  for (int column = kFirstKeyColumn; cursor.keys.size() < keys.size(); ++column)
    cursor.keys.push_back(ReadValue(row, column, keys[cursor.keys.size()].field));
  return cursor;
}

template <class Row, class Cursor>
bool PageScan::Take(const Row& row, const Cursor& cursor) {
  if (last_.has_value()) {
    page_.next = std::exchange(last_, std::nullopt);
    is_complete_ = true;
    return true;
  }
  ++rows_examined_;
  if (row.Int64(kMatchColumn) != 0) AppendUser(UserRow(row), page_.users);
  if (has_its_users() || rows_examined_ >= rows_max_) last_ = cursor(row);
  return false;
}

absl::Status PageScan::ReadByUserId(const RowRange& range) {
  const bool descending = query_.order_by.keys().front().descending;
  sqlite::QueryScope rows(
      connection_,
      absl::StrCat("SELECT 1 FROM users", IndexedBySql(UserField::kUserId), " WHERE ",
                   range.where.sql, " AND visit_row(", kUserColumns, ", ", filter_.sql,
                   ") ORDER BY user_id", descending ? " DESC" : ""),
      limits_);
  const int bound = BindAll(rows, range.where.parameters);
  BindAll(rows, filter_.parameters, bound);
  const auto cursor = [](const sqlite::RowValues& row) {
    return PageCursor({row.Int64(kVisitedUserId)});
  };
  const absl::StatusOr<bool> visited =
      rows.Visit([&](const sqlite::RowValues& row) { return Take(row, cursor); });
  return visited.ok() ? absl::OkStatus() : StorageError(visited.status());
}

absl::Status PageScan::Read(const RowRange& range) {
  if (range.index == UserField::kUserId && query_.order_by.keys().size() == 1)
    return ReadByUserId(range);
  SqlCondition is_match = filter_;
  for (size_t i = 0; i < range.fixed.size(); ++i)
    is_match.And(SameValueSql(query_.order_by.keys()[i].field, range.fixed[i]));
  const bool takes_all = query_.filter.root() == nullptr && range.fixed.empty();
  sqlite::QueryScope row(connection_, SelectSql(range, is_match), limits_);
  int bound = BindAll(row, is_match.parameters);
  bound = BindAll(row, range.where.parameters, bound);
  row.BindAt(bound + 1, static_cast<int64_t>(RowsToAskFor(takes_all)));
  const auto cursor = [&](const sqlite::QueryScope& last) { return CursorAt(last, range.fixed); };
  while (true) {
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found || Take(row, cursor)) return absl::OkStatus();
  }
}

}  // namespace userservice::store
