#include "client/cli/import/chunks.h"

#include <regex>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/cli/import/input.h"

namespace userservice::cli {
namespace {

constexpr char kImportId[] = "2b0c6f0e-6f0e-4f4e-9d43-5a2d7c1c2b11";

// The chunks after `position`, numbered on from `number`.
std::vector<Chunk> ChunksAfter(const Input& input, const Position& position, int64_t number) {
  auto lines = input.Lines();
  auto records = *MakeRecordParser(InputFormat::kCsv, *lines);
  if (position.offset > 0) {
    EXPECT_TRUE(lines->SkipTo(position.offset, position.line).ok());
    EXPECT_EQ(lines->hash(), position.hash);
  }
  ChunkReader reader(std::move(lines), std::move(records), kImportId, number,
                     [](const std::string&) {});
  std::vector<Chunk> chunks;
  for (auto chunk = reader.Next(); chunk->has_value(); chunk = reader.Next())
    chunks.push_back(**std::move(chunk));
  return chunks;
}

std::string CsvOf(int rows) {
  std::string text = "name,email\n";
  for (int i = 1; i <= rows; ++i) {
    if (i % 7 == 0) {
      absl::StrAppend(&text, "User ", i, "\n");
    } else {
      absl::StrAppend(&text, "User ", i, ",user", i, "@example.com\n");
    }
  }
  return text;
}

TEST(ChunkReader, CutsTheFileIntoChunksOfAThousandUsers) {
  const Input input(CsvOf(2800));
  const std::vector<Chunk> chunks = ChunksAfter(input, Position(), 1);
  ASSERT_EQ(chunks.size(), 3);
  EXPECT_EQ(chunks[0].request.users_size(), 1000);
  EXPECT_EQ(chunks[1].request.users_size(), 1000);
  EXPECT_EQ(chunks[2].request.users_size(), 400);
  EXPECT_EQ(chunks[0].rejected.size() + chunks[1].rejected.size() + chunks[2].rejected.size(), 400);
  EXPECT_EQ(chunks[0].lines.front(), 2);
  EXPECT_EQ(chunks[0].rejected.front().line, 8);
  EXPECT_EQ(chunks[2].request.sequence(), 3);
  EXPECT_EQ(chunks[2].end.line, 2801);
}

TEST(ChunkReader, GoesOnWithTheSameChunksAndTheSameRequestIds) {
  const Input input(CsvOf(2800));
  const std::vector<Chunk> all = ChunksAfter(input, Position(), 1);
  const std::vector<Chunk> rest = ChunksAfter(input, all[0].end, 2);
  ASSERT_EQ(rest.size(), 2);
  for (size_t i = 0; i < rest.size(); ++i) {
    EXPECT_EQ(rest[i].request.SerializeAsString(), all[i + 1].request.SerializeAsString());
    EXPECT_EQ(rest[i].lines, all[i + 1].lines);
    EXPECT_EQ(rest[i].end.hash, all[i + 1].end.hash);
  }
}

TEST(ChunkReader, HasChunksOfNothingButRejectedLines) {
  std::string text = "name,email\n";
  for (int i = 0; i < 2500; ++i) text += "nobody\n";
  const Input input(text);
  const std::vector<Chunk> chunks = ChunksAfter(input, Position(), 1);
  ASSERT_EQ(chunks.size(), 3);
  EXPECT_EQ(chunks[0].request.users_size(), 0);
  EXPECT_EQ(chunks[0].rejected.size(), 1000);
}

TEST(ChunkReader, KeepsItsChunksSmallerThanAMessageMayBe) {
  std::string text = "name,email\n";
  for (int i = 0; i < 100; ++i)
    absl::StrAppend(&text, std::string(60'000, 'x'), ",user", i, "@example.com\n");
  size_t users = 0;
  for (const Chunk& chunk : ChunksAfter(Input(text), Position(), 1)) {
    EXPECT_LT(chunk.request.ByteSizeLong(), size_t{4} << 20);
    users += chunk.lines.size();
  }
  EXPECT_EQ(users, 100);
}

TEST(ChunkReader, HasNoneForATitleAlone) {
  const Input input("name,email\r\n");
  EXPECT_EQ(ChunksAfter(input, Position(), 1).size(), 0);
}

TEST(ChunkRequestId, IsAUuid4ThatDependsOnTheImportAndTheChunkAlone) {
  const std::string id = ChunkRequestId(kImportId, 1);
  EXPECT_TRUE(std::regex_match(
      id, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << id;
  EXPECT_EQ(id, ChunkRequestId(kImportId, 1));
  EXPECT_NE(id, ChunkRequestId(kImportId, 2));
  EXPECT_NE(id, ChunkRequestId("another", 1));
}

}  // namespace
}  // namespace userservice::cli
