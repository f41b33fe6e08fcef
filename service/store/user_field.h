// The fields of a user that filters and orders may name.
#pragma once

#include <optional>
#include <string_view>

namespace userservice::store {

enum class UserField { kUserId, kName, kEmail, kAge, kCreateTime, kUpdateTime };

// "age" -> kAge; nothing for a name that is none of them.
std::optional<UserField> UserFieldFromName(std::string_view name);
std::string_view NameOf(UserField field);

// For error messages.
inline constexpr std::string_view kUserFieldList =
    "user_id, name, email, age, create_time, update_time";

}  // namespace userservice::store
