#include "client/cli/json_text.h"

#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

TEST(JsonText, QuotesAndEscapes) {
  EXPECT_EQ(JsonText("age > 25"), "\"age > 25\"");
  EXPECT_EQ(JsonText("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(JsonText("Zoë 王"), "\"Zoë 王\"");
}

TEST(JsonText, ReplacesWhatJsonForbids) { EXPECT_EQ(JsonText("a\nb\xff"), "\"a\uFFFDb\uFFFD\""); }

}  // namespace
}  // namespace userservice::cli
