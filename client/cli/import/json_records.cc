#include "client/cli/import/json_records.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/text_width.h"
#include "google/protobuf/util/json_util.h"

namespace userservice::cli {
namespace {

using google::protobuf::util::JsonParseOptions;
using google::protobuf::util::JsonStringToMessage;
using google::protobuf::util::Status;

constexpr size_t kReasonBytesMax = 200;

// Protobuf's message may quote the line, over several lines.
std::string ReasonFrom(const Status& status) {
  std::string message(status.message().data(), status.message().size());
  message = message.substr(0, message.find('\n'));
  return absl::StrCat("not a user in JSON: ", Printable(message.substr(0, kReasonBytesMax)));
}

// What a user is stored with; the rest is the server's to give.
users::v1::User Importable(const users::v1::User& read) {
  users::v1::User user;
  user.set_name(read.name());
  user.set_email(read.email());
  if (read.has_age()) user.set_age(read.age());
  return user;
}

}  // namespace

std::optional<Record> JsonRecords::Add(const Line& line) {
  if (line.text.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
  Record record;
  record.line = line.number;
  if (line.is_cut) {
    record.error = absl::StrCat("more than ", WithThousands(kRecordBytesMax), " bytes");
    return record;
  }
  if (!IsUtf8(line.text)) {
    record.error = "not UTF-8";
    return record;
  }
  const google::protobuf::StringPiece text(line.text.data(), line.text.size());
  users::v1::User read;
  const Status strict = JsonStringToMessage(text, &read);
  if (!strict.ok()) {
    read.Clear();
    JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const Status lenient = JsonStringToMessage(text, &read, options);
    if (!lenient.ok()) {
      record.error = ReasonFrom(lenient);
      return record;
    }
    if (!std::exchange(noticed_, true))
      notice_ =
          absl::StrCat("ignored fields that a user does not have, the first in line ", line.number);
  }
  // Escapes may say half a surrogate pair.
  if (!IsUtf8(read.name()) || !IsUtf8(read.email())) {
    record.error = "not UTF-8";
    return record;
  }
  record.user = Importable(read);
  return record;
}

std::string JsonRecords::TakeNotice() { return std::exchange(notice_, ""); }

}  // namespace userservice::cli
