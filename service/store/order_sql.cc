#include "service/store/order_sql.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/errors/errors.h"
#include "service/store/field_sql.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

// The cursor's value as ValueSql gives it for the same row, or nothing if it can not be a value of
// the field.
std::optional<SqlValue> Comparable(UserField field, const SqlValue& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    if (!MayBeAbsent(field)) return std::nullopt;
    return value;
  }
  const bool is_integer = std::holds_alternative<int64_t>(value);
  if (is_integer != (field == UserField::kUserId || field == UserField::kAge)) return std::nullopt;
  if (field == UserField::kEmail)
    return SqlValue(absl::AsciiStrToLower(std::get<std::string>(value)));
  if (field != UserField::kCreateTime && field != UserField::kUpdateTime) return value;
  const std::optional<absl::Time> time = ParseStoredTime(std::get<std::string>(value));
  if (!time.has_value()) return SqlValue();
  return SqlValue(FormatStoredTime(*time));
}

// The row stands after the value by this key.
SqlCondition AfterKeySql(const OrderBy::Key& key, const SqlValue& value) {
  const std::string& sql = ValueSql(key.field);
  if (std::holds_alternative<std::monostate>(value))
    return SqlCondition{key.descending ? "FALSE" : absl::StrCat(sql, " IS NOT NULL"), {}};
  if (key.descending && MayBeAbsent(key.field))
    return SqlCondition{absl::StrCat("(", sql, " < ? OR ", sql, " IS NULL)"), {value}};
  return SqlCondition{absl::StrCat(sql, key.descending ? " < ?" : " > ?"), {value}};
}

}  // namespace

std::string OrderSql(std::span<const OrderBy::Key> keys) {
  std::string sql;
  for (const OrderBy::Key& key : keys) {
    absl::StrAppend(&sql, sql.empty() ? "" : ", ", ValueSql(key.field),
                    key.descending ? " DESC" : "");
  }
  return sql;
}

absl::StatusOr<std::vector<SqlValue>> CursorValues(const OrderBy& order, const PageCursor& cursor) {
  const std::vector<OrderBy::Key>& keys = order.keys();
  if (cursor.keys.size() != keys.size()) return errors::PageTokenInvalid("page_token");
  std::vector<SqlValue> values;
  values.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    std::optional<SqlValue> value = Comparable(keys[i].field, cursor.keys[i]);
    if (!value.has_value()) return errors::PageTokenInvalid("page_token");
    values.push_back(*std::move(value));
  }
  return values;
}

// after(a) OR same(a) AND (after(b) OR same(b) AND after(c))
SqlCondition AfterSql(std::span<const OrderBy::Key> keys, std::span<const SqlValue> values) {
  SqlCondition out = AfterKeySql(keys.front(), values.front());
  if (keys.size() == 1) return out;
  out.sql = absl::StrCat("(", out.sql, " OR ");
  SqlCondition same = SameValueSql(keys.front().field, values.front());
  same.And(AfterSql(keys.subspan(1), values.subspan(1)));
  out.Append(std::move(same));
  out.sql += ")";
  return out;
}

}  // namespace userservice::store
