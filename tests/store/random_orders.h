// Random orders, and sorting by them that shares nothing with the SQL.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "service/store/order_by.h"
#include "tests/store/random_rows.h"
#include "tests/store/users_table.h"

namespace userservice::store {

// -1, 0 or 1; absent values come first.
template <class T>
int Compare(const std::optional<T>& a, const std::optional<T>& b) {
  if (a.has_value() != b.has_value()) return a.has_value() ? 1 : -1;
  if (!a.has_value() || *a == *b) return 0;
  return *a < *b ? -1 : 1;
}

inline int CompareBy(UserField field, const Row& a, const Row& b) {
  const auto text = [](const std::string& value) { return std::optional<std::string>(value); };
  switch (field) {
    case UserField::kUserId:
      return Compare<int64_t>(a.user_id, b.user_id);
    case UserField::kName:
      return Compare(text(a.name), text(b.name));
    case UserField::kEmail:
      return Compare(text(AsciiLower(a.email)), text(AsciiLower(b.email)));
    case UserField::kAge:
      return Compare(a.age, b.age);
    case UserField::kCreateTime:
      return Compare(a.created.time, b.created.time);
    case UserField::kUpdateTime:
      return Compare(a.updated.time, b.updated.time);
  }
  return 0;
}

inline void SortNaively(std::vector<Row>& rows, const OrderBy& order) {
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (const OrderBy::Key& key : order.keys()) {
      const int compared = CompareBy(key.field, a, b);
      if (compared != 0) return key.descending ? compared > 0 : compared < 0;
    }
    return false;
  });
}

inline std::string RandomOrder(RandomRows& random) {
  std::string text;
  std::vector<std::string> fields = {"user_id", "name",        "email",
                                     "age",     "create_time", "update_time"};
  for (size_t n = random.Below(4); n > 0; --n) {
    const size_t i = random.Below(fields.size());
    text += (text.empty() ? "" : ",") + fields[i] + (random.OneIn(2) ? " desc" : "");
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return text;
}

}  // namespace userservice::store
