// Deadlines and cancellation reach the SQL statement that runs: it stops within 50 ms, and what it
// used is free again.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "absl/time/clock.h"
#include "tests/support/eventually.h"
#include "tests/support/local_app.h"
#include "tests/support/long_scan.h"
#include "tests/support/notification.h"
#include "tests/support/rpc_error.h"
#include "tests/support/sanitized.h"

namespace userservice {
namespace {

// The median of this many, since a busy machine delays one or the other.
constexpr int kRepeats = 9;
constexpr absl::Duration kStopsWithin = absl::Milliseconds(Scaled(50, 500));

class StatementStopTest : public testing::Test {
 protected:
  static Config ConfigWithUsers() {
    Config config;
    config.generate_users = 200'000;
    config.rows_examined_max = 1'000'000;  // one page is one long statement
    return config;
  }

  bool StatementRuns() { return app_.app().store().open_resources().statements > 0; }

  // A count that would take long.
  struct Count {
    explicit Count(absl::Duration timeout) : deadline(absl::Now() + timeout) {
      SetDeadline(context, timeout);
      request.set_filter(LongScanFilter());
    }
    void Begin(users::v1::UserService::Stub& users) {
      users.async()->CountUsers(&context, &request, &response, [this](grpc::Status ended_with) {
        status = std::move(ended_with);
        ended.Notify();
      });
    }
    const absl::Time deadline;
    grpc::ClientContext context;
    users::v1::CountUsersRequest request;
    users::v1::CountUsersResponse response;
    grpc::Status status;
    Notification ended;
  };

  static void ExpectSoon(std::vector<absl::Duration> stopped_after) {
    std::sort(stopped_after.begin(), stopped_after.end());
    std::printf("idle again after %s (median), %s (most)\n",
                absl::FormatDuration(stopped_after[stopped_after.size() / 2]).c_str(),
                absl::FormatDuration(stopped_after.back()).c_str());
    EXPECT_LE(stopped_after[stopped_after.size() / 2], kStopsWithin);
  }

  LocalApp app_{ConfigWithUsers()};
  std::unique_ptr<users::v1::UserService::Stub> users_ = app_.Users();
};

TEST_F(StatementStopTest, ACancelledCountStops) {
  std::vector<absl::Duration> stopped_after;
  for (int i = 0; i < kRepeats; ++i) {
    Count count(absl::Seconds(60));
    count.Begin(*users_);
    ASSERT_TRUE(Eventually([&] { return StatementRuns(); }));
    const absl::Time cancelled = absl::Now();
    count.context.TryCancel();
    ASSERT_TRUE(app_.IsIdle());
    stopped_after.push_back(absl::Now() - cancelled);
    count.ended.WaitForNotification();
    ASSERT_EQ(count.status.error_code(), grpc::StatusCode::CANCELLED)
        << "it was over before it was cancelled";
  }
  ExpectSoon(stopped_after);
}

TEST_F(StatementStopTest, ACountStopsAtItsDeadline) {
  std::vector<absl::Duration> stopped_after;
  for (int i = 0; i < kRepeats; ++i) {
    Count count(absl::Milliseconds(150));
    count.Begin(*users_);
    ASSERT_TRUE(Eventually([&] { return StatementRuns() || count.ended.HasBeenNotified(); }));
    ASSERT_TRUE(Eventually([&] { return absl::Now() >= count.deadline; }));
    ASSERT_TRUE(app_.IsIdle());
    stopped_after.push_back(absl::Now() - count.deadline);
    count.ended.WaitForNotification();
    ASSERT_EQ(count.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED)
        << "it was over before its deadline";
  }
  ExpectSoon(stopped_after);
}

TEST_F(StatementStopTest, ACancelledExportStopsInTheMidstOfAPage) {
  std::vector<absl::Duration> stopped_after;
  for (int i = 0; i < kRepeats; ++i) {
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::ExportUsersRequest request;
    request.set_filter(LongScanFilter());
    const auto reader = users_->ExportUsers(&context, request);
    ASSERT_TRUE(Eventually([&] { return StatementRuns(); }));
    const absl::Time cancelled = absl::Now();
    context.TryCancel();
    ASSERT_TRUE(app_.IsIdle());
    stopped_after.push_back(absl::Now() - cancelled);
    ASSERT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  ExpectSoon(stopped_after);
}

TEST_F(StatementStopTest, TheConnectionsOfStoppedStatementsServeOn) {
  for (int i = 0; i < 8; ++i) {
    Count count(absl::Seconds(60));
    count.Begin(*users_);
    ASSERT_TRUE(Eventually([&] { return StatementRuns(); }));
    count.context.TryCancel();
    count.ended.WaitForNotification();
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::CountUsersResponse response;
    ASSERT_EQ(Outcome(users_->CountUsers(&context, users::v1::CountUsersRequest(), &response)),
              "OK");
    EXPECT_EQ(response.count(), 200'000);
  }
}

}  // namespace
}  // namespace userservice
