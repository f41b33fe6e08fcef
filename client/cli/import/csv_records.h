// Users in CSV: a title that names the columns, in any order, then a row a user.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/import/csv_rows.h"
#include "client/cli/import/records.h"

namespace userservice::cli {

// Where a row has what.
struct CsvColumns {
  CsvColumns() = default;
  size_t count = 0;
  size_t name = 0;
  size_t email = 0;
  std::optional<size_t> age;
  std::string ignored;  // "user_id, create_time"
};

// `title` names them, in any case. INVALID_ARGUMENT if name or email is missing, or one is there
// twice.
absl::StatusOr<CsvColumns> ColumnsOf(const CsvRow& title);

class CsvRecords final : public RecordParser {
 public:
  explicit CsvRecords(CsvColumns columns);

  std::optional<Record> Add(const Line& line) override;
  std::optional<Record> End() override;
  std::string TakeNotice() override;

 private:
  std::optional<Record> RecordOf(const std::optional<CsvRow>& row) const;

  CsvColumns columns_;
  CsvRows rows_;
};

}  // namespace userservice::cli
