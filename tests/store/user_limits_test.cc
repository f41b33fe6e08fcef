// What ends a call early: deadlines, stops, full queues, a state that has not come yet. After each
// of them nothing is open and the next call works.
#include <algorithm>
#include <atomic>
#include <ctime>
#include <deque>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/store/user_store_fixture.h"
#include "tests/support/sanitized.h"

namespace userservice::store {
namespace {

// What is promised of a thread that gets its share of a processor. So it is measured in processor
// time, which a busy machine does not stretch.
constexpr absl::Duration kStopsWithin = absl::Milliseconds(50);
constexpr absl::Duration kDeadline = absl::Milliseconds(20);
constexpr int kTries = 3;

// Of all threads; while a test waits for a scan, that is the scan's.
absl::Duration ProcessorTime() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

DatabaseOptions ManyUsers() {
  DatabaseOptions options;
  options.generate_users = Scaled(120'000, 40'000);
  return options;
}

// Matches nobody, and takes long to find out.
std::string HeavyFilter() {
  std::string filter = "name:\"no such name 0\"";
  for (int i = 1; i < 60; ++i) absl::StrAppend(&filter, " OR name:\"no such name ", i, "\"");
  return filter;
}

using StartedPage = Started<absl::StatusOr<UserPage>>;
using StartedCount = Started<absl::StatusOr<UserCount>>;
using StartedUser = Started<absl::StatusOr<EncodedUser>>;
using StartedUsers = Started<absl::StatusOr<std::vector<users::v1::User>>>;

class UserLimitsTest : public UserStoreTest {
 protected:
  UserLimitsTest() {
    options_.path = Many().path();
    options_.scan_threads = 1;  // so that the next scan has the same connection
    options_.rows_examined_max = 1'000'000;
  }
  static void TearDownTestSuite() {
    delete many;
    many = nullptr;
  }
  static const TempDatabase& Many() {
    if (many == nullptr) many = new TempDatabase(ManyUsers());
    return *many;
  }

  // Until a scan runs.
  void AwaitStatement() {
    while (store().open_resources().statements == 0) std::this_thread::yield();
  }
  void ExpectConnectionIsReusable() {
    ExpectNothingOpen();
    EXPECT_EQ(Count("user_id <= 1000"), 1000);
    EXPECT_EQ(Get(1)->user_id(), 1);
    ExpectNothingOpen();
  }

  // What a scan still takes once it was asked to stop.
  template <class T>
  absl::Duration TimeToStop(Task<absl::StatusOr<T>> scan) {
    std::stop_source stop;
    Started<absl::StatusOr<T>> started(std::move(scan), stop.get_token());
    AwaitStatement();
    const absl::Duration asked = ProcessorTime();
    stop.request_stop();
    EXPECT_EQ(ReasonOf(started.Get().status()), "CALL_CANCELLED");
    return ProcessorTime() - asked;
  }

  // At least what a scan takes past its deadline: before, it may have had no processor for a while.
  template <class Begin>
  absl::Duration TimePastDeadline(const Begin& begin) {
    const absl::Duration begun = ProcessorTime();
    const auto result = BlockOn(begin(CallContext(absl::Now() + kDeadline, nullptr)));
    const absl::Duration took = ProcessorTime() - begun;
    EXPECT_EQ(ReasonOf(result.status()), "DEADLINE_EXPIRED");
    return took - kDeadline;
  }

