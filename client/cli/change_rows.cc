#include "client/cli/change_rows.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/csv.h"

namespace userservice::cli {

using Change = users::v1::WatchUsersResponse::Change;

namespace {

constexpr char kChanged[] = "changed";
constexpr char kRemoved[] = "removed";

std::vector<Column> ChangeColumns() {
  return {{"REVISION", Align::kRight}, {"CHANGE", Align::kLeft}, {"ID", Align::kRight},
          {"NAME", Align::kLeft},      {"EMAIL", Align::kLeft},  {"AGE", Align::kRight}};
}

std::vector<std::string> Cells(const Change& change) {
  const std::string revision = absl::StrCat(change.revision());
  if (!change.has_user())
    return {revision, kRemoved, absl::StrCat(change.removed_user_id()), "", "", ""};
  const users::v1::User& user = change.user();
  return {revision,    kChanged,     absl::StrCat(user.user_id()),
          user.name(), user.email(), user.has_age() ? absl::StrCat(user.age()) : ""};
}

}  // namespace

ChangeRows::ChangeRows(std::ostream& out, OutputFormat format)
    : out_(out), format_(format), table_(ChangeColumns()) {}

void ChangeRows::Add(const Change& change) {
  ++count_;
  switch (format_) {
    case OutputFormat::kTable:
      return table_.AddRow(Cells(change));
    case OutputFormat::kJson:
      out_ << ToJson(change, /*indented=*/false);
      return;
    case OutputFormat::kCsv:
      return AddCsv(change);
  }
}

void ChangeRows::AddCsv(const Change& change) {
  if (!title_printed_) Flush();
  users::v1::User user = change.user();
  if (!change.has_user()) user.set_user_id(change.removed_user_id());
  std::vector<std::string> fields = {absl::StrCat(change.revision()),
                                     change.has_user() ? kChanged : kRemoved};
  const std::vector<std::string> of_user = UserFieldTexts(user);
  fields.insert(fields.end(), of_user.begin(), of_user.end());
  WriteCsvRow(out_, fields);
}

void ChangeRows::Flush() {
  if (format_ == OutputFormat::kCsv && !title_printed_) {
    std::vector<std::string> title = {"revision", "change"};
    title.insert(title.end(), UserFieldNames().begin(), UserFieldNames().end());
    WriteCsvRow(out_, title);
    title_printed_ = true;
  }
  table_.Print(out_);
  out_.flush();
}

}  // namespace userservice::cli
