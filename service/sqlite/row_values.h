// RowValues: values of a row that SQLite shows in the midst of a statement: see QueryScope::Visit.
//
// Lifetime: that of the visit, views too. Threads: the connection's.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"

struct sqlite3_value;

namespace userservice::sqlite {

class RowValues {
 public:
  explicit RowValues(sqlite3_value** values) : values_(values) {}

  // By position from 0, as QueryScope gives them by column.
  int64_t Int64(int column) const;
  std::string_view Text(int column) const;
  bool IsInteger(int column) const;

 private:
  sqlite3_value** const values_;
};

// True ends the statement here.
using RowVisitor = absl::FunctionRef<bool(const RowValues&)>;

}  // namespace userservice::sqlite
