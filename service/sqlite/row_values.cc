#include "service/sqlite/row_values.h"

#include <sqlite3.h>

#include <cstddef>

namespace userservice::sqlite {

int64_t RowValues::Int64(int column) const { return sqlite3_value_int64(values_[column]); }

std::string_view RowValues::Text(int column) const {
  const unsigned char* const text = sqlite3_value_text(values_[column]);
  if (text == nullptr) return {};
  const int bytes = sqlite3_value_bytes(values_[column]);
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(bytes)};
}

bool RowValues::IsInteger(int column) const {
  return sqlite3_value_type(values_[column]) == SQLITE_INTEGER;
}

}  // namespace userservice::sqlite