 private:
  static inline const TempDatabase* many = nullptr;
};

TEST_F(UserLimitsTest, ARunningScanStopsWhenItIsAskedTo) {
  const PageQuery filtered = Query(HeavyFilter());
  const PageQuery sorted = Query("", "create_time desc, name");
  absl::Duration filter_took = absl::InfiniteDuration();
  absl::Duration sort_took = absl::InfiniteDuration();
  absl::Duration count_took = absl::InfiniteDuration();
  for (int i = 0; i < kTries; ++i) {
    filter_took = std::min(filter_took, TimeToStop(store().ListUsers(CallContext(), filtered)));
    sort_took = std::min(sort_took, TimeToStop(store().ListUsers(CallContext(), sorted)));
    count_took =
        std::min(count_took, TimeToStop(store().CountUsers(CallContext(), filtered.filter)));
    ExpectConnectionIsReusable();
  }
  EXPECT_LT(filter_took, kStopsWithin);
  EXPECT_LT(sort_took, kStopsWithin);
  EXPECT_LT(count_took, kStopsWithin);
}

TEST_F(UserLimitsTest, ARunningScanStopsAtItsDeadline) {
  const PageQuery filtered = Query(HeavyFilter());
  const PageQuery sorted = Query("", "create_time desc, name");
  absl::Duration filter_late = absl::InfiniteDuration();
  absl::Duration sort_late = absl::InfiniteDuration();
  absl::Duration count_late = absl::InfiniteDuration();
  for (int i = 0; i < kTries; ++i) {
    const auto list = [&](const CallContext& context) {
      return store().ListUsers(context, filtered);
    };
    const auto sort = [&](const CallContext& context) {
      return store().ListUsers(context, sorted);
    };
    const auto count = [&](const CallContext& context) {
      return store().CountUsers(context, filtered.filter);
    };
    filter_late = std::min(filter_late, TimePastDeadline(list));
    sort_late = std::min(sort_late, TimePastDeadline(sort));
    count_late = std::min(count_late, TimePastDeadline(count));
    ExpectConnectionIsReusable();
  }
  EXPECT_LT(filter_late, kStopsWithin);
  EXPECT_LT(sort_late, kStopsWithin);
  EXPECT_LT(count_late, kStopsWithin);
}

TEST_F(UserLimitsTest, NothingIsReadForACallThatHasEnded) {
  const CallContext late(absl::Now() - absl::Seconds(1), nullptr);
  std::stop_source stopped;
  stopped.request_stop();
  const PageQuery query = Query("");
  EXPECT_EQ(ReasonOf(BlockOn(store().GetUser(late, 1)).status()), "DEADLINE_EXPIRED");
  EXPECT_EQ(ReasonOf(BlockOn(store().LookupUser(late, "a@x.org")).status()), "DEADLINE_EXPIRED");
  EXPECT_EQ(ReasonOf(BlockOn(store().ListUsers(late, query)).status()), "DEADLINE_EXPIRED");
  EXPECT_EQ(ReasonOf(BlockOn(store().CountUsers(late, query.filter)).status()), "DEADLINE_EXPIRED");
  const std::vector<UserRemoval> removals = {{1, "", false}};
  EXPECT_EQ(ReasonOf(BlockOn(store().DeleteUsers(late, removals, WriteOptions()))),
            "DEADLINE_EXPIRED");
  const std::stop_token token = stopped.get_token();
  EXPECT_EQ(ReasonOf(BlockOn(store().GetUser(CallContext(), 1), token).status()), "CALL_CANCELLED");
  EXPECT_EQ(ReasonOf(BlockOn(store().ListUsers(CallContext(), query), token).status()),
            "CALL_CANCELLED");
  EXPECT_EQ(ReasonOf(BlockOn(store().BatchGetUsers(CallContext(), {1, 2}), token).status()),
            "CALL_CANCELLED");
  ExpectConnectionIsReusable();
}

TEST_F(UserLimitsTest, ScansBeyondTheQueueAreOverloaded) {
  options_.scan_queue_jobs_max = 2;
  const PageQuery heavy = Query(HeavyFilter());
  const Filter everybody;
  std::stop_source stop;
  {
    StartedPage running(store().ListUsers(CallContext(), heavy), stop.get_token());
    AwaitStatement();
    StartedCount second(store().CountUsers(CallContext(), everybody));
    StartedCount third(store().CountUsers(CallContext(), everybody));
    const absl::StatusOr<UserCount> refused = BlockOn(store().CountUsers(CallContext(), everybody));
    EXPECT_EQ(ReasonOf(refused.status()), "OVERLOADED");
    EXPECT_GT(errors::RetryAfterOf(refused.status()), absl::ZeroDuration());
    EXPECT_TRUE(Get(1).ok()) << "no scan is in the way of a point read";
    stop.request_stop();
    EXPECT_TRUE(second.Get().ok());
    EXPECT_TRUE(third.Get().ok());
  }
  ExpectConnectionIsReusable();
}

TEST_F(UserLimitsTest, PointReadsBeyondTheirQueueAreOverloaded) {
  options_.point_threads = 1;
  options_.point_queue_jobs_max = 1;
  std::atomic<int> refused{0};
  {
    std::deque<StartedUser> reads;
    // Some find the thread busy and its queue full, sooner or later.
    while (refused == 0) {
      while (reads.size() > 200 && reads.front().is_done()) reads.pop_front();
      reads.emplace_back(store().GetUser(CallContext(), 1));
      if (reads.back().is_done() && ReasonOf(reads.back().Get().status()) == "OVERLOADED")
        ++refused;
    }
    for (StartedUser& read : reads) {
      const std::string reason = ReasonOf(read.Get().status());
      EXPECT_TRUE(reason == "OK" || reason == "OVERLOADED") << reason;
    }
  }
  ExpectConnectionIsReusable();
}

TEST_F(UserLimitsTest, WritesBeyondTheQueueAreOverloaded) {
  options_.writer.queue_rows_max = 1;
  const WriteOptions validate = ValidateOnly();
  const std::vector<users::v1::User> users = {MakeUser("n", "not-stored@x.org")};
  HeldWriter held(store().writer());
  StartedUsers queued(store().CreateUsers(CallContext(), users, validate));
  const absl::StatusOr<std::vector<users::v1::User>> refused = CreateAll(users, validate);
  EXPECT_EQ(ReasonOf(refused.status()), "OVERLOADED");
  EXPECT_GT(errors::RetryAfterOf(refused.status()), absl::ZeroDuration());
  EXPECT_EQ(store().open_resources().writes, 2u);
  held.Release();
  EXPECT_TRUE(queued.Get().ok());
}

class MinRevisionTest : public UserStoreTest {
 protected:
  static CallContext AtLeast(int64_t revision, absl::Time deadline = absl::InfiniteFuture()) {
    CallContext context(deadline, nullptr);
    context.min_revision = revision;
    return context;
  }
};

TEST_F(MinRevisionTest, AReadOfAStateThatIsThereDoesNotWait) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  EXPECT_TRUE(BlockOn(store().GetUser(AtLeast(1), 1)).ok());
}

TEST_F(MinRevisionTest, AReadOfALaterStateIsWokenByTheWriteThatMakesIt) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  const PageQuery query = Query("");
  StartedUser get(store().GetUser(AtLeast(3), 3));
  StartedPage list(store().ListUsers(AtLeast(3), query));
  StartedCount count(store().CountUsers(AtLeast(3), query.filter));
  EXPECT_EQ(store().open_resources().leases, 0u) << "no connection is held while waiting";
  ASSERT_TRUE(Create(MakeUser("Bob", "bob@x.org")).ok());
  EXPECT_FALSE(get.is_done() || list.is_done() || count.is_done()) << "that was revision 2";
  ASSERT_TRUE(Create(MakeUser("Eve", "eve@x.org")).ok());
  EXPECT_EQ(Decode(*get.Get()).name(), "Eve");
  EXPECT_EQ(list.Get()->users.count, 3u);
  EXPECT_GE(list.Get()->revision, 3);
  EXPECT_EQ(count.Get()->count, 3);
}

