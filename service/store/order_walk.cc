#include "service/store/order_walk.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "service/sqlite/query_scope.h"
#include "service/store/field_sql.h"
#include "service/store/order_sql.h"
#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

bool IsAbsent(const SqlValue& value) { return std::holds_alternative<std::monostate>(value); }

std::optional<IndexRange> OneValueOf(const Filter& filter) {
  std::optional<IndexRange> best = BestRange(filter, UserField::kUserId);
  if (best.has_value() && !best->range.is_one_value()) best.reset();
  return best;
}

}  // namespace

absl::StatusOr<bool> HasMoreThan(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                                 UserField field, const SqlCondition& where, size_t rows_max) {
  const std::string sql = absl::StrCat("SELECT 1 FROM users", IndexedBySql(field), " WHERE ",
                                       where.sql, " LIMIT 1 OFFSET ?");
  sqlite::QueryScope row(connection, sql, limits);
  const int bound = BindAll(row, where.parameters);
  row.BindAt(bound + 1, static_cast<int64_t>(rows_max));
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  return *found;
}

OrderWalk::OrderWalk(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                     const PageQuery& query, size_t rows_max, PageScan& scan)
    : connection_(connection),
      limits_(limits),
      query_(query),
      keys_(query.order_by.keys()),
      rows_max_(rows_max),
      one_value_(OneValueOf(query.filter)),
      scan_(scan),
      chunk_rows_(std::min(rows_max, static_cast<size_t>(query.page_size) + 1)) {}

bool OrderWalk::IsInIndexOrder() const {
  const size_t keys_left = keys_.size() - level();
  return keys_left == 1 || (keys_left == 2 && keys_.back().descending == key().descending);
}

absl::StatusOr<bool> OrderWalk::IsLongRun(const SqlValue& value) const {
  const UserField field = key().field;
  return HasMoreThan(connection_, limits_, field, SameValueSql(field, value), rows_max_);
}

absl::Status OrderWalk::Run(const std::optional<std::vector<SqlValue>>& after) {
  absl::Status status = after.has_value() ? GoOnAfter(*after) : absl::OkStatus();
  while (status.ok() && !has_ended_ && !scan_.is_complete()) status = ReadOn();
  return status;
}

absl::Status OrderWalk::GoOnAfter(const std::vector<SqlValue>& values) {
  while (!IsInIndexOrder()) {
    const absl::StatusOr<bool> is_long = IsLongRun(values[level()]);
    if (!is_long.ok()) return is_long.status();
    if (!*is_long) break;
    fixed_.push_back(values[level()]);
  }
  from_ = FieldBound{values[level()], false};
  const auto rest = std::span(values).subspan(level() + 1);
  return rest.empty() ? absl::OkStatus() : ReadRun(values[level()], rest);
}

// The rows without a value stand before all others, in descending order behind them.
absl::Status OrderWalk::ReadOn() {
  const FieldRange range = RangeOf(query_.filter, key().field);
  const bool has_absent = MayBeAbsent(key().field) && !range.is_bounded();
  if (has_absent && !key().descending && !from_.has_value()) return EnterRun(SqlValue());
  const bool is_at_end = key().descending && from_.has_value() && IsAbsent(from_->value);
  if (!is_at_end) {
    const absl::StatusOr<bool> goes_on = ReadValues(range);
    if (!goes_on.ok() || *goes_on || scan_.is_complete()) return goes_on.status();
    if (has_absent && key().descending) return EnterRun(SqlValue());
  }
  LeaveLevel();
  return absl::OkStatus();
}

// Rows of the values that are left, or the first part of them: true if more may follow.
absl::StatusOr<bool> OrderWalk::ReadValues(FieldRange range) {
  if (from_.has_value() && !IsAbsent(from_->value)) {
    if (key().descending) {
      range.NarrowUpper(*from_);
    } else {
      range.NarrowLower(*from_);
    }
  }
  if (!IsInIndexOrder()) return ReadRuns(std::move(range));
  RowRange rows = RangeAtLevel(RangeSql(key().field, range));
  // One value is no order, and SQLite would sort by it: see ValueAt.
  const auto rest = keys_from(level() + 1);
  if (range.is_one_value() && !rest.empty()) rows.sorted_by = rest;
  absl::Status status = scan_.Read(rows);
  if (!status.ok()) return status;
  return false;
}

