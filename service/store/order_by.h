// OrderBy: AIP-132 text as a list of keys, ending in user_id, which makes the order total.
//
//   absl::StatusOr<OrderBy> order = OrderBy::Parse("age desc, name");  // age desc, name, user_id
//
// user_id, where it is not named, is added last in the direction of the last key. Users without a
// value come first in ascending order, last in descending. Errors: ORDER_BY_INVALID.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/store/user_field.h"

namespace userservice::store {

class OrderBy {
 public:
  struct Key {
    UserField field;
    bool descending;
  };

  OrderBy();  // by user_id

  static absl::StatusOr<OrderBy> Parse(std::string_view text);

  // Never empty. Ends with user_id, and nothing after it: keys that follow user_id change nothing
  // and are dropped.
  const std::vector<Key>& keys() const { return keys_; }
  // The canonical text, which page tokens are bound to: "age desc,name,user_id".
  const std::string& text() const { return text_; }

 private:
  std::vector<Key> keys_;
  std::string text_;
};

}  // namespace userservice::store
