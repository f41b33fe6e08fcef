#include "service/store/writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/store/storage_error.h"
#include "tests/store/file_size_limit.h"
#include "tests/store/writer_fixture.h"

namespace userservice::store {
namespace {

TEST_F(WriterTest, WritesQueuedBehindACommitShareTheNextOne) {
  HeldWriter held(writer());
  const int64_t batches = writer().stats().batches;
  std::deque<StartedWrite> writes;
  for (int i = 0; i < 50; ++i) writes.emplace_back(Write(Insert(absl::StrCat(i, "@x.org"))));
  EXPECT_EQ(writer().open_jobs(), 51u);
  held.Release();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(writes[i].Get().ok()) << writes[i].Get().status();
    EXPECT_EQ(*writes[i].Get(), i + 1) << "revisions follow the order of arrival, without gaps";
  }
  EXPECT_EQ(writer().stats().batches, batches + 2) << "the held one, and one for all the others";
  EXPECT_EQ(writer().open_jobs(), 0u);
  EXPECT_EQ(CountUsers(), 50);
}

TEST_F(WriterTest, AJobThatFailsLeavesItsNeighboursStored) {
  HeldWriter held(writer());
  StartedWrite first(Write(Insert("first@x.org")));
  const Job insert_then_fail = [](WriteScope& scope) -> absl::StatusOr<int64_t> {
    EXPECT_TRUE(Insert("half@x.org")(scope).ok());
    return Insert("first@x.org")(scope);
  };
  StartedWrite failing(Write(insert_then_fail));
  StartedWrite one_statement(Write(Insert("first@x.org"), WriteKind::kOneStatement));
  StartedWrite last(Write(Insert("last@x.org")));
  held.Release();
  EXPECT_EQ(first.Get().value(), 1);
  EXPECT_FALSE(failing.Get().ok());
  EXPECT_FALSE(one_statement.Get().ok());
  EXPECT_EQ(last.Get().value(), 2) << "a failed job consumes no revision";
  EXPECT_EQ(CountUsers(), 2);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM users WHERE email = 'half@x.org'"), 0);
}

TEST_F(WriterTest, AJobThatThrowsCostsOneInternalError) {
  HeldWriter held(writer());
  StartedWrite before(Write(Insert("a@x.org")));
  const Job insert_then_throw = [](WriteScope& scope) -> absl::StatusOr<int64_t> {
    EXPECT_TRUE(Insert("b@x.org")(scope).ok());
    throw std::runtime_error("thrown by a test");
  };
  StartedWrite throwing(Write(insert_then_throw));
  StartedWrite after(Write(Insert("c@x.org")));
  held.Release();
  EXPECT_TRUE(before.Get().ok());
  EXPECT_EQ(errors::ReasonOf(throwing.Get().status()), "INTERNAL");
  EXPECT_TRUE(after.Get().ok());
  EXPECT_EQ(CountUsers(), 2);
}

TEST_F(WriterTest, OneStatementIsUndoneTooIfItsJobThrowsBehindIt) {
  HeldWriter held(writer());
  StartedWrite before(Write(Insert("a@x.org")));
  int runs = 0;
  const Job insert_then_throw = [&](WriteScope& scope) -> absl::StatusOr<int64_t> {
    ++runs;
    EXPECT_TRUE(Insert("b@x.org")(scope).ok());
    throw std::runtime_error("thrown by a test");
  };
  StartedWrite throwing(Write(insert_then_throw, WriteKind::kOneStatement));
  StartedWrite after(Write(Insert("c@x.org"), WriteKind::kOneStatement));
  held.Release();
  EXPECT_EQ(before.Get().value(), 1);
  EXPECT_EQ(errors::ReasonOf(throwing.Get().status()), "INTERNAL");
  EXPECT_EQ(after.Get().value(), 2) << "no revision is given out twice, and none is left out";
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(CountUsers(), 2);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM users WHERE email = 'b@x.org'"), 0);
}

TEST_F(WriterTest, AcknowledgesNothingBeforeItsCommit) {
  int64_t seen_by_others_in_the_job = -1;
  const Job insert_and_look = [&](WriteScope& scope) -> absl::StatusOr<int64_t> {
    absl::StatusOr<int64_t> revision = Insert("a@x.org")(scope);
    seen_by_others_in_the_job = CountUsers();
    return revision;
  };
  // Goes on on the writer's thread, in the moment of the acknowledgement.
  const auto write_and_look = [](Task<absl::StatusOr<int64_t>> write, Writer& writer,
                                 const TempDatabase& database) -> Task<int64_t> {
    EXPECT_TRUE((co_await std::move(write)).ok());
    EXPECT_EQ(writer.committed().value(), 1);
    co_return database.Integer("SELECT count(*) FROM users");
  };
  EXPECT_EQ(BlockOn(write_and_look(Write(insert_and_look), writer(), database_)), 1);
  EXPECT_EQ(seen_by_others_in_the_job, 0);
}

TEST_F(WriterTest, AJobThatChangesNothingConsumesNoRevision) {
  const Job nothing = [](WriteScope&) -> absl::StatusOr<int64_t> { return 0; };
  const Job discarded = [](WriteScope& scope) -> absl::StatusOr<int64_t> {
    absl::StatusOr<int64_t> revision = Insert("a@x.org")(scope);
    scope.Discard();
    return revision;
  };
  EXPECT_EQ(WriteNow(Insert("b@x.org")).value(), 1);
  EXPECT_TRUE(WriteNow(nothing).ok());
  EXPECT_EQ(WriteNow(discarded).value(), 2) << "what it would have been";
  EXPECT_EQ(writer().committed().value(), 1);
  EXPECT_EQ(WriteNow(Insert("c@x.org")).value(), 2);
  EXPECT_EQ(CountUsers(), 2);
}

TEST_F(WriterTest, GoesOnFromTheNewestRevisionInTheDatabase) {
  EXPECT_TRUE(WriteNow(Insert("a@x.org")).ok());
  EXPECT_TRUE(WriteNow(Insert("b@x.org")).ok());
  writer_.reset();
  database_.Execute(
      "INSERT INTO tombstones (user_id, revision, deleted_at) VALUES (9, 7, '2024-01-01 "
      "00:00:00')");
  EXPECT_EQ(writer().committed().value(), 7);
  EXPECT_EQ(WriteNow(Insert("c@x.org")).value(), 8);
}

TEST_F(WriterTest, AFullDiskFailsTheWholeBatchAndGivesItsRevisionsBack) {
  EXPECT_EQ(WriteNow(Insert("a@x.org")).value(), 1);
  const auto limit_pages = [](const std::string& pragma) -> Job {
    return [pragma](WriteScope& scope) -> absl::StatusOr<int64_t> {
      if (absl::Status status = scope.connection().Execute(pragma.c_str()); !status.ok())
        return status;
      return 0;
    };
  };
  ASSERT_TRUE(WriteNow(limit_pages("PRAGMA max_page_count = 1")).ok());  // no more than there are

  HeldWriter held(writer());
  StartedWrite small(Write(Insert("b@x.org")));
  StartedWrite large(Write(Insert("c@x.org", std::string(100'000, 'x')), WriteKind::kOneStatement));
  StartedWrite behind(Write(Insert("d@x.org")));
  held.Release();
  EXPECT_EQ(errors::ReasonOf(small.Get().status()), "STORAGE_FULL");
  EXPECT_EQ(errors::ReasonOf(large.Get().status()), "STORAGE_FULL");
  EXPECT_EQ(errors::ReasonOf(behind.Get().status()), "STORAGE_FULL");
  EXPECT_EQ(CountUsers(), 1);
  EXPECT_EQ(writer().committed().value(), 1);

  ASSERT_TRUE(WriteNow(limit_pages("PRAGMA max_page_count = 1000000")).ok());
  EXPECT_EQ(WriteNow(Insert("b@x.org")).value(), 2);
}

TEST_F(WriterTest, AnIoErrorRefusesWritesUntilTheDatabaseWasReopened) {
  options_.reopen_interval = absl::Seconds(1);
  EXPECT_EQ(WriteNow(Insert("a@x.org")).value(), 1);
  {
    const FileSizeLimit limit(std::filesystem::file_size(wal_path()));
    HeldWriter held(writer());
    StartedWrite one(Write(Insert("b@x.org")));
    StartedWrite other(Write(Insert("c@x.org")));
    held.Release();
    EXPECT_EQ(errors::ReasonOf(one.Get().status()), "STORAGE_UNAVAILABLE");
    EXPECT_EQ(errors::ReasonOf(other.Get().status()), "STORAGE_UNAVAILABLE");
    EXPECT_FALSE(errors::CauseOf(one.Get().status()).empty()) << "the log learns what SQLite said";
    // Reopens, and fails in the same way.
    EXPECT_EQ(errors::ReasonOf(WriteNow(Insert("d@x.org")).status()), "STORAGE_UNAVAILABLE");
  }
  EXPECT_EQ(errors::ReasonOf(WriteNow(Insert("e@x.org")).status()), "STORAGE_UNAVAILABLE")
      << "the last attempt was less than a second ago";
  EXPECT_EQ(CountUsers(), 1);
  Advance(absl::Seconds(1));
  EXPECT_EQ(WriteNow(Insert("f@x.org")).value(), 2);
  EXPECT_EQ(CountUsers(), 2);
}

// The bytes of one page of the database, overwritten until Repair().
class CorruptPage {
 public:
  CorruptPage(std::string path, int64_t page) : path_(std::move(path)), at_((page - 1) * 4096) {
    std::ifstream file(path_, std::ios::binary);
    file.seekg(at_).read(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
    EXPECT_TRUE(file.good());
    Write(std::string(bytes_.size(), 'Z'));
  }
  void Repair() const { Write(bytes_); }

 private:
  void Write(const std::string& bytes) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at_).write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    EXPECT_TRUE(file.good());
  }

  const std::string path_;
  const std::streamoff at_;
  std::string bytes_ = std::string(4096, '\0');
};

TEST_F(WriterTest, ADamagedPageRefusesWritesUntilItIsRepaired) {
  const CorruptPage page(
      database_.path(),
      database_.Integer(
          "SELECT rootpage FROM sqlite_schema WHERE name = 'request_ids_by_created_at'"));
  const Job touch_it = [](WriteScope& scope) -> absl::StatusOr<int64_t> {
    const absl::Status status = sqlite::RunCached(
        scope.connection(), "INSERT INTO request_ids VALUES ('a', x'00', 1, NULL, 1)");
    return status.ok() ? absl::StatusOr<int64_t>(0) : StorageError(status);
  };
  EXPECT_EQ(WriteNow(Insert("a@x.org")).value(), 1) << "nothing has met it yet";
  {
    HeldWriter held(writer());
    StartedWrite neighbour(Write(Insert("b@x.org")));
    StartedWrite damaged(Write(touch_it));
    held.Release();
    EXPECT_EQ(errors::ReasonOf(damaged.Get().status()), "STORAGE_UNAVAILABLE");
    EXPECT_EQ(errors::ReasonOf(neighbour.Get().status()), "STORAGE_UNAVAILABLE");
  }
  EXPECT_EQ(errors::ReasonOf(WriteNow(Insert("c@x.org")).status()), "STORAGE_UNAVAILABLE")
      << "quick_check finds it";
  page.Repair();
  Advance(absl::Seconds(1));
  EXPECT_EQ(WriteNow(Insert("d@x.org")).value(), 2);
  EXPECT_TRUE(WriteNow(touch_it).ok());
  EXPECT_EQ(CountUsers(), 2);
}

TEST_F(WriterTest, AnInterruptedWriteTakesNoNeighbourWithIt) {
  std::atomic<sqlite::Connection*> connection{nullptr};
  const Job endless = [&](WriteScope& scope) -> absl::StatusOr<int64_t> {
    connection = &scope.connection();
    sqlite::QueryScope insert(scope.connection(),
                              "INSERT INTO tombstones (user_id, revision, deleted_at) "
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                              "SELECT i, ?, '' FROM n",
                              scope.limits());
    return StorageError(insert.Bind(scope.TakeRevision()).Run());
  };
  std::stop_source stop;
  HeldWriter held(writer());
  StartedWrite before(Write(Insert("a@x.org")));
  StartedWrite stopped(Write(endless), stop.get_token());
  StartedWrite after(Write(Insert("b@x.org")));
  held.Release();
  while (connection.load() == nullptr || connection.load()->active_statements() == 0)
    std::this_thread::yield();
  stop.request_stop();
  EXPECT_EQ(errors::ReasonOf(stopped.Get().status()), "CALL_CANCELLED");
  EXPECT_EQ(before.Get().value(), 1) << "it ran again: SQLite had rolled it back with the other";
  EXPECT_EQ(after.Get().value(), 2);
  EXPECT_EQ(CountUsers(), 2);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM tombstones"), 0);
  EXPECT_EQ(writer().stats().statements, 0u);
}

TEST_F(WriterTest, DoesNotRunAJobWhoseDeadlinePassedInTheQueue) {
  bool ran = false;
  const Job job = [&](WriteScope&) -> absl::StatusOr<int64_t> {
    ran = true;
    return 0;
  };
  HeldWriter held(writer());
  StartedWrite late(
      Write(job, WriteKind::kOneStatement, CallContext(now() + absl::Seconds(10), nullptr)));
  Advance(absl::Seconds(11));
  held.Release();
  EXPECT_EQ(errors::ReasonOf(late.Get().status()), "DEADLINE_EXPIRED");
  EXPECT_FALSE(ran);
}

TEST_F(WriterTest, DoesNotRunAJobThatWasStoppedInTheQueue) {
  bool ran = false;
  const Job job = [&](WriteScope&) -> absl::StatusOr<int64_t> {
    ran = true;
    return 0;
  };
  std::stop_source stop;
  HeldWriter held(writer());
  StartedWrite stopped(Write(job), stop.get_token());
  stop.request_stop();
  held.Release();
  EXPECT_EQ(errors::ReasonOf(stopped.Get().status()), "CALL_CANCELLED");
  EXPECT_FALSE(ran);
}

TEST_F(WriterTest, EndsABatchThatTakesTooLongAndGoesOnWithTheRest) {
  options_.batch_time_max = absl::Seconds(1);
  HeldWriter held(writer());
  const int64_t batches = writer().stats().batches;
  std::deque<StartedWrite> writes;
  for (int i = 0; i < 3; ++i) {
    const Job slow = [this, insert = Insert(absl::StrCat(i, "@x.org"))](WriteScope& scope) {
      Advance(absl::Seconds(2));
      return insert(scope);
    };
    writes.emplace_back(Write(slow));
  }
  held.Release();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(writes[i].Get().value(), i + 1);
  EXPECT_EQ(writer().stats().batches, batches + 4);
}

TEST_F(WriterTest, CloseRunsWhatIsQueuedAndRefusesTheRest) {
  std::deque<StartedWrite> writes;
  {
    HeldWriter held(writer());
    for (int i = 0; i < 10; ++i) writes.emplace_back(Write(Insert(absl::StrCat(i, "@x.org"))));
  }
  writer().Close();
  for (StartedWrite& write : writes) EXPECT_TRUE(write.Get().ok());
  EXPECT_EQ(errors::ReasonOf(WriteNow(Insert("late@x.org")).status()), "SHUTTING_DOWN");
  EXPECT_EQ(CountUsers(), 10);
}

TEST_F(WriterTest, KeepsTheLogBounded) {
  constexpr int64_t kPageBytes = 4096 + 24;
  options_.checkpoint_pages = 8;
  options_.wal_pages_max = 32;
  uintmax_t largest = 0;
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(WriteNow(Insert(absl::StrCat(i, "@x.org"))).ok());
    largest = std::max(largest, std::filesystem::file_size(wal_path()));
  }
  EXPECT_LT(largest, (options_.wal_pages_max + 3 * options_.checkpoint_pages) * kPageBytes);
  writer_.reset();
  EXPECT_FALSE(std::filesystem::exists(wal_path()) && std::filesystem::file_size(wal_path()) > 0);
  EXPECT_EQ(CountUsers(), 400);
}

TEST_F(WriterTest, CutsTheLogToNothingAfterAnErasure) {
  const Job erase = [](WriteScope& scope) -> absl::StatusOr<int64_t> {
    scope.EraseFromLog();
    return Insert("a@x.org")(scope);
  };
  const auto wait_for_an_empty_log = [this] {
    while (std::filesystem::file_size(wal_path()) > 0) std::this_thread::yield();
  };
  const std::unique_ptr<sqlite::Connection> reader = database_.Connect();
  ASSERT_TRUE(WriteNow(Insert("b@x.org")).ok());
  ASSERT_TRUE(reader->Execute("BEGIN; SELECT count(*) FROM users").ok());
  ASSERT_TRUE(WriteNow(erase).ok());
  EXPECT_GT(std::filesystem::file_size(wal_path()), 0u) << "the reader still needs it";
  ASSERT_TRUE(reader->Execute("COMMIT").ok());
  wait_for_an_empty_log();
  ASSERT_TRUE(WriteNow(Insert("c@x.org")).ok()) << "and the next commit begins it anew";
  EXPECT_EQ(CountUsers(), 3);
}

// As a crash leaves it between a deletion and the end of its erasure.
TEST_F(WriterTest, CutsTheLogToNothingWhenItOpens) {
  const std::unique_ptr<sqlite::Connection> other = database_.Connect();
  ASSERT_TRUE(other->Execute("INSERT INTO users (name, email) VALUES ('n', 'a@x.org')").ok());
  ASSERT_GT(std::filesystem::file_size(wal_path()), 0u);
  writer();
  EXPECT_EQ(std::filesystem::file_size(wal_path()), 0u);
}

TEST_F(WriterTest, AJobThatIsStoppedWaitsNoLongerForAnotherProgramsLock) {
  const std::unique_ptr<sqlite::Connection> other = database_.Connect();
  writer();
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  const absl::Time begun = absl::Now();
  std::stop_source stop;
  {
    StartedWrite alone(Write(Insert("a@x.org")), stop.get_token());
    stop.request_stop();
    EXPECT_EQ(errors::ReasonOf(alone.Get().status()), "CALL_CANCELLED");
  }
  StartedWrite late(
      Write(Insert("b@x.org"), WriteKind::kOneStatement, CallContext(now(), nullptr)));
  EXPECT_EQ(errors::ReasonOf(late.Get().status()), "DEADLINE_EXPIRED");
  EXPECT_LT(absl::Now() - begun, absl::Seconds(5)) << "what one of them would have waited";
  StartedWrite patient(Write(Insert("c@x.org")));
  ASSERT_TRUE(other->Execute("COMMIT").ok());
  EXPECT_EQ(patient.Get().value(), 1);
  EXPECT_EQ(CountUsers(), 1);
}

TEST_F(WriterTest, TellsWhereTheTimeWent) {
  const Job slow = [this](WriteScope&) -> absl::StatusOr<int64_t> {
    Advance(absl::Seconds(2));
    return 0;
  };
  CallTiming timing;
  HeldWriter held(writer());
  StartedWrite write(
      Write(slow, WriteKind::kOneStatement, CallContext(absl::InfiniteFuture(), &timing)));
  Advance(absl::Seconds(5));
  held.Release();
  EXPECT_TRUE(write.Get().ok());
  EXPECT_EQ(timing.queue_wait, absl::Seconds(5));
  EXPECT_EQ(timing.sql, absl::Seconds(2));
}

}  // namespace
}  // namespace userservice::store
