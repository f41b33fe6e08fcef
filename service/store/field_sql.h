// How SQL sees the fields of a user: the expression that filters and orders compare by, and the
// index that holds it.
//
//   "SELECT ... FROM users INDEXED BY users_by_age WHERE " + ValueSql(UserField::kAge) + " > ?"
//
// The expression is the value as it is served, whatever another program stored: an age that is no
// 32-bit integer is absent, bytes are text, times are instants, e-mails compare without regard to
// case. It is made of SQLite's own deterministic functions alone, so every SQLite program can still
// write the table. SQLite takes an index on an expression for that very text only: index, filter
// and order all get theirs here.
// Threads: free functions without state.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "service/store/sql_condition.h"
#include "service/store/user_field.h"

namespace userservice::store {

// The fields that have an index; user_id is the table's own key.
inline constexpr std::array<UserField, 5> kIndexedFields = {UserField::kName, UserField::kEmail,
                                                            UserField::kAge, UserField::kCreateTime,
                                                            UserField::kUpdateTime};

const std::string& ValueSql(UserField field);

// "users_by_age"; of an indexed field.
std::string IndexName(UserField field);
// As sqlite_schema keeps it.
std::string CreateIndexSql(UserField field);
// What follows FROM users to walk the field's index and no other: " INDEXED BY users_by_age".
std::string IndexedBySql(UserField field);

bool MayBeAbsent(UserField field);
// No value of the field is below it. "Not absent" as a comparison, which can be looked up.
SqlValue LowestValue(UserField field);

// True for rows with this value, or for those without one.
SqlCondition SameValueSql(UserField field, const SqlValue& value);

}  // namespace userservice::store
