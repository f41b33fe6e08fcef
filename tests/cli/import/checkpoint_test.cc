#include "client/cli/import/checkpoint.h"

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

using ::testing::HasSubstr;

Checkpoint Halfway() {
  Checkpoint checkpoint;
  checkpoint.import_id = "2b0c6f0e-6f0e-4f4e-9d43-5a2d7c1c2b11";
  checkpoint.server = "127.0.0.1:50051";
  checkpoint.rejected_path = "no good.csv";
  checkpoint.format = InputFormat::kJsonLines;
  checkpoint.file_bytes = 1'000'000;
  checkpoint.chunks = 3;
  checkpoint.end.offset = 120'000;
  checkpoint.end.line = 3'010;
  checkpoint.end.hash = std::string("\0\n \\\xff", 5);
  checkpoint.created = 2'999;
  checkpoint.rejected = 11;
  checkpoint.rejected_file_bytes = 400;
  checkpoint.listed.push_back({17, "email: must hold one @\nreally", {}});
  return checkpoint;
}

TEST(Checkpoint, IsReadAsItWasWritten) {
  const absl::StatusOr<Checkpoint> read = ParseCheckpoint(CheckpointText(Halfway()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(CheckpointText(*read), CheckpointText(Halfway()));
  EXPECT_EQ(read->end.hash, Halfway().end.hash);
  EXPECT_EQ(read->rejected_path, "no good.csv");
  EXPECT_EQ(read->format, InputFormat::kJsonLines);
  EXPECT_EQ(read->created, 2'999);
  ASSERT_EQ(read->listed.size(), 1);
  EXPECT_EQ(read->listed[0].line, 17);
  EXPECT_EQ(read->listed[0].reason, "email: must hold one @\nreally");
}

TEST(Checkpoint, ThatIsNoneIsRefused) {
  const std::string text = CheckpointText(Halfway());
  for (const std::string& wrong :
       {std::string(), std::string("name,email\nA,a@b.c\n"), text.substr(0, text.size() / 2),
        absl::StrReplaceAll(text, {{"userctl import 1", "userctl import 2"}}),
        absl::StrReplaceAll(text, {{"chunks 3", "chunks three"}}),
        absl::StrReplaceAll(text, {{"chunks 3", "chunks -3"}}),
        absl::StrReplaceAll(text, {{"rejected_line 17", "rejected_line x"}})}) {
    EXPECT_EQ(ParseCheckpoint(wrong).status().code(), absl::StatusCode::kFailedPrecondition)
        << wrong;
  }
}

TEST(Checkpoint, GoesOnForTheSameImportAlone) {
  const Checkpoint halfway = Halfway();
  EXPECT_TRUE(MayGoOn(halfway, Halfway()).ok());
  const auto refused = [&](void (*change)(Checkpoint&)) {
    Checkpoint wanted = Halfway();
    change(wanted);
    return std::string(MayGoOn(halfway, wanted).message());
  };
  EXPECT_THAT(refused([](Checkpoint& wanted) { wanted.server = "other:1"; }),
              HasSubstr("--server=127.0.0.1:50051"));
  EXPECT_THAT(refused([](Checkpoint& wanted) { wanted.format = InputFormat::kCsv; }),
              HasSubstr("--format=jsonl"));
  EXPECT_THAT(refused([](Checkpoint& wanted) { wanted.rejected_path = "another.csv"; }),
              HasSubstr("--rejected=no good.csv"));
  EXPECT_THAT(refused([](Checkpoint& wanted) { ++wanted.file_bytes; }),
              HasSubstr("the file has changed"));

  Checkpoint without = Halfway();
  without.rejected_path.clear();
  EXPECT_THAT(std::string(MayGoOn(without, halfway).message()), HasSubstr("without --rejected"));
}

}  // namespace
}  // namespace userservice::cli