// As a call does: its deadline stops the task.
TEST_F(MinRevisionTest, AReadOfAStateThatDoesNotComeExpires) {
  std::stop_source stop;
  const absl::Time deadline = absl::Now() + absl::Milliseconds(5);
  StartedUser get(store().GetUser(AtLeast(1, deadline), 1), stop.get_token());
  while (absl::Now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(get.is_done());
  stop.request_stop();
  EXPECT_EQ(ReasonOf(get.Get().status()), "DEADLINE_EXPIRED");
  EXPECT_EQ(get.Get().status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(MinRevisionTest, NotAllReadsMayWaitForWhatNeverComes) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  const CallContext never = AtLeast(int64_t{1} << 62);
  std::stop_source stop;
  std::deque<StartedUser> waiting;
  for (size_t i = 0; i < ReaderOptions().revision_waits_max; ++i)
    waiting.emplace_back(store().GetUser(never, 1), stop.get_token());
  StartedUser refused(store().GetUser(never, 1), stop.get_token());
  EXPECT_TRUE(refused.is_done());
  EXPECT_TRUE(Get(1).ok()) << "what need not wait is served";
  stop.request_stop();
  for (StartedUser& read : waiting) EXPECT_EQ(ReasonOf(read.Get().status()), "CALL_CANCELLED");
  EXPECT_EQ(ReasonOf(refused.Get().status()), "OVERLOADED");
  EXPECT_GT(errors::RetryAfterOf(refused.Get().status()), absl::ZeroDuration());
  std::stop_source last;
  StartedUser again(store().GetUser(never, 1), last.get_token());
  EXPECT_FALSE(again.is_done()) << "there is room again";
  last.request_stop();
}

TEST_F(MinRevisionTest, AReadThatWaitsCanBeCancelled) {
  std::stop_source stop;
  StartedUser get(store().GetUser(AtLeast(1), 1), stop.get_token());
  EXPECT_FALSE(get.is_done());
  stop.request_stop();
  EXPECT_EQ(ReasonOf(get.Get().status()), "CALL_CANCELLED");
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok()) << "nobody is woken that is gone";
}

}  // namespace
}  // namespace userservice::store
