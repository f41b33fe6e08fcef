// FieldRange: the values of one field that a filter leaves, as one interval.
//
//   FieldRange ages = RangeOf(*Filter::Parse("age > 20 AND age <= 30 AND name:\"ann\""),
//                             UserField::kAge);        // 20 < age <= 30
//   RangeSql(UserField::kAge, ages);                   // what an index on age looks up
//
// Every match of the filter lies inside; not all that lies inside matches. Only comparisons that
// each match has to fulfil count: the filter itself, or operands of its outermost AND.
// Threads: free functions without state.
#pragma once

#include <optional>

#include "service/store/filter.h"
#include "service/store/sql_condition.h"
#include "service/store/user_field.h"

namespace userservice::store {

struct FieldBound {
  SqlValue value;  // never null; e-mails in lower case, times as FormatStoredTime
  bool inclusive = false;
};

struct FieldRange {
  std::optional<FieldBound> lower;
  std::optional<FieldBound> upper;

  // Neither bound: the whole field, rows without a value included. With one, they are excluded.
  bool is_bounded() const { return lower.has_value() || upper.has_value(); }
  bool is_one_value() const;

  // The tighter of the bound there is and this one.
  void NarrowLower(FieldBound bound);
  void NarrowUpper(FieldBound bound);
};

FieldRange RangeOf(const Filter& filter, UserField field);

// True for the rows whose value lies in the range; without bounds, for all that have a value.
SqlCondition RangeSql(UserField field, const FieldRange& range);

}  // namespace userservice::store
