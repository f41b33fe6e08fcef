#include "service/store/filter.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"
#include "service/store/filter_node.h"

namespace userservice::store {
namespace {

using errors::AbslView;

std::string Show(const FilterValue& value) {
  if (std::holds_alternative<AnyValue>(value)) return "any";
  if (const auto* integer = std::get_if<int64_t>(&value)) return absl::StrCat(*integer);
  if (const auto* time = std::get_if<absl::Time>(&value))
    return absl::FormatTime(*time, absl::UTCTimeZone());
  if (const auto* text = std::get_if<std::string>(&value)) return absl::StrCat("\"", *text, "\"");
  return absl::StrCat("[", absl::StrJoin(std::get<TextPattern>(value).pieces, "|"), "]");
}

// The tree in prefix notation.
std::string Show(const FilterNode& node) {
  const auto list = [](absl::string_view head, const std::vector<FilterNode>& nodes) {
    return absl::StrCat("(", head, " ",
                        absl::StrJoin(nodes, " ",
                                      [](std::string* out, const FilterNode& child) {
                                        absl::StrAppend(out, Show(child));
                                      }),
                        ")");
  };
  if (const auto* all = std::get_if<FilterNode::And>(&node.node)) return list("and", all->nodes);
  if (const auto* any = std::get_if<FilterNode::Or>(&node.node)) return list("or", any->nodes);
  if (const auto* negation = std::get_if<FilterNode::Not>(&node.node))
    return list("not", negation->node);
  const auto& comparison = std::get<FilterComparison>(node.node);
  constexpr absl::string_view kOperators[] = {"=", "!=", "<", "<=", ">", ">=", ":"};
  return absl::StrCat(AbslView(NameOf(comparison.field)),
                      kOperators[static_cast<size_t>(comparison.op)], Show(comparison.value));
}

std::string Parse(std::string_view text) {
  const absl::StatusOr<Filter> filter = Filter::Parse(text);
  if (!filter.ok()) {
    EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(errors::ReasonOf(filter.status()), "FILTER_INVALID");
    return std::string(filter.status().message());
  }
  return filter->root() == nullptr ? "all" : Show(*filter->root());
}

TEST(Filter, MatchesEveryUserWhenItIsEmpty) {
  EXPECT_EQ(Parse(""), "all");
  EXPECT_EQ(Parse(" \t\r\n"), "all");
  EXPECT_EQ(Filter().root(), nullptr);
}

TEST(Filter, KeepsItsTextAsItWasSent) {
  const absl::StatusOr<Filter> filter = Filter::Parse("  age>25 ");
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(filter->text(), "  age>25 ");
}

TEST(Filter, ReadsEveryOperator) {
  EXPECT_EQ(Parse("age = 25"), "age=25");
  EXPECT_EQ(Parse("age!=25"), "age!=25");
  EXPECT_EQ(Parse("age<25"), "age<25");
  EXPECT_EQ(Parse("age<= 25"), "age<=25");
  EXPECT_EQ(Parse("age >25"), "age>25");
  EXPECT_EQ(Parse("age >= -25"), "age>=-25");
  EXPECT_EQ(Parse("age:*"), "age:any");
  EXPECT_EQ(Parse("age:25"), "age=25");
  EXPECT_EQ(Parse("name:\"Ann\""), "name:\"ann\"");
}

TEST(Filter, BindsOrTighterThanAndAsAip160Says) {
  EXPECT_EQ(Parse("age=1 AND age=2 OR age=3"), "(and age=1 (or age=2 age=3))");
  EXPECT_EQ(Parse("age=1 OR age=2 AND age=3"), "(and (or age=1 age=2) age=3)");
  EXPECT_EQ(Parse("(age=1 AND age=2) OR age=3"), "(or (and age=1 age=2) age=3)");
  EXPECT_EQ(Parse("age=1 age=2 OR age=3 AND age=4"), "(and age=1 (or age=2 age=3) age=4)");
}

TEST(Filter, JoinsASequenceByAnd) {
  EXPECT_EQ(Parse("age>1 name=ann"), "(and age>1 name=\"ann\")");
  EXPECT_EQ(Parse("age>1 -name=ann (age=2)"), "(and age>1 (not name=\"ann\") age=2)");
  EXPECT_EQ(Parse("age>1\nNOT age=3"), "(and age>1 (not age=3))");
}

TEST(Filter, NegatesByNotAndByMinus) {
  EXPECT_EQ(Parse("NOT age = 25"), "(not age=25)");
  EXPECT_EQ(Parse("-age = 25"), "(not age=25)");
  EXPECT_EQ(Parse("NOT(age=1 OR age=2)"), "(not (or age=1 age=2))");
  EXPECT_EQ(Parse("-(NOT (age=1))"), "(not (not age=1))");
  EXPECT_EQ(Parse("NOT NOT age=1"), "filter, column 5: expected a comparison, found 'NOT'");
}

TEST(Filter, ReadsStringsInEitherQuotesAndWithout) {
  EXPECT_EQ(Parse(R"(name = "O'Hara AND co")"), R"(name="O'Hara AND co")");
  EXPECT_EQ(Parse(R"(name = 'say "hi"')"), R"(name="say "hi"")");
  EXPECT_EQ(Parse(R"(name = "a\"b\\c\*d\'")"), R"(name="a"b\c*d'")");
  EXPECT_EQ(Parse("name=Ann"), "name=\"Ann\"");
  EXPECT_EQ(Parse("name = \xC3\x89va"), "name=\"\xC3\x89va\"");
  EXPECT_EQ(Parse("email=ann.lee+x@example.com"), "email=\"ann.lee+x@example.com\"");
  EXPECT_EQ(Parse("name=\"\""), "name=\"\"");
  EXPECT_EQ(Parse("name<\"a*b\""), "name<\"a*b\"");
  EXPECT_EQ(Parse("name=a:b"), "name=\"a:b\"");
}

TEST(Filter, ReadsWildcardsInStringEquality) {
  EXPECT_EQ(Parse("name = \"a*\""), "name=[a|]");
  EXPECT_EQ(Parse("name = *b"), "name=[|b]");
  EXPECT_EQ(Parse("name != \"*a*b*\""), "name!=[|a|b|]");
  EXPECT_EQ(Parse(R"(name = "a\**")"), "name=[a*|]");
  EXPECT_EQ(Parse(R"(name = "a\\*")"), "name=[a\\|]");
}

TEST(Filter, LowersLiteralsForEmail) {
  EXPECT_EQ(Parse("email = ANN@Example.COM"), "email=\"ann@example.com\"");
  EXPECT_EQ(Parse("email = \"*@Example.COM\""), "email=[|@example.com]");
  EXPECT_EQ(Parse("email < B"), "email<\"b\"");
  EXPECT_EQ(Parse("name = ANN"), "name=\"ANN\"");
}

TEST(Filter, ReadsRfc3339Times) {
  EXPECT_EQ(Parse("create_time > \"2024-05-01T12:00:00Z\""),
            "create_time>2024-05-01T12:00:00+00:00");
  EXPECT_EQ(Parse("create_time > 2024-05-01T12:00:00.25+02:00"),
            "create_time>2024-05-01T10:00:00.25+00:00");
  EXPECT_EQ(Parse("update_time < 2024-05-01t12:00:00z"), "update_time<2024-05-01T12:00:00+00:00");
  for (const char* text :
       {"yesterday", "infinite-future", "2024-05-01", "\" 2024-05-01T12:00:00Z\"",
        "2024-05-01T12:00:00", "2024-02-30T00:00:00Z", "12024-05-01T12:00:00Z",
        "2024-05-01T12:00:00.Z", "25", "2024-05-01T12:00:00+2:00", "2024-05-*"}) {
    EXPECT_TRUE(
        absl::StartsWith(Parse(absl::StrCat("create_time=", text)),
                         "filter, column 13: create_time is compared with an RFC 3339 time"))
        << text;
  }
  EXPECT_TRUE(
      absl::StrContains(Parse("create_time=9999-12-31T23:59:59-10:00"), "the years 1 to 9999"));
}

TEST(Filter, TellsTheColumnOfTheFaultAndWhatIsWrong) {
  EXPECT_EQ(Parse("agee > 25"),
            "filter, column 1: unknown field 'agee'; fields are user_id, name, email, age, "
            "create_time, update_time");
  EXPECT_EQ(Parse("age > 25 AND user.name = x"),
            "filter, column 14: unknown field 'user.name'; fields are user_id, name, email, age, "
            "create_time, update_time");
  EXPECT_EQ(Parse("age > old"),
            "filter, column 7: age is compared with an integer, such as 25, not old");
  EXPECT_EQ(Parse("age > \"25\""),
            "filter, column 7: age is compared with an integer, such as 25, not \"25\"");
  EXPECT_EQ(Parse("age = *"),
            "filter, column 7: age is compared with an integer, such as 25, not *");
  EXPECT_EQ(Parse("age > 9223372036854775808"),
            "filter, column 7: age is compared with an integer of at most 64 bits, not "
            "9223372036854775808");
  EXPECT_EQ(Parse("age >"), "filter, column 6: expected a value after '>'");
  EXPECT_EQ(
      Parse("age > AND age < 3"),
      "filter, column 7: expected a value after '>'; put AND into quotes if it is meant as text");
  EXPECT_EQ(Parse("age == 3"), "filter, column 6: expected a value after '='");
  EXPECT_EQ(Parse("age = (1 OR 2)"),
            "filter, column 7: expected a value after '='; repeat the field in each comparison "
            "inside the parentheses");
  EXPECT_EQ(Parse("age"),
            "filter, column 4: expected an operator (= != < <= > >= :) after 'age', found the end");
  EXPECT_EQ(Parse("age ! 3"), "filter, column 5: '!' alone is no operator; write != or NOT");
  EXPECT_EQ(Parse("= 3"), "filter, column 1: expected a comparison, found '='");
  EXPECT_EQ(Parse("age=1 AND"), "filter, column 10: expected a comparison, found the end");
  EXPECT_EQ(Parse("age=1 OR OR age=2"), "filter, column 10: expected a comparison, found 'OR'");
  EXPECT_EQ(Parse("(age=1"),
            "filter, column 7: expected AND, OR or the ')' of column 1, found the end");
  EXPECT_EQ(Parse("age=1)"), "filter, column 6: ')' closes nothing");
  EXPECT_EQ(Parse("()"), "filter, column 2: expected a comparison, found ')'");
  EXPECT_EQ(Parse("name=\"ann"), "filter, column 6: the quote that opens here is never closed");
  EXPECT_EQ(Parse("name=O'Hara"),
            "filter, column 7: a quote inside a value; put the whole value into quotes");
  EXPECT_EQ(
      Parse(R"(name="a\nb")"),
      R"(filter, column 8: a backslash escapes only *, \ and quotes; write \\ for a backslash)");
  EXPECT_EQ(Parse("age=1, age=2"),
            "filter, column 6: ',' has no meaning here; join comparisons with AND or OR");
  EXPECT_EQ(Parse("name:a*"),
            "filter, column 6: name : stands before a text to contain, in which * is written \\*, "
            "or before * alone,"
            " without quotes, not a*");
}

TEST(Filter, RefusesWhatAip160HasAndThisServiceHasNot) {
  EXPECT_EQ(Parse("ann"),
            "filter, column 1: search for a bare value, ann, is not supported; compare a field "
            "with it, such as name:\"ann\"");
  EXPECT_EQ(Parse("age>1 \"ann\""),
            "filter, column 7: search for a bare value, \"ann\", is not supported; compare a field "
            "with it, such as"
            " name:\"ann\"");
  EXPECT_EQ(Parse("age>1 and age<3"),
            "filter, column 7: search for a bare value, and, is not supported; AND, OR and NOT are "
            "written in upper case");
  EXPECT_EQ(Parse("lower(name) = x"),
            "filter, column 1: functions such as 'lower' are not supported");
}

TEST(Filter, RefusesControlCharactersAndWhatIsNotUtf8) {
  EXPECT_EQ(Parse(std::string_view("name=\"a\0b\"", 10)), "filter, column 8: a control character");
  EXPECT_EQ(Parse("name=\x7F"), "filter, column 6: a control character");
  EXPECT_EQ(Parse("name=\xFF"), "filter, column 6: a byte that is not UTF-8");
}

TEST(Filter, HasALimitOfBytes) {
  const std::string head = "name=\"";
  EXPECT_EQ(Parse(head + std::string(2048 - head.size() - 1, 'x') + "\"").substr(0, 8),
            "name=\"xx");
  EXPECT_EQ(Parse(head + std::string(2048 - head.size(), 'x') + "\""),
            "filter, column 2049: the filter is 2049 bytes long; the limit is 2048");
}

TEST(Filter, HasALimitOfDepth) {
  EXPECT_EQ(Parse(std::string(32, '(') + "age=1" + std::string(32, ')')), "age=1");
  EXPECT_EQ(Parse(std::string(33, '(') + "age=1" + std::string(33, ')')),
            "filter, column 33: parentheses nest deeper than 32 levels");
  EXPECT_EQ(Parse(std::string(2048, '(')),
            "filter, column 33: parentheses nest deeper than 32 levels");
  std::string negations;
  for (int i = 0; i < 600; ++i) negations += "-(";
  EXPECT_EQ(Parse(negations), "filter, column 66: parentheses nest deeper than 32 levels");
  EXPECT_EQ(Parse(std::string(2048, '-')), "filter, column 2: expected a comparison, found '-'");
}

TEST(Filter, HasALimitOfComparisons) {
  const std::vector<std::string> most(64, "age=1");
  EXPECT_TRUE(absl::StartsWith(Parse(absl::StrJoin(most, " ")), "(and age=1"));
  const std::vector<std::string> too_many(65, "age=1");
  EXPECT_EQ(Parse(absl::StrJoin(too_many, " ")), "filter, column 385: more than 64 comparisons");
}

}  // namespace
}  // namespace userservice::store
