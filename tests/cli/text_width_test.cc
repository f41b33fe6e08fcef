#include "client/cli/text_width.h"

#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

TEST(DisplayWidthTest, CountsColumnsAndNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("Ada"), 3);
  EXPECT_EQ(DisplayWidth("Zoë"), 3);
  EXPECT_EQ(DisplayWidth("Zoe\u0308"), 3) << "a combining mark takes none";
  EXPECT_EQ(DisplayWidth("王小明"), 6) << "wide characters take two";
  EXPECT_EQ(DisplayWidth("🎉"), 2);
}

TEST(DisplayWidthTest, GivesEachWrongByteAColumn) {
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2);
  EXPECT_EQ(DisplayWidth("\xe7\x8e"), 2) << "cut short";
  EXPECT_EQ(DisplayWidth("\xc0\x80"), 2) << "overlong";
  EXPECT_EQ(DisplayWidth("\xed\xa0\x80"), 3) << "a surrogate";
}

TEST(PrintableTest, KeepsTextAndReplacesControls) {
  EXPECT_EQ(Printable("Zoë 王 🎉"), "Zoë 王 🎉");
  EXPECT_EQ(Printable("a\x1b[0m\tb\x7f"), "a\uFFFD[0m\uFFFDb\uFFFD");
  EXPECT_EQ(Printable("a\u202Eb"), "a\uFFFDb") << "turns the direction of what follows";
  EXPECT_EQ(Printable("\xff"), "\uFFFD");
}

TEST(WrapTest, BreaksAtSpaces) {
  EXPECT_EQ(Wrap("one two three", 7), "one two\nthree\n");
  EXPECT_EQ(Wrap("one two three", 80), "one two three\n");
  EXPECT_EQ(Wrap("a toolongword b", 5), "a\ntoolongword\nb\n");
}

TEST(WithThousandsTest, GroupsDigits) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-123456), "-123,456");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
}

}  // namespace
}  // namespace userservice::cli
