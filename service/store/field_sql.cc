#include "service/store/field_sql.h"

#include <cstdint>
#include <limits>
#include <variant>

#include "absl/strings/str_cat.h"
#include "service/errors/text.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

using errors::AbslView;

std::string MakeValueSql(UserField field) {
  switch (field) {
    case UserField::kUserId:
      return "user_id";
    case UserField::kName:
      // A cast keeps its column's collation, which another program may have chosen.
      return "CAST(name AS TEXT) COLLATE BINARY";
    case UserField::kEmail:
      return "CAST(email AS TEXT) COLLATE NOCASE";
    case UserField::kAge:
      return "CASE WHEN typeof(age) = 'integer' AND age BETWEEN -2147483648 AND 2147483647"
             " THEN age END";
    case UserField::kCreateTime:
      return StoredTimeSql("created_at");
    case UserField::kUpdateTime:
      return StoredTimeSql("updated_at");
  }
  return "NULL";
}

}  // namespace

const std::string& ValueSql(UserField field) {
  static const auto* const texts = [] {
    auto* const all = new std::array<std::string, kIndexedFields.size() + 1>;
    (*all)[static_cast<size_t>(UserField::kUserId)] = MakeValueSql(UserField::kUserId);
    for (const UserField each : kIndexedFields)
      (*all)[static_cast<size_t>(each)] = MakeValueSql(each);
    return all;
  }();
  return (*texts)[static_cast<size_t>(field)];
}

std::string IndexName(UserField field) {
  return absl::StrCat("users_by_", AbslView(NameOf(field)));
}

std::string CreateIndexSql(UserField field) {
  const bool is_unique = field == UserField::kEmail;
  return absl::StrCat("CREATE ", is_unique ? "UNIQUE " : "", "INDEX ", IndexName(field),
                      " ON users(", ValueSql(field), ")");
}

std::string IndexedBySql(UserField field) {
  if (field == UserField::kUserId) return " NOT INDEXED";  // but by its key
  return absl::StrCat(" INDEXED BY ", IndexName(field));
}

bool MayBeAbsent(UserField field) {
  return field == UserField::kAge || field == UserField::kCreateTime ||
         field == UserField::kUpdateTime;
}

SqlValue LowestValue(UserField field) {
  if (field == UserField::kUserId || field == UserField::kAge)
    return std::numeric_limits<int64_t>::min();
  return std::string();
}

SqlCondition SameValueSql(UserField field, const SqlValue& value) {
  if (std::holds_alternative<std::monostate>(value))
    return SqlCondition{absl::StrCat(ValueSql(field), " IS NULL"), {}};
  return SqlCondition{absl::StrCat(ValueSql(field), " = ?"), {value}};
}

}  // namespace userservice::store
