// FilterLexer: AIP-160 text as tokens. Inside the filter parser; see filter.h for what others use.
//
// What a character means depends on where it stands: '-' opens a negation before a term and a
// number after an operator, and ':' is an operator after a field and part of a time after one. So
// the parser asks for one or the other: Next() where a term or a connective may stand, NextValue()
// after an operator. Ownership: tokens are views into the text, which must outlive them. Errors:
// FILTER_INVALID.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/store/filter_node.h"

namespace userservice::store {

struct FilterToken {
  enum class Kind { kEnd, kOpen, kClose, kMinus, kAnd, kOr, kNot, kWord, kQuoted, kOperator };
  Kind kind = Kind::kEnd;
  size_t column = 0;  // of its first byte, from 1
  std::string_view text;
  FilterOperator op = FilterOperator::kEqual;  // of kOperator
};

struct FilterLiteral {
  size_t column = 0;
  bool quoted = false;
  std::string_view raw;             // as written, with the quotes
  std::vector<std::string> pieces;  // with escapes resolved, split at each '*' that is not escaped
};

class FilterLexer {
 public:
  explicit FilterLexer(std::string_view text) : text_(text) {}

  absl::StatusOr<FilterToken> Next();
  // `op` is the operator before it, for messages.
  absl::StatusOr<FilterLiteral> NextValue(std::string_view op);

 private:
  void SkipSpace();
  FilterToken Take(FilterToken::Kind kind, size_t bytes);
  absl::StatusOr<FilterToken> TakeOperator();
  absl::StatusOr<FilterLiteral> TakeQuoted();
  absl::Status TakeEscape(FilterLiteral& literal);

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace userservice::store
