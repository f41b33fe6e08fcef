#include "service/store/user_field.h"

#include <algorithm>
#include <array>
#include <utility>

namespace userservice::store {
namespace {

constexpr std::array<std::pair<UserField, std::string_view>, 6> kNames = {{
    {UserField::kUserId, "user_id"},
    {UserField::kName, "name"},
    {UserField::kEmail, "email"},
    {UserField::kAge, "age"},
    {UserField::kCreateTime, "create_time"},
    {UserField::kUpdateTime, "update_time"},
}};

}  // namespace

std::optional<UserField> UserFieldFromName(std::string_view name) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& entry) { return entry.second == name; });
  if (found == kNames.end()) return std::nullopt;
  return found->first;
}

std::string_view NameOf(UserField field) { return kNames[static_cast<size_t>(field)].second; }

}  // namespace userservice::store
