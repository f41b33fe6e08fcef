#include "client/cli/csv.h"

#include <sstream>

#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

std::string RowOf(const std::vector<std::string>& fields) {
  std::ostringstream out;
  WriteCsvRow(out, fields);
  return out.str();
}

TEST(Csv, SeparatesFieldsByCommasAndEndsInCrLf) {
  EXPECT_EQ(RowOf({"1", "Ada", ""}), "1,Ada,\r\n");
}

TEST(Csv, QuotesOnlyWhatWouldBeReadOtherwise) {
  EXPECT_EQ(RowOf({"a,b", "c d"}), "\"a,b\",c d\r\n");
  EXPECT_EQ(RowOf({"say \"hi\""}), "\"say \"\"hi\"\"\"\r\n");
  EXPECT_EQ(RowOf({"a\nb", "a\rb"}), "\"a\nb\",\"a\rb\"\r\n");
}

}  // namespace
}  // namespace userservice::cli
