// ScanPlan: which index a scan reads, decided here: by the filter and the order alone, the same on
// every database, with or without ANALYZE. Statements pin it by INDEXED BY.
//
// A page walks the index of its order's first key. Beside that stands the one range, of another
// field, that the filter gives and that narrows best: equalities before ranges, and fields that
// tell users apart before those that many share. Comparisons under OR or NOT give none.
// Threads: free functions without state.
#pragma once

#include <optional>

#include "service/store/field_range.h"
#include "service/store/filter.h"
#include "service/store/user_field.h"

namespace userservice::store {

struct IndexRange {
  UserField field;
  FieldRange range;
};

// Nothing where the filter narrows no field, or `walked` already: that walk has its bounds then.
std::optional<IndexRange> BestRange(const Filter& filter,
                                    std::optional<UserField> walked = std::nullopt);

}  // namespace userservice::store
