#include "client/cli/import/csv_records.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

constexpr size_t kShownBytesMax = 200;

// A part of a file that may be anything.
std::string Shown(const std::string& text) { return Printable(text.substr(0, kShownBytesMax)); }

std::string FillUser(const CsvColumns& columns, const CsvRow& row, users::v1::User& user) {
  if (row.fields.size() != columns.count) {
    return absl::StrCat("it has ", row.fields.size(), " of the ", columns.count,
                        " fields that the title names");
  }
  const std::string& name = row.fields[columns.name];
  const std::string& email = row.fields[columns.email];
  if (!IsUtf8(name)) return "name: not UTF-8";
  if (!IsUtf8(email)) return "email: not UTF-8";
  user.set_name(name);
  user.set_email(email);
  if (!columns.age.has_value() || row.fields[*columns.age].empty()) return "";
  int32_t age = 0;
  if (!absl::SimpleAtoi(row.fields[*columns.age], &age))
    return absl::StrCat("age: not a whole number: '", Shown(row.fields[*columns.age]), "'");
  user.set_age(age);
  return "";
}

}  // namespace

absl::StatusOr<CsvColumns> ColumnsOf(const CsvRow& title) {
  if (!title.error.empty())
    return absl::InvalidArgumentError(absl::StrCat("its title can not be read: ", title.error));
  std::optional<size_t> name;
  std::optional<size_t> email;
  CsvColumns columns;
  columns.count = title.fields.size();
  std::vector<std::string> ignored;
  for (size_t i = 0; i < title.fields.size(); ++i) {
    const std::string field = absl::AsciiStrToLower(title.fields[i]);
    std::optional<size_t>* const column = field == "name"    ? &name
                                          : field == "email" ? &email
                                          : field == "age"   ? &columns.age
                                                             : nullptr;
    if (column == nullptr) {
      ignored.push_back(Shown(title.fields[i]));
    } else if (column->has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("its title has the column ", field, " twice"));
    } else {
      *column = i;
    }
  }
  if (!name.has_value() || !email.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "its first line must name the columns name and email (and may name age); it is '",
        Shown(absl::StrJoin(title.fields, ",")), "'"));
  }
  columns.name = *name;
  columns.email = *email;
  columns.ignored = absl::StrJoin(ignored, ", ");
  return columns;
}

CsvRecords::CsvRecords(CsvColumns columns) : columns_(std::move(columns)) {}

std::optional<Record> CsvRecords::Add(const Line& line) { return RecordOf(rows_.Add(line)); }

std::optional<Record> CsvRecords::End() { return RecordOf(rows_.End()); }

std::string CsvRecords::TakeNotice() {
  const std::string ignored = std::exchange(columns_.ignored, "");
  return ignored.empty() ? "" : absl::StrCat("ignored columns: ", ignored);
}

std::optional<Record> CsvRecords::RecordOf(const std::optional<CsvRow>& row) const {
  if (!row.has_value()) return {};
  Record record;
  record.line = row->line;
  record.error = row->error.empty() ? FillUser(columns_, *row, record.user) : row->error;
  return record;
}

}  // namespace userservice::cli
