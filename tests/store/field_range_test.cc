#include "service/store/field_range.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "service/store/scan_plan.h"

namespace userservice::store {
namespace {

std::string ValueText(const SqlValue& value) {
  if (const auto* const number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  return std::get<std::string>(value);
}

// "(20, 30]": what the filter leaves of the field.
std::string Range(const std::string& filter, UserField field) {
  const FieldRange range = RangeOf(*Filter::Parse(filter), field);
  return absl::StrCat(range.lower.has_value() && range.lower->inclusive ? "[" : "(",
                      range.lower.has_value() ? ValueText(range.lower->value) : "", ", ",
                      range.upper.has_value() ? ValueText(range.upper->value) : "",
                      range.upper.has_value() && range.upper->inclusive ? "]" : ")");
}

TEST(FieldRange, IsWhatEveryMatchHasToFulfil) {
  EXPECT_EQ(Range("age > 20 AND age <= 30", UserField::kAge), "(20, 30]");
  EXPECT_EQ(Range("age = 20", UserField::kAge), "[20, 20]");
  EXPECT_EQ(Range("age > 20 AND (name = a AND age < 30)", UserField::kAge), "(20, 30)");
  EXPECT_EQ(Range("name = ann", UserField::kAge), "(, )");
  EXPECT_EQ(Range("age > 20 OR age < 10", UserField::kAge), "(, )");
  EXPECT_EQ(Range("NOT age > 20", UserField::kAge), "(, )");
  EXPECT_EQ(Range("age != 20", UserField::kAge), "(, )");
  EXPECT_EQ(Range("", UserField::kAge), "(, )");
}

TEST(FieldRange, TakesTheTighterOfTwoBounds) {
  EXPECT_EQ(Range("age > 20 AND age > 25 AND age > 22", UserField::kAge), "(25, )");
  EXPECT_EQ(Range("age >= 20 AND age > 20 AND age >= 20", UserField::kAge), "(20, )");
  EXPECT_EQ(Range("age < 20 AND age <= 20 AND age < 30", UserField::kAge), "(, 20)");
  EXPECT_EQ(Range("name >= b AND name >= a", UserField::kName), "[b, )");
}

TEST(FieldRange, OfAPresentValueBeginsAtTheLowest) {
  EXPECT_EQ(Range("age:*", UserField::kAge), "[-9223372036854775808, )");
  EXPECT_EQ(Range("create_time:*", UserField::kCreateTime), "[, )");
  EXPECT_EQ(Range("name:*", UserField::kName), "(, )") << "every user has one";
}

TEST(FieldRange, OfAPrefixEndsBeforeTheNext) {
  EXPECT_EQ(Range("name = \"Ann*\"", UserField::kName), "[Ann, Ano)");
  EXPECT_EQ(Range("name = \"*nn\"", UserField::kName), "(, )");
  EXPECT_EQ(Range("name != \"Ann*\"", UserField::kName), "(, )");
  EXPECT_EQ(Range("email = \"ANN@*\"", UserField::kEmail), "[ann@, anna)") << "as NOCASE has it";
  EXPECT_EQ(Range("name:\"ann\"", UserField::kName), "(, )");
}

TEST(FieldRange, OfATimeBetweenTwoMicrosecondsIsEmptyOrBeginsAfterTheEarlier) {
  const std::string half = "2024-05-01T12:00:00.0000015Z";
  const std::string before = "2024-05-01 12:00:00.000001";
  EXPECT_EQ(Range("create_time = " + half, UserField::kCreateTime),
            absl::StrCat("(", before, ", ", before, "]"));
  EXPECT_EQ(Range("create_time >= " + half, UserField::kCreateTime), "(" + before + ", )");
  EXPECT_EQ(Range("create_time < " + half, UserField::kCreateTime), "(, " + before + "]");
}

std::string Best(const std::string& filter, std::optional<UserField> walked = std::nullopt) {
  const std::optional<IndexRange> best = BestRange(*Filter::Parse(filter), walked);
  return best.has_value() ? std::string(NameOf(best->field)) : "";
}

TEST(ScanPlan, TakesWhatTellsUsersApartBest) {
  const std::string t = "2024-05-01T12:00:00Z";
  EXPECT_EQ(Best("age = 3 AND name = a AND email = a@x.org AND user_id = 7"), "user_id");
  EXPECT_EQ(Best("age = 3 AND name = a AND email = a@x.org AND user_id > 7"), "email");
  EXPECT_EQ(Best("age = 3 AND name = a AND create_time > " + t), "name");
  EXPECT_EQ(Best("age = 3 AND create_time > " + t), "age") << "one value before a range";
  EXPECT_EQ(Best("age > 3 AND create_time > " + t), "create_time");
  EXPECT_EQ(Best("age = 3 OR age = 4"), "");
  EXPECT_EQ(Best(""), "");
}

TEST(ScanPlan, LeavesTheWalkedFieldToItsWalk) {
  EXPECT_EQ(Best("age > 3", UserField::kAge), "");
  EXPECT_EQ(Best("age > 3 AND name = a", UserField::kAge), "name");
  EXPECT_EQ(Best("age = 3 AND name = a", UserField::kAge), "") << "that walk is of one value";
  EXPECT_EQ(Best("age = 3 AND user_id = 7", UserField::kAge), "user_id");
}

}  // namespace
}  // namespace userservice::store
