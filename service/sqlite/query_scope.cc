#include "service/sqlite/query_scope.h"

#include <sqlite3.h>

#include <cassert>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "service/sqlite/result.h"

namespace userservice::sqlite {
namespace {

// Adds the life of a block to a total, if there is one.
class Stopwatch {
 public:
  explicit Stopwatch(absl::Duration* total) : total_(total) {
    if (total_ != nullptr) start_ = absl::Now();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    if (total_ != nullptr) *total_ += absl::Now() - start_;
  }

 private:
  absl::Duration* const total_;
  absl::Time start_;
};

}  // namespace

QueryScope::QueryScope(Connection& connection, std::string_view sql, const QueryLimits& limits)
    : connection_(connection), limits_(limits) {
  const Stopwatch stopwatch(limits_.sql_time);
  absl::StatusOr<CachedStatement*> statement = connection_.cache_.Acquire(sql);
  if (statement.ok()) {
    statement_ = *statement;
  } else {
    error_ = statement.status();
    state_ = State::kFailed;
  }
}

QueryScope::~QueryScope() {
  if (statement_ == nullptr) return;
  // Commits what a write outside a transaction did, if it was left at a row; its error was reported
  // by Step.
  sqlite3_reset(statement_->get());
  sqlite3_clear_bindings(statement_->get());
  if (began_) connection_.CountActive(-1);
  connection_.cache_.Release(statement_);
}

absl::StatusOr<bool> QueryScope::Step() {
  switch (state_) {
    case State::kFailed:
      return error_;
    case State::kDone:
      return false;
    case State::kReady:
      if (absl::Status limit = CheckLimits(); !limit.ok()) {
        Fail(std::move(limit));
        return error_;
      }
      began_ = true;
      connection_.CountActive(1);
      break;
    case State::kRow:
      break;
  }
  const int result = StepWithLimits();
  if (result == SQLITE_ROW) {
    state_ = State::kRow;
    return true;
  }
  if (result == SQLITE_DONE) {
    state_ = State::kDone;
    return false;
  }
  Fail(ErrorOf(result));
  return error_;
}

absl::StatusOr<bool> QueryScope::Visit(RowVisitor visit) {
  const RowVisitor* const outer = std::exchange(connection_.visitor_, &visit);
  absl::StatusOr<bool> found = Step();
  connection_.visitor_ = outer;
  return found;
}

absl::Status QueryScope::Run() {
  while (true) {
    const absl::StatusOr<bool> row = Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

int QueryScope::StepWithLimits() {
  const Stopwatch stopwatch(limits_.sql_time);
  const QueryLimits* const outer = std::exchange(connection_.limits_, &limits_);
  connection_.limit_hit_ = Connection::Limit::kNone;
  const int result = sqlite3_step(statement_->get());
  connection_.limits_ = outer;
  return result;
}

absl::Status QueryScope::CheckLimits() {
  connection_.limit_hit_ = Connection::Exceeded(limits_);
  return connection_.limit_hit_ == Connection::Limit::kNone ? absl::OkStatus()
                                                            : ErrorOf(SQLITE_INTERRUPT);
}

absl::Status QueryScope::ErrorOf(int result) const {
  absl::Status status = StatusFromResult(connection_.handle(), result);
  const auto limit = std::exchange(connection_.limit_hit_, Connection::Limit::kNone);
  const int primary = result & 0xff;
  if (limit == Connection::Limit::kNone ||
      (primary != SQLITE_INTERRUPT && primary != SQLITE_BUSY)) {
    return status;
  }
  absl::Status limited = limit == Connection::Limit::kStop
                             ? absl::CancelledError("the statement was asked to stop")
                             : absl::DeadlineExceededError("the statement's deadline has passed");
  limited.SetPayload(kResultCodePayload, absl::Cord(absl::StrCat(result)));
  return limited;
}

void QueryScope::Fail(absl::Status status) {
  state_ = State::kFailed;
  error_ = std::move(status);
  // Lets go of locks and of the snapshot now, and not only when the scope ends.
  sqlite3_reset(statement_->get());
  if (std::exchange(began_, false)) connection_.CountActive(-1);
}

bool QueryScope::HasParameters(size_t count) {
  if (state_ == State::kFailed) return false;
  const auto wanted = static_cast<size_t>(sqlite3_bind_parameter_count(statement_->get()));
  if (wanted == count) return true;
  Fail(absl::InternalError(absl::StrCat("the statement has ", wanted, " parameters, not ", count,
                                        ": ", sqlite3_sql(statement_->get()))));
  return false;
}

void QueryScope::CheckBound(int result) {
  if (result != SQLITE_OK)
    Fail(StatusFromResult(connection_.handle(), result, sqlite3_sql(statement_->get())));
}

void QueryScope::BindNull(int index) {
  if (state_ == State::kReady) CheckBound(sqlite3_bind_null(statement_->get(), index));
}

void QueryScope::BindInt64(int index, int64_t value) {
  if (state_ == State::kReady) CheckBound(sqlite3_bind_int64(statement_->get(), index, value));
}

void QueryScope::BindDouble(int index, double value) {
  if (state_ == State::kReady) CheckBound(sqlite3_bind_double(statement_->get(), index, value));
}

// No bytes is a null pointer to a string_view, and NULL to SQLite: hence "".
void QueryScope::BindText(int index, std::string_view value, bool copy) {
  if (state_ != State::kReady) return;
  CheckBound(sqlite3_bind_text64(statement_->get(), index, value.empty() ? "" : value.data(),
                                 value.size(), copy ? SQLITE_TRANSIENT : SQLITE_STATIC,
                                 SQLITE_UTF8));
}

void QueryScope::BindBlob(int index, std::string_view value) {
  if (state_ != State::kReady) return;
  CheckBound(sqlite3_bind_blob64(statement_->get(), index, value.empty() ? "" : value.data(),
                                 value.size(), SQLITE_TRANSIENT));
}

int64_t QueryScope::Int64(int column) const {
  assert(state_ == State::kRow);
  return sqlite3_column_int64(statement_->get(), column);
}

double QueryScope::Double(int column) const {
  assert(state_ == State::kRow);
  return sqlite3_column_double(statement_->get(), column);
}

std::string_view QueryScope::Text(int column) const {
  assert(state_ == State::kRow);
  const unsigned char* const text = sqlite3_column_text(statement_->get(), column);
  if (text == nullptr) return {};
  const int bytes = sqlite3_column_bytes(statement_->get(), column);
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(bytes)};
}

std::string_view QueryScope::Blob(int column) const {
  assert(state_ == State::kRow);
  const void* const blob = sqlite3_column_blob(statement_->get(), column);
  if (blob == nullptr) return {};
  const int bytes = sqlite3_column_bytes(statement_->get(), column);
  return {static_cast<const char*>(blob), static_cast<size_t>(bytes)};
}

bool QueryScope::IsNull(int column) const {
  assert(state_ == State::kRow);
  return sqlite3_column_type(statement_->get(), column) == SQLITE_NULL;
}

bool QueryScope::IsInteger(int column) const {
  assert(state_ == State::kRow);
  return sqlite3_column_type(statement_->get(), column) == SQLITE_INTEGER;
}

absl::Status RunCached(Connection& connection, std::string_view sql, const QueryLimits& limits) {
  QueryScope statement(connection, sql, limits);
  return statement.Run();
}

}  // namespace userservice::sqlite
