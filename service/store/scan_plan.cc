#include "service/store/scan_plan.h"

#include <array>

#include "service/store/field_sql.h"

namespace userservice::store {
namespace {

// The first two are unique.
constexpr std::array<UserField, 6> kBestFirst = {UserField::kUserId,     UserField::kEmail,
                                                 UserField::kName,       UserField::kCreateTime,
                                                 UserField::kUpdateTime, UserField::kAge};

bool IsUnique(UserField field) { return field == UserField::kUserId || field == UserField::kEmail; }

// Unlike `age:*`, which leaves out no value.
bool Narrows(const IndexRange& of) {
  return of.range.upper.has_value() ||
         (of.range.lower.has_value() && of.range.lower->value != LowestValue(of.field));
}

}  // namespace

std::optional<IndexRange> BestRange(const Filter& filter, std::optional<UserField> walked) {
  const bool walks_one_value = walked.has_value() && RangeOf(filter, *walked).is_one_value();
  std::optional<IndexRange> best;
  for (const UserField field : kBestFirst) {
    if (field == walked) continue;
    const IndexRange candidate{field, RangeOf(filter, field)};
    if (candidate.range.is_one_value() && (IsUnique(field) || !walks_one_value)) return candidate;
    if (!candidate.range.is_bounded()) continue;
    if (!best.has_value() || (!Narrows(*best) && Narrows(candidate))) best = candidate;
  }
  return walks_one_value ? std::nullopt : best;
}

}  // namespace userservice::store
