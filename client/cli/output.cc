#include "client/cli/output.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/csv.h"
#include "client/cli/text_width.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"

namespace userservice::cli {

using users::v1::User;

namespace {

std::string AgeText(const User& user) { return user.has_age() ? absl::StrCat(user.age()) : ""; }

std::string TimeText(bool present, const google::protobuf::Timestamp& time, const char* format) {
  if (!present) return "";
  const absl::Time instant =
      absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime(format, instant, absl::UTCTimeZone());
}

constexpr char kForPeople[] = "%Y-%m-%d %H:%M:%S UTC";
constexpr char kForColumns[] = "%Y-%m-%d %H:%M:%S";
constexpr char kRfc3339[] = "%Y-%m-%dT%H:%M:%E*SZ";

// In the order of UserFieldNames.
std::vector<std::string> FieldsOf(const User& user, const char* time_format) {
  return {absl::StrCat(user.user_id()),
          user.name(),
          user.email(),
          AgeText(user),
          TimeText(user.has_create_time(), user.create_time(), time_format),
          TimeText(user.has_update_time(), user.update_time(), time_format),
          user.etag()};
}

std::vector<Column> Columns() {
  return {{"ID", Align::kRight},
          {"NAME", Align::kLeft},
          {"EMAIL", Align::kLeft},
          {"AGE", Align::kRight},
          {"CREATED (UTC)", Align::kLeft}};
}

}  // namespace

const std::vector<std::string>& UserFieldNames() {
  static const std::vector<std::string> names = {"user_id",     "name",        "email", "age",
                                                 "create_time", "update_time", "etag"};
  return names;
}

std::vector<std::string> UserFieldTexts(const User& user) { return FieldsOf(user, kRfc3339); }

std::string ToJson(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indented;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails only for an Any of an unknown type, of which no answer has any.
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "{}\n";
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

void PrintUser(std::ostream& out, OutputFormat format, const User& user) {
  switch (format) {
    case OutputFormat::kTable: {
      const std::vector<std::string> values = FieldsOf(user, kForPeople);
      for (size_t i = 0; i < values.size(); ++i) {
        if (!values[i].empty())
          out << Pad(UserFieldNames()[i], 13, Align::kLeft) << Printable(values[i]) << '\n';
      }
      return;
    }
    case OutputFormat::kJson:
      out << ToJson(user, /*indented=*/true);
      return;
    case OutputFormat::kCsv:
      WriteCsvRow(out, UserFieldNames());
      WriteCsvRow(out, UserFieldTexts(user));
      return;
  }
}

std::string UserCount(int64_t count) {
  return WithThousands(count) + (count == 1 ? " user" : " users");
}

std::optional<OutputFormat> FormatByName(const std::string& path) {
  const std::string name = absl::AsciiStrToLower(path);
  if (absl::EndsWith(name, ".csv")) return OutputFormat::kCsv;
  for (const char* const end : {".jsonl", ".ndjson", ".json"}) {
    if (absl::EndsWith(name, end)) return OutputFormat::kJson;
  }
  return {};
}

UserRows::UserRows(std::ostream& out, OutputFormat format, int64_t count_before, bool has_title)
    : out_(out),
      format_(format),
      table_(Columns()),
      count_(count_before),
      title_printed_(has_title) {}

void UserRows::Add(const User& user) {
  ++count_;
  switch (format_) {
    case OutputFormat::kTable: {
      const std::vector<std::string> fields = FieldsOf(user, kForColumns);
      return table_.AddRow({fields[0], fields[1], fields[2], fields[3], fields[4]});
    }
    case OutputFormat::kJson:
      out_ << ToJson(user, /*indented=*/false);
      return;
    case OutputFormat::kCsv:
      PrintCsvTitle();
      WriteCsvRow(out_, UserFieldTexts(user));
      return;
  }
}

void UserRows::Flush() {
  if (format_ == OutputFormat::kCsv) PrintCsvTitle();
  table_.Print(out_);
  out_.flush();
}

void UserRows::PrintCsvTitle() {
  if (!title_printed_) WriteCsvRow(out_, UserFieldNames());
  title_printed_ = true;
}

}  // namespace userservice::cli
