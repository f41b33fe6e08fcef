#include "service/sqlite/statement.h"

#include <sqlite3.h>

#include <cassert>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "service/sqlite/result.h"

namespace userservice::sqlite {
namespace {

// A compiled statement takes some twenty times the memory of its text. An order by times, whose
// expression is long, with a filter by times too is about the longest that is kept.
constexpr size_t kCachedSqlBytesMax = 10240;

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}

// The result repeats the last step's error, which was reported then.
Statement::~Statement() { sqlite3_finalize(statement_); }

absl::StatusOr<Statement> Statement::Prepare(sqlite3* db, std::string_view sql, bool persistent) {
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const unsigned flags = persistent ? SQLITE_PREPARE_PERSISTENT : 0;
  const int result =
      sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), flags, &handle, &tail);
  Statement statement(handle);
  if (result != SQLITE_OK) return StatusFromResult(db, result, sql);
  if (handle == nullptr)
    return absl::InternalError(absl::StrCat("no statement in: ", std::string(sql)));
  const std::string_view rest = sql.substr(static_cast<size_t>(tail - sql.data()));
  if (rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    return absl::InternalError(absl::StrCat("more than one statement in: ", std::string(sql)));
  }
  return statement;
}

StatementCache::~StatementCache() {
  assert(on_loan_ == 0 && "a scope outlives its connection");
  for (CachedStatement* statement : statements_) delete statement;
}

absl::StatusOr<CachedStatement*> StatementCache::Acquire(std::string_view sql) {
  const auto found = by_sql_.find(sql);
  if (found != by_sql_.end() && !(*found->second)->in_use_) {
    CachedStatement* const statement = *found->second;
    statements_.splice(statements_.begin(), statements_, found->second);
    statement->in_use_ = true;
    ++on_loan_;
    return statement;
  }
  // A second user of a text that is in use gets a statement of its own, which is not kept.
  const bool keep = found == by_sql_.end() && sql.size() <= kCachedSqlBytesMax && MakeRoom();
  absl::StatusOr<Statement> prepared = Statement::Prepare(db_, sql, /*persistent=*/keep);
  if (!prepared.ok()) return prepared.status();
  std::unique_ptr<CachedStatement> statement(
      new CachedStatement(std::string(sql), *std::move(prepared)));
  if (keep) {
    statement->cached_ = true;
    statements_.push_front(statement.get());
    by_sql_.emplace(statement->sql_, statements_.begin());
  }
  ++on_loan_;
  return statement.release();
}

void StatementCache::Release(CachedStatement* statement) {
  assert(statement->in_use_ && on_loan_ > 0);
  --on_loan_;
  statement->in_use_ = false;
  if (!statement->cached_) delete statement;
}

bool StatementCache::MakeRoom() {
  if (statements_.size() < capacity_) return true;
  for (auto oldest = statements_.end(); oldest != statements_.begin();) {
    --oldest;
    CachedStatement* const statement = *oldest;
    if (statement->in_use_) continue;
    by_sql_.erase(statement->sql_);
    statements_.erase(oldest);
    delete statement;
    return true;
  }
  return false;
}

}  // namespace userservice::sqlite
