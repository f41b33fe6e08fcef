// QueryScope: one run of one statement, prepared on entry and put back on every exit.
//
//   QueryScope rows(*lease, "SELECT user_id, name FROM users WHERE age > ? ORDER BY 1", limits);
//   rows.Bind(25);
//   while (true) {
//     absl::StatusOr<bool> row = rows.Step();
//     if (!row.ok()) return row.status();
//     if (!*row) break;
//     Use(rows.Int64(0), rows.Text(1));
//   }                                     // reset, unbound and back in the cache on every exit
//
// Ownership: borrows the connection and a statement of its cache; neither copies nor moves.
// Errors: of preparing and of binding come out of the first Step() or Run(), and stay. See
//   result.h.
// Limits: checked before the first step and every thousand instructions of SQLite's machine. A
//   statement past its deadline ends with kDeadlineExceeded, a stopped one with kCancelled; the
//   connection is as good as before. Two things are one instruction each, however long they take:
//   COUNT(*) of a whole table without a WHERE, and sorting what was collected.
//   SQLite rolls back the whole transaction around a *write* that is interrupted: writes that
//   share a transaction should have no limits.
// Threads: the connection's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_limits.h"
#include "service/sqlite/row_values.h"

namespace userservice::sqlite {

// Bytes, to bind as a BLOB. Copied, as text is.
struct Blob {
  explicit Blob(std::string_view blob_bytes) : bytes(blob_bytes) {}
  std::string_view bytes;
};

// Text that outlives the scope, to bind without a copy.
struct StaticText {
  explicit StaticText(std::string_view static_text) : text(static_text) {}
  std::string_view text;
};

class QueryScope {
 public:
  QueryScope(Connection& connection, std::string_view sql)
      : QueryScope(connection, sql, QueryLimits()) {}
  QueryScope(Connection& connection, std::string_view sql, const QueryLimits& limits);
  QueryScope(const QueryScope&) = delete;
  QueryScope& operator=(const QueryScope&) = delete;
  ~QueryScope();

  // Binds every parameter, in order; another number of values than the statement has parameters is
  // an error. Values: integers, bool, double, text, Blob, StaticText, nullopt or monostate (NULL),
  // and optionals of these.
  template <class... Args>
  QueryScope& Bind(const Args&... values) {
    if (!HasParameters(sizeof...(values))) return *this;
    [[maybe_unused]] int index = 0;
    (BindAt(++index, values), ...);
    return *this;
  }

  // Binds one parameter, counted from 1. Parameters never bound are NULL.
  template <class T>
  QueryScope& BindAt(int index, const T& value) {
    if constexpr (std::is_same_v<T, std::nullopt_t> || std::is_same_v<T, std::monostate>) {
      BindNull(index);
    } else if constexpr (std::is_integral_v<T>) {
      static_assert(sizeof(T) < sizeof(int64_t) || std::is_signed_v<T>,
                    "SQLite's integers are signed");
      BindInt64(index, static_cast<int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      BindDouble(index, static_cast<double>(value));
    } else if constexpr (std::is_same_v<T, sqlite::Blob>) {
      BindBlob(index, value.bytes);
    } else if constexpr (std::is_same_v<T, StaticText>) {
      BindText(index, value.text, /*copy=*/false);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      BindText(index, value, /*copy=*/true);
    } else {
      BindOptional(index, value);
    }
    return *this;
  }

  // To the next row: true. No more rows: false, however often it is asked.
  [[nodiscard]] absl::StatusOr<bool> Step();
  // To the first row that `visit` gives true for: true. No such row: false. The statement asks by a
  // function, in the last term of its WHERE; `visit` does not use the connection.
  //   SELECT 1 FROM users WHERE user_id > ? AND visit_row(user_id, name) ORDER BY user_id
  // Rows come as the WHERE meets them: in the order only where nothing is sorted for it. To be
  // shown a row in passing is half the work of stepping to it and reading its columns.
  // What `visit` throws ends the statement with kInternal, and its time counts as SQLite's.
  [[nodiscard]] absl::StatusOr<bool> Visit(RowVisitor visit);
  // To the end, ignoring rows.
  [[nodiscard]] absl::Status Run();

  // The current row's values, by column from 0. Only after a Step() that gave true. Views live
  // until the next Step().
  int64_t Int64(int column) const;
  double Double(int column) const;
  std::string_view Text(int column) const;
  std::string_view Blob(int column) const;
  bool IsNull(int column) const;
  bool IsInteger(int column) const;  // before Int64 where other programs may have stored anything

 private:
  enum class State { kReady, kRow, kDone, kFailed };

  template <class T>
  void BindOptional(int index, const std::optional<T>& value) {
    if (value.has_value()) {
      BindAt(index, *value);
    } else {
      BindNull(index);
    }
  }

  bool HasParameters(size_t count);
  void BindNull(int index);
  void BindInt64(int index, int64_t value);
  void BindDouble(int index, double value);
  void BindText(int index, std::string_view value, bool copy);
  void BindBlob(int index, std::string_view value);
  void CheckBound(int result);

  int StepWithLimits();
  absl::Status CheckLimits();
  absl::Status ErrorOf(int result) const;
  void Fail(absl::Status status);

  Connection& connection_;
  const QueryLimits limits_;
  CachedStatement* statement_ = nullptr;  // null: could not be prepared
  State state_ = State::kReady;
  bool began_ = false;
  absl::Status error_;
};

// Runs a statement that has no parameters or rows of interest, through the cache: BEGIN, COMMIT and
// their like.
absl::Status RunCached(Connection& connection, std::string_view sql,
                       const QueryLimits& limits = QueryLimits());

}  // namespace userservice::sqlite
