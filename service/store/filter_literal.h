// MakeComparison: one comparison as it was written, checked and typed. Inside the filter parser;
// see filter.h.
#pragma once

#include "absl/status/statusor.h"
#include "service/store/filter_lexer.h"
#include "service/store/filter_node.h"

namespace userservice::store {

// Errors: FILTER_INVALID at the literal, if the field cannot be compared with it so.
absl::StatusOr<FilterComparison> MakeComparison(UserField field, const FilterToken& op,
                                                const FilterLiteral& literal);

}  // namespace userservice::store