// Whole runs, as many as have chunk_rows_ rows together; or the first alone if it has more.
absl::StatusOr<bool> OrderWalk::ReadRuns(FieldRange range) {
  const absl::StatusOr<std::optional<SqlValue>> first = ValueAt(range, 0);
  if (!first.ok()) return first.status();
  if (!first->has_value()) return false;
  const absl::StatusOr<std::optional<SqlValue>> edge = ValueAt(range, chunk_rows_);
  if (!edge.ok()) return edge.status();
  if (*edge == *first) {
    absl::Status status = EnterRun(**first);
    if (!status.ok()) return status;
    return true;
  }
  if (edge->has_value()) {
    const FieldBound before_edge{**edge, false};
    if (key().descending) {
      range.NarrowLower(before_edge);
    } else {
      range.NarrowUpper(before_edge);
    }
    from_ = FieldBound{**edge, true};
  }
  absl::Status status = scan_.Read(RangeAtLevel(RangeSql(key().field, range)));
  if (!status.ok()) return status;
  chunk_rows_ = std::min(rows_max_, 2 * chunk_rows_);
  return edge->has_value();
}

absl::Status OrderWalk::EnterRun(const SqlValue& value) {
  if (!IsInIndexOrder()) {
    const absl::StatusOr<bool> is_long = IsLongRun(value);
    if (!is_long.ok()) return is_long.status();
    if (*is_long) {
      fixed_.push_back(value);
      from_.reset();
      return absl::OkStatus();
    }
  }
  from_ = FieldBound{value, false};
  return ReadRun(value, {});
}

// The rows of one value, those behind `after` by the remaining keys.
absl::Status OrderWalk::ReadRun(const SqlValue& value, std::span<const SqlValue> after) {
  RowRange run = RangeAtLevel(SameValueSql(key().field, value));
  run.sorted_by = keys_from(level() + 1);
  if (!after.empty()) run.where.And(AfterSql(run.sorted_by, after));
  return scan_.Read(run);
}

void OrderWalk::LeaveLevel() {
  if (fixed_.empty()) {
    has_ended_ = true;
    return;
  }
  from_ = FieldBound{std::move(fixed_.back()), false};
  fixed_.pop_back();
}

// Of one value an index holds the users by user_id: there is one for that where the filter or a
// longer run has a value fixed.
RowRange OrderWalk::RangeAtLevel(SqlCondition where) const {
  RowRange range;
  range.index = key().field;
  range.fixed = fixed_;
  range.sorted_by = keys_from(level());
  if (key().field == UserField::kUserId && one_value_.has_value()) {
    range.index = one_value_->field;
    range.where = RangeSql(one_value_->field, one_value_->range);
    range.where.And(std::move(where));
  } else if (key().field == UserField::kUserId && !fixed_.empty()) {
    range.index = keys_.front().field;
    range.where = SameValueSql(keys_.front().field, fixed_.front());
    range.where.And(std::move(where));
  } else {
    range.where = std::move(where);
  }
  return range;
}

absl::StatusOr<std::optional<SqlValue>> OrderWalk::ValueAt(const FieldRange& range,
                                                           size_t offset) const {
  const UserField field = key().field;
  const SqlCondition where = RangeSql(field, range);
  // SQLite would sort what has one value.
  const std::string order_by =
      range.is_one_value() ? "" : absl::StrCat(" ORDER BY ", OrderSql(keys_from(level()).first(1)));
  const std::string sql =
      absl::StrCat("SELECT ", ValueSql(field), " FROM users", IndexedBySql(field), " WHERE ",
                   where.sql, order_by, " LIMIT 1 OFFSET ?");
  sqlite::QueryScope row(connection_, sql, limits_);
  const int bound = BindAll(row, where.parameters);
  row.BindAt(bound + 1, static_cast<int64_t>(offset));
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  if (!*found) return std::optional<SqlValue>();
  return std::optional<SqlValue>(ReadValue(row, 0, field));
}

}  // namespace userservice::store
