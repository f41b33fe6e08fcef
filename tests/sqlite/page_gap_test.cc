#include "service/sqlite/page_gap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace userservice::sqlite {
namespace {

using Page = std::vector<unsigned char>;

void Put(Page& page, size_t at, size_t number) {
  page[at] = static_cast<unsigned char>(number >> 8U);
  page[at + 1] = static_cast<unsigned char>(number);
}

// A b-tree page with cells at the given places, which are not filled in.
Page MakePage(unsigned char type, size_t bytes, size_t content, const std::vector<size_t>& cells,
              size_t header_at = 0) {
  Page page(bytes);
  page[header_at] = type;
  Put(page, header_at + 3, cells.size());
  Put(page, header_at + 5, content);  // 65536 becomes 0
  size_t at = header_at + (type < 10 ? 12 : 8);
  for (const size_t cell : cells) {
    Put(page, at, cell);
    at += 2;
  }
  return page;
}

bool HasGap(const Page& page, size_t header_at = 0) {
  return FindPageGap(page, header_at).has_value();
}

void ExpectGap(const Page& page, size_t begin, size_t end, size_t header_at = 0) {
  const std::optional<PageGap> gap = FindPageGap(page, header_at);
  ASSERT_TRUE(gap.has_value());
  EXPECT_EQ(gap->begin, begin);
  EXPECT_EQ(gap->end, end);
}

TEST(PageGap, IsBetweenThePointersAndTheCells) {
  ExpectGap(MakePage(13, 4096, 4000, {4050, 4000}), 8 + 4, 4000);
  ExpectGap(MakePage(10, 4096, 4000, {4000}), 8 + 2, 4000);
  ExpectGap(MakePage(2, 4096, 4000, {4000}), 12 + 2, 4000);
  ExpectGap(MakePage(5, 4096, 4000, {4000}), 12 + 2, 4000);
}

TEST(PageGap, OfThePageThatHoldsTheDatabasesHeaderIsBehindIt) {
  ExpectGap(MakePage(13, 4096, 4000, {4000}, 100), 100 + 8 + 2, 4000, 100);
}

TEST(PageGap, IsTheWholeOfAnEmptyPage) {
  ExpectGap(MakePage(13, 512, 512, {}), 8, 512);
  ExpectGap(MakePage(13, 65536, 65536, {}), 8, 65536);
}

TEST(PageGap, MayBeEmpty) { ExpectGap(MakePage(13, 512, 10, {10}), 10, 10); }

TEST(PageGap, OnlyABtreePageHasOne) {
  for (int type = 0; type < 256; ++type) {
    const bool is_btree = type == 2 || type == 5 || type == 10 || type == 13;
    Page page = MakePage(13, 512, 400, {400});
    page[0] = static_cast<unsigned char>(type);
    if (type < 10) {  // a child to the right, and the pointer behind it
      Put(page, 8, 0);
      Put(page, 10, 1);
      Put(page, 12, 400);
    }
    EXPECT_EQ(HasGap(page), is_btree) << type;
  }
}

TEST(PageGap, NoneWhereACellOrTheContentIsOutOfPlace) {
  EXPECT_FALSE(HasGap(MakePage(13, 512, 400, {399}))) << "a cell in the gap";
  EXPECT_FALSE(HasGap(MakePage(13, 512, 400, {400, 12}))) << "a cell in the gap";
  EXPECT_FALSE(HasGap(MakePage(13, 512, 400, {509}))) << "a cell behind the page";
  EXPECT_FALSE(HasGap(MakePage(13, 512, 513, {}))) << "content behind the page";
  EXPECT_FALSE(HasGap(MakePage(13, 512, 11, {400, 400}))) << "content in the pointers";
  EXPECT_FALSE(HasGap(MakePage(13, 4096, 65536, {}))) << "content behind a page of 4 KiB";
  Page many = MakePage(13, 512, 400, {400});
  Put(many, 3, 300);
  EXPECT_FALSE(HasGap(many)) << "more cells than have room";
}

TEST(PageGap, NoneWhereTheFreeblocksAreOutOfPlace) {
  const Page good = MakePage(13, 512, 400, {500});
  const auto with_freeblock = [&](size_t at, size_t next, size_t bytes) {
    Page page = good;
    Put(page, 1, at);
    Put(page, at, next);
    Put(page, at + 2, bytes);
    return page;
  };
  EXPECT_TRUE(HasGap(with_freeblock(420, 0, 50)));
  EXPECT_FALSE(HasGap(with_freeblock(300, 0, 50))) << "in the gap";
  EXPECT_FALSE(HasGap(with_freeblock(420, 0, 93))) << "behind the page";
  EXPECT_FALSE(HasGap(with_freeblock(420, 0, 3))) << "smaller than there are";
  EXPECT_FALSE(HasGap(with_freeblock(420, 440, 50))) << "one in another";
  EXPECT_FALSE(HasGap(with_freeblock(420, 420, 50))) << "a ring";
  Page fragments = good;
  fragments[7] = 61;
  EXPECT_FALSE(HasGap(fragments)) << "more fragments than there may be";
}

TEST(PageGap, NoneWhereTheRightChildIsBeyondTheDatabasesThatAreSafe) {
  Page page = MakePage(5, 512, 400, {400});
  page[8] = 1;
  EXPECT_FALSE(HasGap(page));
}

// They begin with the number of a page.
TEST(PageGap, OverflowPagesAndTrunksOfSmallDatabasesHaveNone) {
  std::mt19937 random(3);
  for (int i = 0; i < 1000; ++i) {
    Page page(512);
    for (unsigned char& byte : page) byte = static_cast<unsigned char>(random());
    page[0] = 0;  // of a page number below 2^24
    EXPECT_FALSE(HasGap(page));
  }
}

TEST(PageGap, StaysInsideThePageWhateverTheBytes) {
  std::mt19937 random(5);
  int found = 0;
  for (int i = 0; i < 200'000; ++i) {
    Page page(i % 2 == 0 ? 512 : 112);
    for (unsigned char& byte : page) byte = static_cast<unsigned char>(random() % 6);
    constexpr unsigned char kTypes[] = {2, 5, 10, 13};
    const size_t header_at = i % 3 == 0 ? 100 : 0;
    page[header_at] = kTypes[random() % 4];
    Put(page, header_at + 1, 0);
    Put(page, header_at + 3, random() % 2);
    const std::optional<PageGap> gap = FindPageGap(page, header_at);
    if (!gap.has_value()) continue;
    ++found;
    EXPECT_GE(gap->begin, header_at + 8);
    EXPECT_LE(gap->begin, gap->end);
    EXPECT_LE(gap->end, page.size());
  }
  EXPECT_GT(found, 100) << "or this says nothing";
}

}  // namespace
}  // namespace userservice::sqlite
