#include "client/cli/import/lines.h"

#include <unistd.h>

#include <array>
#include <thread>

#include "gtest/gtest.h"
#include "tests/cli/import/input.h"

namespace userservice::cli {
namespace {

std::vector<std::string> TextsOf(LineReader& lines) {
  std::vector<std::string> texts;
  for (;;) {
    const auto line = lines.Next();
    EXPECT_TRUE(line.ok()) << line.status();
    if (!line.ok() || !line->has_value()) return texts;
    texts.emplace_back((*line)->text);
  }
}

std::vector<std::string> TextsOf(std::string_view text) {
  const Input input(text);
  return TextsOf(*input.Lines());
}

using Texts = std::vector<std::string>;

TEST(LineReader, EndsLinesAtEveryKindOfLineEnd) {
  EXPECT_EQ(TextsOf("a\nb\r\nc\rd"), (Texts{"a\n", "b\r\n", "c\r", "d"}));
  EXPECT_EQ(TextsOf("\n\r\n\r\r"), (Texts{"\n", "\r\n", "\r", "\r"}));
  EXPECT_EQ(TextsOf(""), Texts());
  EXPECT_EQ(TextsOf("a\r"), Texts{"a\r"});
}

TEST(LineReader, LeavesOutAByteOrderMarkAndOnlyAtTheBeginning) {
  EXPECT_EQ(TextsOf("\xef\xbb\xbf"
                    "a\n\xef\xbb\xbf"),
            (Texts{"a\n", "\xef\xbb\xbf"}));
  EXPECT_EQ(TextsOf("\xef\xbb\xbf"), Texts());
  EXPECT_EQ(TextsOf("\xef\xbb"), Texts{"\xef\xbb"});
}

TEST(LineReader, FindsALineEndThatIsSplitBetweenTwoReads) {
  for (size_t before = (size_t{64} << 10) - 3; before < (size_t{64} << 10) + 3; ++before) {
    std::string text;
    while (text.size() + 2 <= before) text += "x\n";
    while (text.size() < before) text += "\n";
    text += "\r\nlast";
    const Texts texts = TextsOf(text);
    ASSERT_GE(texts.size(), 2);
    EXPECT_EQ(texts.back(), "last");
    EXPECT_EQ(texts[texts.size() - 2], "\r\n") << before;
  }
}

TEST(LineReader, CutsALineThatIsTooLongAndGoesOnBehindIt) {
  const std::string end_at_the_limit(kRecordBytesMax - 1, 'y');
  const Input input("a\n" + std::string(size_t{10} << 20, 'x') + "\r\nb\n" + end_at_the_limit +
                    "\nc\n");
  const auto lines = input.Lines();
  ASSERT_EQ((*lines->Next())->text, "a\n");
  const auto cut = lines->Next();
  EXPECT_TRUE((*cut)->is_cut);
  EXPECT_EQ((*cut)->text, std::string(kRecordBytesMax, 'x'));
  EXPECT_EQ((*cut)->number, 2);
  const auto after = lines->Next();
  EXPECT_EQ((*after)->text, "b\n");
  EXPECT_EQ((*after)->number, 3);
  EXPECT_FALSE((*after)->is_cut);
  EXPECT_FALSE((*lines->Next())->is_cut) << "64 KiB are not too long";
  EXPECT_EQ((*lines->Next())->text, "c\n");
}

TEST(LineReader, CutsALastLineThatHasNoEnd) {
  const Input input(std::string(3 * kRecordBytesMax, 'x'));
  const auto lines = input.Lines();
  EXPECT_TRUE((*lines->Next())->is_cut);
  EXPECT_FALSE(lines->Next()->has_value());
  EXPECT_EQ(lines->offset(), 3 * kRecordBytesMax);
}

TEST(LineReader, SkipsToWhereAnotherHasBeenWithTheSameHash) {
  const Input input("\xef\xbb\xbftitle\r\none\r\ntwo\r\nthree");
  const auto first = input.Lines();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(first->Next().ok());
  const auto second = input.Lines();
  ASSERT_TRUE(second->Next().ok());
  ASSERT_TRUE(second->SkipTo(first->offset(), first->line()).ok());
  EXPECT_EQ(second->hash(), first->hash());
  EXPECT_EQ(second->offset(), 3 + 7 + 5 + 5);
  const auto line = second->Next();
  EXPECT_EQ((*line)->text, "three");
  EXPECT_EQ((*line)->number, 4);
  EXPECT_NE(second->hash(), first->hash());
}

TEST(LineReader, TakesNothingForAByteOrderMarkAfterASkip) {
  const Input input("\xef\xbb\xbfone\ntwo\n");
  const auto lines = input.Lines();
  ASSERT_TRUE(lines->SkipTo(3 + 4, 1).ok());
  EXPECT_EQ((*lines->Next())->text, "two\n");
}

TEST(LineReader, DoesNotSkipBehindTheEnd) {
  const Input input("a\n");
  EXPECT_EQ(input.Lines()->SkipTo(3, 1).code(), absl::StatusCode::kOutOfRange);
}

TEST(LineReader, AStopEndsAWaitForAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  std::stop_source source;
  LineReader lines(*File::Duplicate(ends[0], "pipe"), source.get_token());
  ASSERT_EQ(write(ends[1], "a\nb", 3), 3);
  EXPECT_EQ((*lines.Next())->text, "a\n");
  std::jthread stops([&] { source.request_stop(); });
  EXPECT_EQ(lines.Next().status().code(), absl::StatusCode::kCancelled);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace userservice::cli
