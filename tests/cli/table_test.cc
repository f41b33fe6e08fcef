#include "client/cli/table.h"

#include <sstream>

#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

TEST(TableTest, AlignsColumnsAndLeavesNoSpacesAtTheEnd) {
  Table table({{"ID", Align::kRight}, {"NAME", Align::kLeft}});
  table.AddRow({"1", "Ada"});
  table.AddRow({"1000", "Grace Hopper"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(),
            "  ID  NAME\n"
            "   1  Ada\n"
            "1000  Grace Hopper\n");
}

TEST(TableTest, AlignsByWhatIsSeenAndNotByBytes) {
  Table table({{"NAME", Align::kLeft}, {"AGE", Align::kRight}});
  table.AddRow({"王小明", "7"});
  table.AddRow({"Zoë", "36"});
  table.AddRow({"Abcdef", "5"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(),
            "NAME    AGE\n"
            "王小明    7\n"
            "Zoë      36\n"
            "Abcdef    5\n");
}

TEST(TableTest, PrintsTheTitleOnceAndNothingTwice) {
  Table table({{"N", Align::kRight}});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "");
  table.AddRow({"1"});
  table.Print(out);
  table.AddRow({"2"});
  table.Print(out);
  EXPECT_EQ(out.str(), "N\n1\n2\n");
}

TEST(TableTest, ShowsNoControlCharacters) {
  Table table({{"NAME", Align::kLeft}});
  table.AddRow({"a\x1b[31m\nb"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "NAME\na\uFFFD[31m\uFFFDb\n");
}

}  // namespace
}  // namespace userservice::cli
