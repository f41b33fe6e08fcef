// PageScan: a page of a list in the making. It is given ranges of rows one after the other, in the
// list's order, and takes from them until the page is complete.
//
//   PageScan scan(connection, limits, query, rows_examined_max);
//   while (!scan.is_complete() && there are more ranges) scan.Read(range);
//   scan.page().next;          // set if the page ended before the rows did
//
// A page is complete once it has its users, 1 MiB of them, or has examined its number of rows, and
// a further row has shown that the list goes on. Its cursor is the place of the last row that was
// examined, whether or not that row is of the list.
// Errors: of the catalogue. Threads: the connection's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_limits.h"
#include "service/sqlite/query_scope.h"
#include "service/store/order_by.h"
#include "service/store/sql_condition.h"
#include "service/store/user_field.h"
#include "service/store/user_store.h"

namespace userservice::store {

// Rows of the table by one index, those of one value in each of the order's first keys.
struct RowRange {
  UserField index = UserField::kUserId;
  SqlCondition where;                       // what the index looks up
  std::span<const SqlValue> fixed;          // the values of the order's first keys
  std::span<const OrderBy::Key> sorted_by;  // what SQL orders by: keys behind the fixed ones
};

class PageScan {
 public:
  // Examines `rows_max` rows, one at least.
  PageScan(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
           const PageQuery& query, size_t rows_max);
  PageScan(const PageScan&) = delete;
  PageScan& operator=(const PageScan&) = delete;

  // Reads rows up to the end of the range or of the page. Rows of the table that have not the fixed
  // values are examined, and are not of the list.
  absl::Status Read(const RowRange& range);

  bool is_complete() const { return is_complete_; }
  UserPage& page() { return page_; }

  // Where the page is complete for its number of rows alone: raises that number, and gives the
  // place to go on from.
  std::optional<std::vector<SqlValue>> Extend(size_t rows_max);

 private:
  // Where the table itself is in the list's order: without stepping from row to row.
  absl::Status ReadByUserId(const RowRange& range);
  // Takes a row, or sees by it that the list goes on: true, the page is complete.
  template <class Row, class Cursor>
  bool Take(const Row& row, const Cursor& cursor);
  bool has_its_users() const;
  size_t RowsToAskFor(bool takes_all) const;
  std::string SelectSql(const RowRange& range, const SqlCondition& is_match) const;
  PageCursor CursorAt(const sqlite::QueryScope& row, std::span<const SqlValue> fixed) const;

  sqlite::Connection& connection_;
  const sqlite::QueryLimits& limits_;
  const PageQuery& query_;
  const SqlCondition filter_;
  size_t rows_max_;

  UserPage page_;
  size_t rows_examined_ = 0;
  std::optional<PageCursor> last_;  // set once the page only has to see whether the list goes on
  bool is_complete_ = false;
};

// The value of a field as SQL gave it in this column.
SqlValue ReadValue(const sqlite::QueryScope& row, int column, UserField field);

}  // namespace userservice::store
