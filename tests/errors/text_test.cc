#include "service/errors/text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace userservice::errors {
namespace {

TEST(Excerpt, CutsBetweenCodePoints) {
  EXPECT_EQ(Excerpt("short"), "short");
  EXPECT_EQ(Excerpt("abcdef", 3), "abc...");
  EXPECT_EQ(Excerpt("abc", 3), "abc");
  EXPECT_EQ(Excerpt("ab\xE2\x82\xAC", 4), "ab...");
  EXPECT_EQ(Excerpt("ab\xE2\x82\xAC", 5), "ab\xE2\x82\xAC");
}

TEST(Excerpt, ReplacesWhatMayNotStandInAMessage) {
  EXPECT_EQ(Excerpt(std::string_view("a\0b\nc\x7F", 6)), "a?b?c?");
  EXPECT_EQ(Excerpt("\xFF\xC0\x80x"), "???x");
  EXPECT_EQ(Excerpt("\xED\xA0\x80"), "???");       // a surrogate
  EXPECT_EQ(Excerpt("\xE2\x82"), "??");            // cut short
  EXPECT_EQ(Excerpt("\xC2\x85"), "?");             // a C1 control
  EXPECT_EQ(Excerpt("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(Excerpt("\xC3\xA9\xF0\x9F\x98\x80"), "\xC3\xA9\xF0\x9F\x98\x80");
}

}  // namespace
}  // namespace userservice::errors
