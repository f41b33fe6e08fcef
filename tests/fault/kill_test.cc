// kill -9 while 32 clients create users, one or several a call. What was acknowledged is there,
// nothing is there twice, and what was not acknowledged is wholly there or wholly not: all rows of
// the call, their values, and the record of its request_id.
//
// The moment of each kill comes from a seed, which is printed; KILL_TEST_SEED=N repeats a run's.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/support/eventually.h"
#include "tests/support/local_app.h"
#include "tests/support/notification.h"
#include "tests/support/rpc_error.h"
#include "tests/support/sanitized.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

using users::v1::BatchCreateUsersRequest;
using users::v1::BatchCreateUsersResponse;
using users::v1::User;

constexpr int kRounds = Scaled(20, 5);
constexpr int kClients = 32;
constexpr int kBatch = 7;                   // users a call of every fourth client
constexpr uint64_t kAcknowledgedMax = 600;  // calls at the kill

uint64_t Seed() {
  const char* const given = std::getenv("KILL_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

std::string Uuid4(std::mt19937_64& random) {
  const uint64_t high = random();
  const uint64_t low = random();
  return absl::StrFormat("%08x-%04x-4%03x-8%03x-%012x", high >> 32U, (high >> 16U) & 0xFFFFU,
                         high & 0xFFFU, low >> 52U, low & 0xFFFFFFFFFFFFU);
}

// A call that was ever made; one with a single user went to CreateUser. No value where no success
// has come back.
struct Asked {
  BatchCreateUsersRequest request;
  std::optional<BatchCreateUsersResponse> acknowledged;
};
using History = std::vector<Asked>;

grpc::Status Send(users::v1::UserService::Stub& users, Asked& asked) {
  grpc::ClientContext context;
  SetDeadline(context);
  BatchCreateUsersResponse response;
  grpc::Status status;
  if (asked.request.requests_size() == 1) {
    users::v1::CreateUserRequest one = asked.request.requests(0);
    one.set_request_id(asked.request.request_id());
    status = users.CreateUser(&context, one, response.add_users());
  } else {
    status = users.BatchCreateUsers(&context, asked.request, &response);
  }
  if (status.ok()) {
    if (asked.acknowledged.has_value()) {
      EXPECT_EQ(response.SerializeAsString(), asked.acknowledged->SerializeAsString());
    }
    asked.acknowledged = response;
  }
  return status;
}

// Creates users, one call after another, until the server is gone.
History CreateUntilGone(const std::string& address, int round, int client, uint64_t seed,
                        std::atomic<uint64_t>& acknowledged) {
  History history;
  std::mt19937_64 random(seed);
  const auto users = users::v1::UserService::NewStub(OwnConnection(address));
  for (int number = 0;; ++number) {
    Asked& asked = history.emplace_back();
    asked.request.set_request_id(Uuid4(random));
    for (int i = 0; i < (client % 4 == 0 ? kBatch : 1); ++i) {
      User& user = *asked.request.add_requests()->mutable_user();
      user.set_email(absl::StrFormat("r%d-c%d-n%d-i%d@example.com", round, client, number, i));
      user.set_name(absl::StrCat("Name of ", user.email()));
      user.set_age(number % 151);
    }
    const grpc::Status status = Send(*users, asked);
    if (!status.ok()) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
      return history;
    }
    acknowledged.fetch_add(1);
  }
}

// The rows of a query, each as text with '|' between its columns, by the database's own eyes.
std::vector<std::string> Query(const std::string& path, const std::string& sql) {
  std::vector<std::string> rows;
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  const auto add = [](void* kept, int count, char** columns, char**) {
    std::string row;
    for (int i = 0; i < count; ++i)
      absl::StrAppend(&row, i == 0 ? "" : "|", columns[i] ? columns[i] : "");
    static_cast<std::vector<std::string>*>(kept)->push_back(row);
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), add, &rows, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  return rows;
}

// One user of a call as the database must have it; the log has the users after a call's first under
// numbered keys.
std::string RowOf(const BatchCreateUsersRequest& request, int index) {
  const User& user = request.requests(index).user();
  const std::string key =
      index == 0 ? request.request_id() : absl::StrFormat("%s/%06d", request.request_id(), index);
  return absl::StrCat(user.name(), "|", user.email(), "|", user.age(), "|", key);
}

void ExpectWhole(const std::string& path, const History& history) {
  EXPECT_EQ(Query(path, "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
  const std::vector<std::string> rows =
      Query(path,
            "SELECT u.user_id, u.name, u.email, u.age, r.request_id FROM users u "
            "LEFT JOIN request_ids r ON r.user_id = u.user_id AND r.response IS NOT NULL");
  std::map<std::string, int64_t> stored;  // the row without its number: the number
  for (const std::string& row : rows) {
    const bool is_new = stored.try_emplace(row.substr(row.find('|') + 1), std::stoll(row)).second;
    EXPECT_TRUE(is_new) << "twice: " << row;
  }
  size_t known = 0;
  for (const Asked& asked : history) {
    int found = 0;
    for (int i = 0; i < asked.request.requests_size(); ++i) {
      const auto row = stored.find(RowOf(asked.request, i));
      if (row == stored.end()) continue;
      ++found;
      if (asked.acknowledged.has_value()) {
        EXPECT_EQ(row->second, asked.acknowledged->users(i).user_id());
      }
    }
    known += static_cast<size_t>(found);
    const int size = asked.request.requests_size();
    EXPECT_TRUE(found == size || (found == 0 && !asked.acknowledged.has_value()))
        << found << " of " << size << " users of a call that was "
        << (asked.acknowledged.has_value() ? "acknowledged: " : "not acknowledged: ")
        << RowOf(asked.request, 0);
  }
  EXPECT_EQ(known, stored.size()) << "rows that nobody asked for";
  // A request id without its user would answer a repeat with somebody who is not there.
  EXPECT_EQ(Query(path, "SELECT count(*) FROM request_ids"),
            std::vector<std::string>{absl::StrCat(stored.size())});
}

// Asks again for what was not acknowledged, and for some that were: each is there once afterwards.
void RepeatRequests(const std::string& address, History& history) {
  const auto users = users::v1::UserService::NewStub(OwnConnection(address));
  int number = 0;
  for (Asked& asked : history) {
    if (asked.acknowledged.has_value() && ++number % 50 != 0) continue;
    ASSERT_EQ(Outcome(Send(*users, asked)), "OK") << RowOf(asked.request, 0);
  }
}

TEST(KillTest, WhatWasAcknowledgedSurvivesAndNothingIsThereTwice) {
  const uint64_t seed = Seed();
  std::printf("KILL_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const TemporaryDirectory directory;
  const std::string path = directory.File("users.db");
  History history;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round, ", seed ", seed));
    UserdProcess userd({"--database=" + path});
    ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
    RepeatRequests(userd.address(), history);

    std::atomic<uint64_t> acknowledged = 0;
    std::vector<History> histories(kClients);
    std::vector<std::thread> clients;
    for (int client = 0; client < kClients; ++client) {
      clients.emplace_back([&, client, client_seed = random()] {
        histories[static_cast<size_t>(client)] =
            CreateUntilGone(userd.address(), round, client, client_seed, acknowledged);
      });
    }
    const uint64_t kill_after = random() % kAcknowledgedMax;
    const absl::Duration and_then = absl::Microseconds(random() % 5000);
    EXPECT_TRUE(Eventually([&] { return acknowledged >= kill_after; }, absl::Seconds(60)));
    // The kill shall come at any moment of a commit, not only when an answer has arrived; nobody
    // notifies.
    Notification never;
    never.WaitForNotificationWithTimeout(and_then);
    userd.Signal(SIGKILL);
    EXPECT_EQ(userd.WaitForExit(), 128 + SIGKILL);
    for (std::thread& client : clients) client.join();
    for (History& each : histories) history.insert(history.end(), each.begin(), each.end());
    ExpectWhole(path, history);
  }
  int64_t asked_for = 0;
  for (const Asked& asked : history) asked_for += asked.request.requests_size();
  std::printf("%lld users asked for in %d rounds\n", static_cast<long long>(asked_for), kRounds);
  UserdProcess userd({"--database=" + path});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  RepeatRequests(userd.address(), history);
  userd.Signal(SIGTERM);
  EXPECT_EQ(userd.WaitForExit(), 0);
  ExpectWhole(path, history);
  EXPECT_EQ(Query(path, "SELECT count(*) FROM users"),
            std::vector<std::string>{absl::StrCat(asked_for)});
}

}  // namespace
}  // namespace userservice
