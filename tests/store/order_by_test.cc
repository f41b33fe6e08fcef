#include "service/store/order_by.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "service/errors/errors.h"

namespace userservice::store {
namespace {

std::string Normalized(std::string_view text) {
  const absl::StatusOr<OrderBy> order = OrderBy::Parse(text);
  if (order.ok()) return order->text();
  EXPECT_EQ(order.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::ReasonOf(order.status()), "ORDER_BY_INVALID");
  return std::string(order.status().message());
}

TEST(OrderBy, IsByUserIdWhenItIsEmpty) {
  EXPECT_EQ(Normalized(""), "user_id");
  EXPECT_EQ(Normalized("  "), "user_id");
  EXPECT_EQ(OrderBy().text(), "user_id");
  ASSERT_EQ(OrderBy().keys().size(), 1U);
  EXPECT_EQ(OrderBy().keys()[0].field, UserField::kUserId);
  EXPECT_FALSE(OrderBy().keys()[0].descending);
}

TEST(OrderBy, EndsWithUserIdInTheDirectionOfTheLastKey) {
  EXPECT_EQ(Normalized("age"), "age,user_id");
  EXPECT_EQ(Normalized("age desc"), "age desc,user_id desc");
  EXPECT_EQ(Normalized("age desc, name"), "age desc,name,user_id");
  EXPECT_EQ(Normalized("create_time, update_time desc"),
            "create_time,update_time desc,user_id desc");
}

TEST(OrderBy, KeepsUserIdWhereItIsNamedAndDropsWhatFollows) {
  EXPECT_EQ(Normalized("user_id desc"), "user_id desc");
  EXPECT_EQ(Normalized("age, user_id desc, name"), "age,user_id desc");
}

TEST(OrderBy, TakesWhiteSpaceAndAscForNothing) {
  EXPECT_EQ(Normalized("  age \t desc ,\nname  "), "age desc,name,user_id");
  EXPECT_EQ(Normalized("age asc"), "age,user_id");
}

TEST(OrderBy, TellsWhatIsWrong) {
  EXPECT_EQ(Normalized("agee"),
            "order_by: unknown field 'agee'; fields are user_id, name, email, age, create_time, "
            "update_time");
  EXPECT_EQ(Normalized("age, nme, agee").substr(0, 29), "order_by: unknown field 'nme'");
  EXPECT_EQ(Normalized("age down"), "order_by: expected 'desc' or ',' after 'age', found 'down'");
  EXPECT_EQ(Normalized("age DESC"), "order_by: expected 'desc' or ',' after 'age', found 'DESC'");
  EXPECT_EQ(Normalized("age desc desc"),
            "order_by: expected 'desc' or ',' after 'age', found 'desc desc'");
  EXPECT_EQ(Normalized("age,,name"), "order_by: expected a field before or after ','");
  EXPECT_EQ(Normalized(",age"), "order_by: expected a field before or after ','");
  EXPECT_EQ(Normalized("age,"), "order_by: expected a field before or after ','");
  EXPECT_EQ(Normalized("age, age desc"), "order_by: 'age' is named twice");
  EXPECT_EQ(Normalized("user_id; DROP TABLE users").substr(0, 34),
            "order_by: unknown field 'user_id;'");
  EXPECT_EQ(Normalized("(SELECT 1)").substr(0, 33), "order_by: unknown field '(SELECT'");
  EXPECT_EQ(Normalized("age desc; --"),
            "order_by: expected 'desc' or ',' after 'age', found 'desc; --'");
}

}  // namespace
}  // namespace userservice::store
