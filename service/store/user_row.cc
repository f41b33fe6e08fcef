#include "service/store/user_row.h"

#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

enum Column { kUserId, kName, kEmail, kAge, kCreatedAt, kUpdatedAt, kRevision };

// Timestamp's years begin with 1.
constexpr int64_t kTimestampSecondsMin = -62'135'596'800;

// The length of the UTF-8 sequence at the head of `text`, 0 if there is none. Overlong forms,
// surrogates and what lies past U+10FFFF are none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

void ReadTime(const sqlite::QueryScope& row, int column,
              google::protobuf::Timestamp* (users::v1::User::*mutable_time)(),
              users::v1::User& user) {
  if (row.IsNull(column)) return;
  const std::optional<absl::Time> time = ParseStoredTime(row.Text(column));
  if (time.has_value() && absl::ToUnixSeconds(*time) >= kTimestampSecondsMin) {
    SetTimestamp(*time, *(user.*mutable_time)());
  }
}

}  // namespace

void ReadUser(const sqlite::QueryScope& row, users::v1::User& user) {
  user.set_user_id(row.Int64(kUserId));
  user.set_name(ValidUtf8(row.Text(kName)));
  user.set_email(ValidUtf8(row.Text(kEmail)));
  if (row.IsInteger(kAge)) {
    const int64_t age = row.Int64(kAge);
    if (age >= std::numeric_limits<int32_t>::min() && age <= std::numeric_limits<int32_t>::max()) {
      user.set_age(static_cast<int32_t>(age));
    }
  }
  ReadTime(row, kCreatedAt, &users::v1::User::mutable_create_time, user);
  ReadTime(row, kUpdatedAt, &users::v1::User::mutable_update_time, user);
  user.set_etag(EtagOf(row.Int64(kRevision)));
}

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& timestamp) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

std::string EtagOf(int64_t revision) { return absl::StrCat("\"", revision, "\""); }

std::string ValidUtf8(std::string_view text) {
  size_t valid = 0;
  while (valid < text.size()) {
    const size_t length = SequenceLength(text.substr(valid));
    if (length == 0) break;
    valid += length;
  }
  std::string repaired(text.substr(0, valid));
  while (valid < text.size()) {
    const size_t length = SequenceLength(text.substr(valid));
    if (length == 0) {
      repaired.append("\xEF\xBF\xBD");
      ++valid;
    } else {
      repaired.append(text.substr(valid, length));
      valid += length;
    }
  }
  return repaired;
}

}  // namespace userservice::store
