#include "service/store/field_range.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/store/field_sql.h"
#include "service/store/filter_node.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

void NarrowBy(FieldRange& range, FilterOperator op, const SqlValue& value) {
  switch (op) {
    case FilterOperator::kEqual:
      range.NarrowLower({value, true});
      range.NarrowUpper({value, true});
      return;
    case FilterOperator::kLess:
    case FilterOperator::kLessOrEqual:
      return range.NarrowUpper({value, op == FilterOperator::kLessOrEqual});
    case FilterOperator::kGreater:
    case FilterOperator::kGreaterOrEqual:
      return range.NarrowLower({value, op == FilterOperator::kGreaterOrEqual});
    case FilterOperator::kNotEqual:
    case FilterOperator::kHas:
      return;
  }
}

void Narrow(FieldRange& range, const FilterComparison& comparison, const AnyValue& /*value*/) {
  if (MayBeAbsent(comparison.field)) range.NarrowLower({LowestValue(comparison.field), true});
}

void Narrow(FieldRange& range, const FilterComparison& comparison, int64_t value) {
  NarrowBy(range, comparison.op, value);
}

void Narrow(FieldRange& range, const FilterComparison& comparison, const std::string& value) {
  NarrowBy(range, comparison.op, value);
}

// Stored times end at microseconds: one in between is after the earlier, and is none itself.
void Narrow(FieldRange& range, const FilterComparison& comparison, absl::Time value) {
  const absl::Time micros = absl::FromUnixMicros(absl::ToUnixMicros(value));
  const std::string text = FormatStoredTime(micros);
  if (micros == value) return NarrowBy(range, comparison.op, text);
  switch (comparison.op) {
    case FilterOperator::kEqual:  // an empty range
      range.NarrowLower({text, false});
      range.NarrowUpper({text, true});
      return;
    case FilterOperator::kLess:
      return NarrowBy(range, FilterOperator::kLessOrEqual, text);
    case FilterOperator::kGreaterOrEqual:
      return NarrowBy(range, FilterOperator::kGreater, text);
    default:
      return NarrowBy(range, comparison.op, text);
  }
}

// "ann*" lies between "ann" and "ano", and "*nn" anywhere.
void Narrow(FieldRange& range, const FilterComparison& comparison, const TextPattern& value) {
  if (comparison.op != FilterOperator::kEqual) return;
  std::string prefix = value.pieces.front();
  if (prefix.empty()) return;
  range.NarrowLower({prefix, true});
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (prefix.empty()) return;
  ++prefix.back();
  if (comparison.field == UserField::kEmail) absl::AsciiStrToLower(&prefix);  // '@' became 'A'
  range.NarrowUpper({std::move(prefix), false});
}

void NarrowByNode(FieldRange& range, const FilterNode& node, UserField field) {
  if (const auto* const all = std::get_if<FilterNode::And>(&node.node)) {
    for (const FilterNode& each : all->nodes) NarrowByNode(range, each, field);
    return;
  }
  const auto* const comparison = std::get_if<FilterComparison>(&node.node);
  if (comparison == nullptr || comparison->field != field) return;
  std::visit([&](const auto& value) { Narrow(range, *comparison, value); }, comparison->value);
}

}  // namespace

bool FieldRange::is_one_value() const {
  return lower.has_value() && upper.has_value() && lower->inclusive && upper->inclusive &&
         lower->value == upper->value;
}

// SqlValue's own order is SQLite's: integers by value, text byte by byte.
void FieldRange::NarrowLower(FieldBound bound) {
  const bool tighter = !lower.has_value() || lower->value < bound.value ||
                       (lower->value == bound.value && !bound.inclusive);
  if (tighter) lower = std::move(bound);
}

void FieldRange::NarrowUpper(FieldBound bound) {
  const bool tighter = !upper.has_value() || bound.value < upper->value ||
                       (upper->value == bound.value && !bound.inclusive);
  if (tighter) upper = std::move(bound);
}

FieldRange RangeOf(const Filter& filter, UserField field) {
  FieldRange range;
  if (filter.root() != nullptr) NarrowByNode(range, *filter.root(), field);
  return range;
}

SqlCondition RangeSql(UserField field, const FieldRange& range) {
  if (range.is_one_value()) return SameValueSql(field, range.lower->value);
  const std::string& value = ValueSql(field);
  const FieldBound lower = range.lower.value_or(FieldBound{LowestValue(field), true});
  SqlCondition where{absl::StrCat(value, lower.inclusive ? " >= ?" : " > ?"), {lower.value}};
  if (range.upper.has_value()) {
    where.And(SqlCondition{absl::StrCat(value, range.upper->inclusive ? " <= ?" : " < ?"),
                           {range.upper->value}});
  }
  return where;
}

}  // namespace userservice::store
