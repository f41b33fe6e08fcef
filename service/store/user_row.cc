#include "service/store/user_row.h"

#include <cstring>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

enum Column { kUserId, kName, kEmail, kAge, kCreatedAt, kUpdatedAt, kRevision };

constexpr int32_t kNanosPerMicro = 1'000;

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

constexpr size_t kEight = 8;

// Of eight bytes from `first` on; none are set in ASCII.
uint64_t HighBits(std::string_view text, size_t first) {
  uint64_t eight = 0;
  static_assert(sizeof(eight) == kEight);
  std::memcpy(&eight, text.data() + first, kEight);
  return eight & 0x8080'8080'8080'8080;
}

// Most texts are, and short. Those of less than eight bytes are not asked for.
bool IsAscii(std::string_view text) {
  if (text.size() < kEight) return false;
  const size_t last = text.size() - kEight;
  uint64_t bits = HighBits(text, last);
  for (size_t i = 0; i < last; i += kEight) bits |= HighBits(text, i);
  return bits == 0;
}

// The length of the valid UTF-8 at the head of `text`.
size_t ValidLength(std::string_view text) {
  if (IsAscii(text)) return text.size();
  size_t valid = 0;
  while (valid < text.size()) {
    if (text.size() - valid >= kEight && HighBits(text, valid) == 0) {
      valid += kEight;
      continue;
    }
    const size_t length = SequenceLength(text.substr(valid));
    if (length == 0) break;
    valid += length;
  }
  return valid;
}

// `text` where it is if it is valid UTF-8. Else it goes to `repaired`, with U+FFFD for each byte
// that is part of no sequence.
std::string_view Utf8(std::string_view text, std::string& repaired) {
  size_t valid = ValidLength(text);
  if (valid == text.size()) return text;
  repaired.assign(text.substr(0, valid));
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

template <class Row>
std::optional<int32_t> Age(const Row& row) {
  if (!row.IsInteger(kAge)) return std::nullopt;
  const int64_t age = row.Int64(kAge);
  if (age < std::numeric_limits<int32_t>::min() || age > std::numeric_limits<int32_t>::max())
    return std::nullopt;
  return static_cast<int32_t>(age);
}

}  // namespace

template <class Row>
void UserRow::Read(const Row& row) {
  user_id = row.Int64(kUserId);
  name = Utf8(row.Text(kName), repaired_name_);
  email = Utf8(row.Text(kEmail), repaired_email_);
  age = Age(row);
  const std::string_view created = row.Text(kCreatedAt);  // NULL reads as "", which is no time
  const std::string_view updated = row.Text(kUpdatedAt);
  create_micros = ParseStoredMicros(created);
  update_micros = updated == created ? create_micros : ParseStoredMicros(updated);
  revision = row.Int64(kRevision);
}
template void UserRow::Read(const sqlite::QueryScope& row);
template void UserRow::Read(const sqlite::RowValues& row);

TimestampParts::TimestampParts(int64_t micros) {
  int64_t rest = micros % kMicrosPerSecond;
  if (rest < 0) rest += kMicrosPerSecond;
  seconds = (micros - rest) / kMicrosPerSecond;
  nanos = static_cast<int32_t>(rest) * kNanosPerMicro;
}

void ReadUser(const sqlite::QueryScope& row, users::v1::User& user) {
  const UserRow values(row);
  user.set_user_id(values.user_id);
  user.set_name(std::string(values.name));
  user.set_email(std::string(values.email));
  if (values.age.has_value()) user.set_age(*values.age);
  if (values.create_micros.has_value())
    SetTimestamp(*values.create_micros, *user.mutable_create_time());
  if (values.update_micros.has_value())
    SetTimestamp(*values.update_micros, *user.mutable_update_time());
  user.set_etag(EtagOf(values.revision));
}

void SetTimestamp(int64_t micros, google::protobuf::Timestamp& timestamp) {
  const TimestampParts parts(micros);
  timestamp.set_seconds(parts.seconds);
  timestamp.set_nanos(parts.nanos);
}

std::string EtagOf(int64_t revision) { return absl::StrCat("\"", revision, "\""); }

}  // namespace userservice::store
