// Filter: AIP-160 text as a typed tree. Engine neutral: filter_sql.h turns it into SQL.
//
//   absl::StatusOr<Filter> filter = Filter::Parse("age > 25 AND email:*");
//   filter->text();  // as it was sent: what page tokens are bound to
//
// Grammar, limits and semantics: the comment of UserService in users/v1/user_service.proto.
// Errors: FILTER_INVALID with the column of the fault.
// Threads: immutable once parsed; copies share the tree.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace userservice::store {

struct FilterNode;

class Filter {
 public:
  Filter() = default;  // matches every user

  static absl::StatusOr<Filter> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  const FilterNode* root() const { return root_.get(); }  // null: matches every user

 private:
  std::string text_;
  std::shared_ptr<const FilterNode> root_;
};

}  // namespace userservice::store
