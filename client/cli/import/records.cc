#include "client/cli/import/records.h"

#include "client/cli/import/csv_records.h"
#include "client/cli/import/json_records.h"

namespace userservice::cli {

absl::StatusOr<std::unique_ptr<RecordParser>> MakeRecordParser(InputFormat format,
                                                               LineReader& lines) {
  if (format == InputFormat::kJsonLines) return std::make_unique<JsonRecords>();
  CsvRows rows;
  for (;;) {
    const absl::StatusOr<std::optional<Line>> line = lines.Next();
    if (!line.ok()) return line.status();
    const std::optional<CsvRow> title = line->has_value() ? rows.Add(**line) : rows.End();
    if (!title.has_value() && line->has_value()) continue;
    if (!title.has_value()) return absl::InvalidArgumentError("it is empty: a title is expected");
    absl::StatusOr<CsvColumns> columns = ColumnsOf(*title);
    if (!columns.ok()) return columns.status();
    return std::make_unique<CsvRecords>(*std::move(columns));
  }
}

}  // namespace userservice::cli
