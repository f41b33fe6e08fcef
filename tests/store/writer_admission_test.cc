// What the writer takes and what it refuses: by rows, by bytes and by the time until its turn.
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "tests/store/writer_fixture.h"

namespace userservice::store {
namespace {

TEST_F(WriterTest, AFullQueueIsOverloaded) {
  options_.queue_rows_max = 3;
  HeldWriter held(writer());
  std::deque<StartedWrite> queued;
  for (int i = 0; i < 3; ++i) queued.emplace_back(Write(Insert(absl::StrCat(i, "@x.org"))));
  const absl::StatusOr<int64_t> refused = WriteNow(Insert("one-too-many@x.org"));
  EXPECT_EQ(errors::ReasonOf(refused.status()), "OVERLOADED");
  EXPECT_GT(errors::RetryAfterOf(refused.status()), absl::ZeroDuration());
  held.Release();
  for (StartedWrite& write : queued) EXPECT_TRUE(write.Get().ok());
}

TEST_F(WriterTest, AQueueIsFullOfRowsOrOfBytes) {
  options_.queue_rows_max = 1000;
  options_.queue_bytes_max = 5000;
  const Job nothing = [](WriteScope&) -> absl::StatusOr<int64_t> { return 0; };
  HeldWriter held(writer());
  StartedWrite large(WriteOf({700, 100}, nothing));
  EXPECT_EQ(errors::ReasonOf(BlockOn(WriteOf({301, 100}, nothing)).status()), "OVERLOADED");
  StartedWrite fits(WriteOf({300, 100}, nothing));
  EXPECT_EQ(errors::ReasonOf(BlockOn(WriteOf({1, 100}, nothing)).status()), "OVERLOADED");
  held.Release();
  EXPECT_TRUE(large.Get().ok());
  EXPECT_TRUE(fits.Get().ok());

  HeldWriter again(writer());
  StartedWrite bytes(WriteOf({1, 4000}, nothing));
  EXPECT_EQ(errors::ReasonOf(BlockOn(WriteOf({1, 1001}, nothing)).status()), "OVERLOADED");
  StartedWrite fewer(WriteOf({1, 1000}, nothing));
  again.Release();
  EXPECT_TRUE(bytes.Get().ok());
  EXPECT_TRUE(fewer.Get().ok());
}

TEST_F(WriterTest, AnEmptyQueueTakesAJobOfAnyWeight) {
  options_.queue_rows_max = 10;
  options_.queue_bytes_max = 10;
  HeldWriter held(writer());
  StartedWrite heavy(WriteOf({1000, 1000}, Insert("a@x.org")));
  EXPECT_EQ(errors::ReasonOf(WriteNow(Insert("b@x.org")).status()), "OVERLOADED");
  held.Release();
  EXPECT_TRUE(heavy.Get().ok());
}

TEST_F(WriterTest, ABatchIsBoundedByItsRows) {
  options_.batch_rows_max = 10;
  HeldWriter held(writer());
  const int64_t batches = writer().stats().batches;
  std::deque<StartedWrite> writes;
  for (const size_t rows : {4, 4, 50, 4, 6, 1})
    writes.emplace_back(WriteOf({rows, 0}, Insert(absl::StrCat(writes.size(), "@x.org"))));
  held.Release();
  for (size_t i = 0; i < writes.size(); ++i)
    EXPECT_EQ(writes[i].Get().value(), static_cast<int64_t>(i + 1)) << "in order of arrival";
  EXPECT_EQ(writer().stats().batches, batches + 5) << "held; 4 and 4; 50; 4 and 6; 1";
}

TEST_F(WriterTest, ExpectsABatchToTakeAsLongAsItsRows) {
  const Job slow = [this](WriteScope&) -> absl::StatusOr<int64_t> {
    Advance(absl::Seconds(4));
    return 0;
  };
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(BlockOn(WriteOf({1000, 0}, slow)).ok());
  HeldWriter held(writer());
  StartedWrite batch(WriteOf({1000, 0}, slow));
  const CallContext in_a_second(now() + absl::Seconds(1), nullptr);
  const absl::StatusOr<int64_t> refused =
      WriteNow(Insert("a@x.org"), WriteKind::kOneStatement, in_a_second);
  EXPECT_EQ(errors::ReasonOf(refused.status()), "OVERLOADED");
  EXPECT_GT(errors::RetryAfterOf(refused.status()), absl::Seconds(3));
  EXPECT_LT(errors::RetryAfterOf(refused.status()), absl::Seconds(5));
  held.Release();
  EXPECT_TRUE(batch.Get().ok());
}

TEST_F(WriterTest, AJobThatFailsOnItsWayDoesNotMakeRowsLookCheap) {
  const Job slow = [this](WriteScope&) -> absl::StatusOr<int64_t> {
    Advance(absl::Seconds(4));
    return 0;
  };
  const Job fails_soon = [this](WriteScope&) -> absl::StatusOr<int64_t> {
    Advance(absl::Milliseconds(4));
    return errors::UserNotFound(1);
  };
  EXPECT_TRUE(BlockOn(WriteOf({1000, 0}, slow)).ok());
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(errors::ReasonOf(BlockOn(WriteOf({1000, 0}, fails_soon)).status()), "USER_NOT_FOUND");
  HeldWriter held(writer());
  StartedWrite batch(WriteOf({1000, 0}, slow));
  const CallContext in_a_second(now() + absl::Seconds(1), nullptr);
  EXPECT_EQ(
      errors::ReasonOf(WriteNow(Insert("a@x.org"), WriteKind::kOneStatement, in_a_second).status()),
      "OVERLOADED");
  held.Release();
  EXPECT_TRUE(batch.Get().ok());
}

TEST_F(WriterTest, ASlowWriteDoesNotKeepAChunkOfThousandsOut) {
  const Job stalls = [this](WriteScope&) -> absl::StatusOr<int64_t> {
    Advance(absl::Seconds(1));
    return 0;
  };
  EXPECT_TRUE(WriteNow(stalls).ok());
  HeldWriter held(writer());
  const CallContext in_two_seconds(now() + absl::Seconds(2), nullptr);
  StartedWrite chunk(Write(Insert("a@x.org"), WriteKind::kSeveralStatements, in_two_seconds,
                           WriteWeight(1000, 0)));
  StartedWrite behind(Write(Insert("b@x.org"), WriteKind::kOneStatement, in_two_seconds));
  held.Release();
  EXPECT_TRUE(chunk.Get().ok()) << chunk.Get().status();
  EXPECT_TRUE(behind.Get().ok()) << behind.Get().status();
}

TEST_F(WriterTest, RefusesAtOnceWhatCanNotBeDoneBeforeItsDeadline) {
  const Job slow = [this](WriteScope&) -> absl::StatusOr<int64_t> {
    Advance(absl::Seconds(4));
    return 0;
  };
  const auto due_in = [this](absl::Duration time) { return CallContext(now() + time, nullptr); };
  EXPECT_TRUE(WriteNow(slow).ok());
  EXPECT_TRUE(WriteNow(Insert("a@x.org"), WriteKind::kOneStatement, due_in(absl::Seconds(1))).ok())
      << "with nobody ahead a write is always taken";
  EXPECT_TRUE(WriteNow(slow).ok());

  HeldWriter held(writer());
  const absl::StatusOr<int64_t> refused =
      WriteNow(Insert("b@x.org"), WriteKind::kOneStatement, due_in(absl::Seconds(1)));
  EXPECT_EQ(errors::ReasonOf(refused.status()), "OVERLOADED");
  EXPECT_GT(errors::RetryAfterOf(refused.status()), absl::Seconds(1));
  EXPECT_LT(errors::RetryAfterOf(refused.status()), absl::Seconds(10));
  StartedWrite patient(
      Write(Insert("c@x.org"), WriteKind::kOneStatement, due_in(absl::Seconds(60))));
  held.Release();
  EXPECT_TRUE(patient.Get().ok()) << patient.Get().status();
}

}  // namespace
}  // namespace userservice::store
