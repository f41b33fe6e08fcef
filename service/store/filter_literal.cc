#include "service/store/filter_literal.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"

namespace userservice::store {
namespace {

using errors::AbslView;

absl::Status Invalid(const FilterLiteral& literal, UserField field, std::string_view problem) {
  return errors::FilterInvalid(
      literal.column, absl::StrCat(AbslView(NameOf(field)), " ", AbslView(problem), ", not ",
                                   errors::Excerpt(literal.raw, errors::kWordBytesMax)));
}

bool IsInteger(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

absl::StatusOr<FilterValue> IntegerOf(UserField field, const FilterLiteral& literal) {
  if (literal.quoted || !IsInteger(literal.raw)) {
    return Invalid(literal, field, "is compared with an integer, such as 25");
  }
  int64_t value = 0;
  if (!absl::SimpleAtoi(AbslView(literal.raw), &value)) {
    return Invalid(literal, field, "is compared with an integer of at most 64 bits");
  }
  return FilterValue(value);
}

// RFC 3339's shape. absl::ParseTime checks the ranges, but takes more than this: spaces around,
// "infinite-future", long years.
bool IsRfc3339(std::string_view text) {
  constexpr std::string_view kDateTime = "dddd-dd-ddTdd:dd:dd";
  constexpr std::string_view kOffset = "dd:dd";
  const auto matches = [](std::string_view part, std::string_view shape) {
    if (part.size() != shape.size()) return false;
    for (size_t i = 0; i < shape.size(); ++i) {
      const auto c = static_cast<unsigned char>(part[i]);
      if (shape[i] == 'd' ? !absl::ascii_isdigit(c) : absl::ascii_toupper(c) != shape[i])
        return false;
    }
    return true;
  };
  if (!matches(text.substr(0, kDateTime.size()), kDateTime)) return false;
  text.remove_prefix(kDateTime.size());
  if (text.starts_with('.')) {
    const size_t digits = std::min(text.find_first_not_of("0123456789", 1), text.size()) - 1;
    if (digits == 0) return false;
    text.remove_prefix(1 + digits);
  }
  if (text == "Z" || text == "z") return true;
  return (text.starts_with('+') || text.starts_with('-')) && matches(text.substr(1), kOffset);
}

absl::StatusOr<FilterValue> TimeOf(UserField field, const FilterLiteral& literal) {
  const std::string& text = literal.pieces.front();
  absl::Time time;
  const bool parsed =
      literal.pieces.size() == 1 && IsRfc3339(text) &&
      absl::ParseTime(absl::RFC3339_full, absl::AsciiStrToUpper(text), &time, nullptr);
  if (!parsed) {
    return Invalid(literal, field,
                   "is compared with an RFC 3339 time, such as \"2024-05-01T12:00:00Z\"");
  }
  const absl::CivilSecond civil = absl::ToCivilSecond(time, absl::UTCTimeZone());
  if (civil.year() < 1 || civil.year() > 9999) {
    return Invalid(literal, field, "is compared with a time of the years 1 to 9999, UTC");
  }
  return FilterValue(time);
}

absl::StatusOr<FilterValue> TextOf(UserField field, FilterOperator op,
                                   const FilterLiteral& literal) {
  std::vector<std::string> pieces = literal.pieces;
  if (op == FilterOperator::kHas && pieces.size() > 1) {
    return Invalid(
        literal, field,
        R"(: stands before a text to contain, in which * is written \*, or before * alone, without quotes)");
  }
  if (field == UserField::kEmail || op == FilterOperator::kHas) {
    for (std::string& piece : pieces) absl::AsciiStrToLower(&piece);
  }
  if (pieces.size() == 1) return FilterValue(std::move(pieces.front()));
  if (op == FilterOperator::kEqual || op == FilterOperator::kNotEqual)
    return FilterValue(TextPattern(std::move(pieces)));
  return FilterValue(absl::StrJoin(pieces, "*"));  // nothing but equality knows wildcards
}

absl::StatusOr<FilterValue> ValueOf(UserField field, FilterOperator op,
                                    const FilterLiteral& literal) {
  switch (field) {
    case UserField::kUserId:
    case UserField::kAge:
      return IntegerOf(field, literal);
    case UserField::kCreateTime:
    case UserField::kUpdateTime:
      return TimeOf(field, literal);
    case UserField::kName:
    case UserField::kEmail:
      return TextOf(field, op, literal);
  }
  return errors::Internal("a user field without a type");
}

}  // namespace

absl::StatusOr<FilterComparison> MakeComparison(UserField field, const FilterToken& op,
                                                const FilterLiteral& literal) {
  if (op.op == FilterOperator::kHas && literal.raw == "*")
    return FilterComparison(field, op.op, AnyValue());
  absl::StatusOr<FilterValue> value = ValueOf(field, op.op, literal);
  if (!value.ok()) return value.status();
  // AIP-160: on a single value that is no text, "has" is "equals".
  const bool is_text = std::holds_alternative<std::string>(*value);
  const FilterOperator meant =
      op.op == FilterOperator::kHas && !is_text ? FilterOperator::kEqual : op.op;
  return FilterComparison(field, meant, *std::move(value));
}

}  // namespace userservice::store
