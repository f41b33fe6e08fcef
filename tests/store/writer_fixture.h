// WriterTest: a Writer over a database of its own and a clock that stands still, and jobs that
// outlive the writes that a test starts.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "service/store/storage_error.h"
#include "service/store/writer.h"
#include "tests/store/temp_database.h"

namespace userservice::store {

using Job = std::function<absl::StatusOr<int64_t>(WriteScope&)>;
using StartedWrite = Started<absl::StatusOr<int64_t>>;

// Inserts a user and gives its revision.
inline Job Insert(const std::string& email, const std::string& name = "n") {
  return [email, name](WriteScope& scope) -> absl::StatusOr<int64_t> {
    const int64_t revision = scope.TakeRevision();
    sqlite::QueryScope row(scope.connection(),
                           "INSERT INTO users (name, email, revision) VALUES (?, ?, ?)",
                           scope.limits());
    if (absl::Status status = row.Bind(name, email, revision).Run(); !status.ok())
      return StorageError(status);
    return revision;
  };
}

class WriterTest : public ::testing::Test {
 protected:
  WriterTest() {
    options_.clock = [this] { return now_ + absl::Nanoseconds(advanced_ns_.load()); };
  }

  Writer& writer() {
    if (writer_ == nullptr) {
      absl::StatusOr<std::unique_ptr<Writer>> opened = Writer::Open(database_.path(), options_);
      EXPECT_TRUE(opened.ok()) << opened.status();
      writer_ = *std::move(opened);
    }
    return *writer_;
  }

  // Keeps the job alive as long as the test.
  Task<absl::StatusOr<int64_t>> Write(Job job, WriteKind kind = WriteKind::kSeveralStatements,
                                      CallContext context = CallContext(),
                                      WriteWeight weight = WriteWeight()) {
    return writer().Write(context, kind, jobs_.emplace_back(std::move(job)), weight);
  }
  Task<absl::StatusOr<int64_t>> WriteOf(WriteWeight weight, Job job) {
    return Write(std::move(job), WriteKind::kSeveralStatements, CallContext(), weight);
  }
  absl::StatusOr<int64_t> WriteNow(Job job, WriteKind kind = WriteKind::kSeveralStatements,
                                   CallContext context = CallContext()) {
    return BlockOn(Write(std::move(job), kind, context));
  }

  void Advance(absl::Duration duration) { advanced_ns_ += absl::ToInt64Nanoseconds(duration); }
  absl::Time now() const { return now_ + absl::Nanoseconds(advanced_ns_.load()); }
  int64_t CountUsers() { return database_.Integer("SELECT count(*) FROM users"); }
  std::string wal_path() const { return database_.path() + "-wal"; }

  TempDatabase database_;
  WriterOptions options_;
  const absl::Time now_ = absl::Now();
  std::atomic<int64_t> advanced_ns_{0};
  std::deque<Job> jobs_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace userservice::store
