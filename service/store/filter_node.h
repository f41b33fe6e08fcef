// FilterNode: the tree behind a Filter, with its fields resolved and its values typed. For what
// evaluates filters: filter_sql.h today.
//
// Semantics: a comparison with an absent value is false, whatever its operator; kNot turns exactly
// that around. Threads: immutable once parsed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "service/store/user_field.h"

namespace userservice::store {

enum class FilterOperator {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kHas
};

// A string with wildcards: any text, even none, stands between each two pieces. "a*b" is {"a",
// "b"}, "*" is {"", ""}.
struct TextPattern {
  explicit TextPattern(std::vector<std::string> pattern_pieces)
      : pieces(std::move(pattern_pieces)) {}
  bool operator==(const TextPattern&) const = default;
  std::vector<std::string> pieces;  // two or more
};

// The right side of "field:*".
struct AnyValue {
  bool operator==(const AnyValue&) const = default;
};

// What a field is compared with. The operators that go with each type:
//   AnyValue     kHas: the field has a value.
//   int64_t      all but kHas; fields user_id and age.
//   absl::Time   all but kHas; create_time and update_time. As exact as it was written: table times
//   end at microseconds. std::string  all; name and email (in lower case). kHas: contains, without
//   regard to ASCII case; in lower case then. TextPattern  kEqual and kNotEqual; name and email (in
//   lower case).
using FilterValue = std::variant<AnyValue, int64_t, absl::Time, std::string, TextPattern>;

struct FilterComparison {
  FilterComparison(UserField compared_field, FilterOperator comparison_op,
                   FilterValue compared_value)
      : field(compared_field), op(comparison_op), value(std::move(compared_value)) {}
  UserField field;
  FilterOperator op;
  FilterValue value;
};

struct FilterNode {
  struct And {
    std::vector<FilterNode> nodes;  // two or more
  };
  struct Or {
    std::vector<FilterNode> nodes;  // two or more
  };
  struct Not {
    std::vector<FilterNode> node;  // exactly one; a vector, because FilterNode is incomplete here
  };

  explicit FilterNode(std::variant<And, Or, Not, FilterComparison> what) : node(std::move(what)) {}
  std::variant<And, Or, Not, FilterComparison> node;
};

}  // namespace userservice::store
