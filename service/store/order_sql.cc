#include "service/store/order_sql.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/errors/errors.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

// What the key is ordered and compared by. An explicit collation of the left side decides the
// comparison.
std::string KeySql(UserField field) {
  switch (field) {
    case UserField::kUserId:
      return "user_id";
    case UserField::kName:
      return "CAST(name AS TEXT)";  // a BLOB would stand after every text, its own cursor included
    case UserField::kEmail:
      return "email COLLATE NOCASE";
    case UserField::kAge:
      return "age";
    case UserField::kCreateTime:
      return StoredTimeSql("created_at");
    case UserField::kUpdateTime:
      return StoredTimeSql("updated_at");
  }
  return "NULL";
}

bool MayBeNull(UserField field) {
  return field == UserField::kAge || field == UserField::kCreateTime ||
         field == UserField::kUpdateTime;
}

// The cursor's value as KeySql's expression gives it for the same row, or nothing if it cannot be a
// value of the field.
std::optional<SqlValue> Comparable(UserField field, const SqlValue& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    if (!MayBeNull(field)) return std::nullopt;
    return value;
  }
  if (std::holds_alternative<double>(value)) {
    if (field != UserField::kAge) return std::nullopt;
    return value;
  }
  const bool is_integer = std::holds_alternative<int64_t>(value);
  if (is_integer != (field == UserField::kUserId || field == UserField::kAge)) return std::nullopt;
  if (field != UserField::kCreateTime && field != UserField::kUpdateTime) return value;
  const std::optional<absl::Time> time = ParseStoredTime(std::get<std::string>(value));
  if (!time.has_value()) return SqlValue();
  return SqlValue(FormatStoredTime(*time));
}

// One key of the cursor as SQL.
class KeyCondition {
 public:
  KeyCondition(OrderBy::Key key, SqlValue value)
      : sql_(KeySql(key.field)),
        descending_(key.descending),
        nullable_(MayBeNull(key.field)),
        value_(std::move(value)) {}

  // The row stands after the cursor by this key.
  void AppendAfter(SqlCondition& out) const {
    if (is_null()) {
      out.sql += descending_ ? "FALSE" : sql_ + " IS NOT NULL";
    } else if (descending_ && nullable_) {
      absl::StrAppend(&out.sql, "(", sql_, " < ? OR ", sql_, " IS NULL)");
      out.parameters.push_back(value_);
    } else {
      absl::StrAppend(&out.sql, sql_, descending_ ? " < ?" : " > ?");
      out.parameters.push_back(value_);
    }
  }

  void AppendSame(SqlCondition& out) const {
    absl::StrAppend(&out.sql, sql_, is_null() ? " IS NULL" : " = ?");
    if (!is_null()) out.parameters.push_back(value_);
  }

  // Where a range of an index can begin: "stands after or is the same" as one comparison. False if
  // there is none.
  bool AppendBound(SqlCondition& out) const {
    if (is_null() || (descending_ && nullable_)) return false;
    absl::StrAppend(&out.sql, sql_, descending_ ? " <= ?" : " >= ?");
    out.parameters.push_back(value_);
    return true;
  }

 private:
  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }

  std::string sql_;
  bool descending_;
  bool nullable_;
  SqlValue value_;
};

}  // namespace

std::string OrderSql(const OrderBy& order) {
  std::string sql;
  for (const OrderBy::Key& key : order.keys()) {
    absl::StrAppend(&sql, sql.empty() ? "" : ", ", KeySql(key.field),
                    key.descending ? " DESC" : "");
  }
  return sql;
}

absl::StatusOr<SqlCondition> AfterCursorSql(const OrderBy& order, const PageCursor& cursor) {
  const std::vector<OrderBy::Key>& keys = order.keys();
  if (cursor.keys.size() != keys.size()) return errors::PageTokenInvalid("page_token");
  std::vector<KeyCondition> conditions;
  for (size_t i = 0; i < keys.size(); ++i) {
    std::optional<SqlValue> value = Comparable(keys[i].field, cursor.keys[i]);
    if (!value.has_value()) return errors::PageTokenInvalid("page_token");
    conditions.emplace_back(keys[i], *std::move(value));
  }
  // bound(a) AND (after(a) OR same(a) AND (after(b) OR same(b) AND after(c)))
  SqlCondition out;
  if (conditions.size() > 1 && conditions.front().AppendBound(out)) out.sql += " AND ";
  for (size_t i = 0; i + 1 < conditions.size(); ++i) {
    out.sql += "(";
    conditions[i].AppendAfter(out);
    out.sql += " OR ";
    conditions[i].AppendSame(out);
    out.sql += " AND ";
  }
  conditions.back().AppendAfter(out);
  out.sql.append(conditions.size() - 1, ')');
  return out;
}

}  // namespace userservice::store
