// What tests of the store work on: a real database file in a directory of its own, and tasks that
// run while the test goes on.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/block_on.h"
#include "async/spawn.h"
#include "async/stop.h"
#include "async/task.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "service/store/database.h"
#include "service/store/writer.h"
#include "tests/support/notification.h"

namespace userservice::store {

// A prepared, empty database. Goes with the object.
class TempDatabase {
 public:
  explicit TempDatabase(const DatabaseOptions& options = DatabaseOptions()) {
    std::string name = ::testing::TempDir() + "/store-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    const absl::StatusOr<DatabaseInfo> info = PrepareDatabase(path(), options);
    EXPECT_TRUE(info.ok()) << info.status();
  }
  TempDatabase(const TempDatabase&) = delete;
  TempDatabase& operator=(const TempDatabase&) = delete;
  ~TempDatabase() { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/users.db"; }

  // As another program would have it.
  std::unique_ptr<sqlite::Connection> Connect() const {
    absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
        sqlite::Connection::Open(sqlite::ConnectionOptions(path(), sqlite::OpenMode::kReadWrite));
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }

  void Execute(const std::string& sql) const {
    const absl::Status status = Connect()->Execute(sql.c_str());
    EXPECT_TRUE(status.ok()) << status << " in " << sql;
  }

  // The integer that a query gives, by a connection of its own: sees what is committed.
  int64_t Integer(const std::string& sql) const {
    const std::unique_ptr<sqlite::Connection> connection = Connect();
    sqlite::QueryScope row(*connection, sql);
    const absl::StatusOr<bool> found = row.Step();
    EXPECT_TRUE(found.ok() && *found) << found.status() << " in " << sql;
    return row.Int64(0);
  }

 private:
  std::string directory_;
};

// A task that was started and is waited for later.
template <class T>
class Started {
 public:
  explicit Started(Task<T> task, std::stop_token token = {}) : token_(std::move(token)) {
    Spawn(Run(std::move(task)));
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  ~Started() { done_.WaitForNotification(); }

  bool is_done() const { return done_.HasBeenNotified(); }
  T& Get() {
    done_.WaitForNotification();
    return *result_;
  }

 private:
  Task<void> Run(Task<T> task) {
    Task<T> with_token = WithStopToken(token_, std::move(task));
    result_.emplace(co_await std::move(with_token));
    done_.Notify();
  }

  std::stop_token token_;
  std::optional<T> result_;
  Notification done_;
};

// Keeps the writer busy, from construction until Release(), with a write that does nothing: what is
// asked of it meanwhile queues, and makes the next batch.
class HeldWriter {
 public:
  explicit HeldWriter(Writer& writer)
      : wait_([this](WriteScope&) {
          running_.Notify();
          release_.WaitForNotification();
          return absl::OkStatus();
        }),
        write_(writer.Write(CallContext(), WriteKind::kOneStatement, wait_)) {
    running_.WaitForNotification();
  }
  ~HeldWriter() { Release(); }

  void Release() {
    if (!release_.HasBeenNotified()) release_.Notify();
  }

 private:
  std::function<absl::Status(WriteScope&)> wait_;
  Notification running_;
  Notification release_;
  Started<absl::Status> write_;
};

}  // namespace userservice::store
