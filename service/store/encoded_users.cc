#include "service/store/encoded_users.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/timestamp.pb.h"
#include "users/v1/user.pb.h"
#include "users/v1/user_service.pb.h"

namespace userservice::store {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::io::CodedOutputStream;
using users::v1::User;

static_assert(users::v1::ListUsersResponse::kUsersFieldNumber == EncodedUsers::kField);
static_assert(users::v1::BatchGetUsersResponse::kUsersFieldNumber == EncodedUsers::kField);
static_assert(users::v1::ExportUsersResponse::kUsersFieldNumber == EncodedUsers::kField);

// Of protobuf's encoding: how a field's value follows its tag.
enum WireType : uint8_t { kVarint = 0, kLengthDelimited = 2 };

constexpr uint8_t Tag(int field, WireType type) {
  return static_cast<uint8_t>(field << 3 | type);  // fields up to 15 take one byte
}

// All but the texts.
constexpr size_t kUserBytesMax = 160;

// Appends fields at a place with enough room.
class FieldWriter {
 public:
  explicit FieldWriter(char* begin) : end_(reinterpret_cast<uint8_t*>(begin)) {}

  // Negative values take ten bytes, as int32 and int64 do.
  void Integer(int field, int64_t value) {
    *end_++ = Tag(field, kVarint);
    end_ = CodedOutputStream::WriteVarint64ToArray(static_cast<uint64_t>(value), end_);
  }
  void Text(int field, std::string_view text) {
    *end_++ = Tag(field, kLengthDelimited);
    end_ = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(text.size()), end_);
    std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
  }
  // A text that is the number in quotes.
  void Quoted(int field, int64_t value) {
    constexpr size_t kDigitsMax = 20;
    *end_++ = Tag(field, kLengthDelimited);
    auto* const text = reinterpret_cast<char*>(end_ + 1);  // behind a length of one byte
    text[0] = '"';
    char* const last = std::to_chars(text + 1, text + 1 + kDigitsMax, value).ptr;
    *last = '"';
    *end_ = static_cast<uint8_t>(last + 1 - text);
    end_ += 1 + *end_;
  }
  // A field of what `write` appends.
  template <class Write>
  void Message(int field, const Write& write) {
    *end_++ = Tag(field, kLengthDelimited);
    uint8_t* const length_at = end_++;  // short messages are the rule
    write(*this);
    const auto length = static_cast<size_t>(end_ - length_at - 1);
    const size_t length_bytes = CodedOutputStream::VarintSize32(static_cast<uint32_t>(length));
    if (length_bytes > 1) {
      std::memmove(length_at + length_bytes, length_at + 1, length);
      end_ += length_bytes - 1;
    }
    CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(length), length_at);
  }

  // The field whose bytes begin at `field_begin` and go to the end, once more as another field of
  // its type.
  void Again(int field, const char* field_begin) {
    const auto bytes = static_cast<size_t>(end() - field_begin);
    if (bytes == 0) return;
    std::memcpy(end_, field_begin, bytes);
    *end_ = Tag(field, static_cast<WireType>(*end_ & 7));
    end_ += bytes;
  }

  const char* end() const { return reinterpret_cast<const char*>(end_); }

 private:
  uint8_t* end_;
};

void WriteTime(int field, std::optional<int64_t> micros, FieldWriter& user) {
  if (!micros.has_value()) return;
  const TimestampParts time(*micros);
  user.Message(field, [&time](FieldWriter& timestamp) {
    if (time.seconds != 0) timestamp.Integer(Timestamp::kSecondsFieldNumber, time.seconds);
    if (time.nanos != 0) timestamp.Integer(Timestamp::kNanosFieldNumber, time.nanos);
  });
}

size_t BytesMax(const UserRow& user) {
  return kUserBytesMax + user.name.size() + user.email.size();
}

// The writer goes by value: one whose address is known is read again after each byte.
FieldWriter WriteUser(const UserRow& user, FieldWriter fields) {
  if (user.user_id != 0) fields.Integer(User::kUserIdFieldNumber, user.user_id);
  if (!user.name.empty()) fields.Text(User::kNameFieldNumber, user.name);
  if (!user.email.empty()) fields.Text(User::kEmailFieldNumber, user.email);
  if (user.age.has_value()) fields.Integer(User::kAgeFieldNumber, *user.age);
  const char* const create_time = fields.end();
  WriteTime(User::kCreateTimeFieldNumber, user.create_micros, fields);
  if (user.update_micros == user.create_micros) {  // nobody changed it since
    fields.Again(User::kUpdateTimeFieldNumber, create_time);
  } else {
    WriteTime(User::kUpdateTimeFieldNumber, user.update_micros, fields);
  }
  fields.Quoted(User::kEtagFieldNumber, user.revision);
  return fields;
}

}  // namespace

void EncodeUser(const UserRow& row, EncodedUser& user) {
  user.bytes.resize(BytesMax(row));
  const FieldWriter writer = WriteUser(row, FieldWriter(user.bytes.data()));
  user.bytes.resize(static_cast<size_t>(writer.end() - user.bytes.data()));
}

void AppendUser(const UserRow& row, EncodedUsers& users) {
  const size_t begin = users.bytes.size();
  users.bytes.resize(begin + BytesMax(row));
  FieldWriter writer(users.bytes.data() + begin);
  writer.Message(EncodedUsers::kField,
                 [&row](FieldWriter& fields) { fields = WriteUser(row, fields); });
  users.bytes.resize(static_cast<size_t>(writer.end() - users.bytes.data()));
  ++users.count;
  users.last_user_id = row.user_id;
}

}  // namespace userservice::store
