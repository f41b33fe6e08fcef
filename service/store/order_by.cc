#include "service/store/order_by.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"

namespace userservice::store {
namespace {

using errors::AbslView;
using errors::StdView;

constexpr std::string_view kOrderSpace = " \t\r\n";

std::string_view Strip(std::string_view text) {
  return StdView(absl::StripAsciiWhitespace(AbslView(text)));
}

// "age", "age desc", "age asc".
absl::StatusOr<OrderBy::Key> ParseKey(std::string_view text) {
  const size_t name_bytes = std::min(text.find_first_of(kOrderSpace), text.size());
  const std::string_view name = text.substr(0, name_bytes);
  const std::string_view direction = Strip(text.substr(name_bytes));
  if (name.empty()) return errors::OrderByInvalid("expected a field before or after ','");
  const std::optional<UserField> field = UserFieldFromName(name);
  if (!field.has_value()) {
    return errors::OrderByInvalid(absl::StrCat("unknown field '",
                                               errors::Excerpt(name, errors::kWordBytesMax),
                                               "'; fields are ", AbslView(kUserFieldList)));
  }
  if (!direction.empty() && direction != "desc" && direction != "asc") {
    return errors::OrderByInvalid(
        absl::StrCat("expected 'desc' or ',' after '", AbslView(name), "', found '",
                     errors::Excerpt(direction, errors::kWordBytesMax), "'"));
  }
  return OrderBy::Key{*field, direction == "desc"};
}

}  // namespace

OrderBy::OrderBy() : keys_{Key{UserField::kUserId, false}}, text_(NameOf(UserField::kUserId)) {}

absl::StatusOr<OrderBy> OrderBy::Parse(std::string_view text) {
  OrderBy order;
  if (Strip(text).empty()) return order;
  std::vector<Key> named;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    absl::StatusOr<Key> key = ParseKey(Strip(text.substr(begin, end - begin)));
    if (!key.ok()) return key.status();
    const bool repeated = std::any_of(named.begin(), named.end(),
                                      [&](const Key& other) { return other.field == key->field; });
    if (repeated) {
      return errors::OrderByInvalid(
          absl::StrCat("'", AbslView(NameOf(key->field)), "' is named twice"));
    }
    named.push_back(*key);
    begin = end + 1;
  }
  order.keys_.clear();
  for (const Key& key : named) {
    order.keys_.push_back(key);
    if (key.field == UserField::kUserId) break;
  }
  if (order.keys_.back().field != UserField::kUserId) {
    order.keys_.push_back(Key{UserField::kUserId, order.keys_.back().descending});
  }
  order.text_.clear();
  for (const Key& key : order.keys_) {
    absl::StrAppend(&order.text_, order.text_.empty() ? "" : ",", AbslView(NameOf(key.field)),
                    key.descending ? " desc" : "");
  }
  return order;
}

}  // namespace userservice::store
