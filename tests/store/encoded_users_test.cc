// A row that is encoded straight to the wire gives the bytes of the message that it would have
// been.
#include "service/store/encoded_users.h"

#include <limits>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "service/store/user_row.h"
#include "tests/store/random_rows.h"
#include "tests/store/user_store_fixture.h"
#include "users/v1/user_service.pb.h"

namespace userservice::store {
namespace {

std::string SerializeInOrder(const users::v1::ListUsersResponse& response) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  EXPECT_TRUE(response.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

class EncodedUsersTest : public ::testing::Test {
 protected:
  // A row with these values, whatever a table would say of them.
  template <class... Values>
  void Encode(const Values&... values) {
    sqlite::QueryScope row(*connection_, "SELECT ?, ?, ?, ?, ?, ?, ?");
    row.Bind(values...);
    const absl::StatusOr<bool> found = row.Step();
    ASSERT_TRUE(found.ok() && *found) << found.status();
    AppendUser(UserRow(row), encoded_);
    ReadUser(row, *plain_.add_users());
    EncodedUser alone;
    EncodeUser(UserRow(row), alone);
    ASSERT_LE(alone.bytes.size(), encoded_.bytes.size());
    EXPECT_EQ(alone.bytes, encoded_.bytes.substr(encoded_.bytes.size() - alone.bytes.size()));
    EXPECT_EQ(alone.bytes.size(), plain_.users().rbegin()->ByteSizeLong());
    ExpectSameInPassing(alone, values...);
  }

  // Shown in the midst of a statement, the row gives the same.
  template <class... Values>
  void ExpectSameInPassing(const EncodedUser& expected, const Values&... values) {
    sqlite::QueryScope row(*connection_, "SELECT 1 WHERE visit_row(?, ?, ?, ?, ?, ?, ?)");
    row.Bind(values...);
    EncodedUser visited;
    const auto encode = [&visited](const sqlite::RowValues& shown) {
      EncodeUser(UserRow(shown), visited);
      return true;
    };
    const absl::StatusOr<bool> found = row.Visit(encode);
    ASSERT_TRUE(found.ok() && *found) << found.status();
    EXPECT_EQ(visited.bytes, expected.bytes);
  }

  void ExpectEqualBytes() {
    EXPECT_EQ(encoded_.bytes, SerializeInOrder(plain_)) << plain_.DebugString();
    EXPECT_EQ(encoded_.count, static_cast<size_t>(plain_.users_size()));
    if (plain_.users_size() == 0) return;
    EXPECT_EQ(encoded_.last_user_id, plain_.users(plain_.users_size() - 1).user_id());
  }

  TempDatabase database_;
  const std::unique_ptr<sqlite::Connection> connection_ = database_.Connect();
  EncodedUsers encoded_;
  users::v1::ListUsersResponse plain_;
};

constexpr char kStoredTime[] = "2024-05-01 12:00:00.123456";

TEST_F(EncodedUsersTest, NoRowsAreNoBytes) { ExpectEqualBytes(); }

TEST_F(EncodedUsersTest, AnOrdinaryRow) {
  Encode(7, "Ann", "ann@example.com", 30, kStoredTime, kStoredTime, 12);
  ExpectEqualBytes();
}

TEST_F(EncodedUsersTest, RandomRows) {
  RandomRows random(20'241'128);
  for (const Row& row : random.Rows(2000))
    Encode(row.user_id, row.name, row.email, row.age, row.created.text, row.updated.text,
           static_cast<int64_t>(random.Below(1'000'000)));
  ExpectEqualBytes();
}

TEST_F(EncodedUsersTest, TextsOfAnyLength) {
  for (size_t length :
       {0, 1, 20, 21, 22, 23, 100, 127, 128, 129, 16'000, 16'384, 100'000, 2'100'000})
    Encode(1, std::string(length, 'n'), std::string(length / 2, 'e'), 1, kStoredTime, kStoredTime,
           1);
  ExpectEqualBytes();
}

TEST_F(EncodedUsersTest, TheGreatestAndTheLeastOfEachNumber) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const int64_t number :
       {kMin, int64_t{-1}, int64_t{0}, int64_t{127}, int64_t{128}, int64_t{2'147'483'647},
        int64_t{2'147'483'648}, int64_t{-2'147'483'648}, int64_t{-2'147'483'649}, kMax}) {
    Encode(number, "n", "e", number, kStoredTime, kStoredTime, number);
  }
  ExpectEqualBytes();
}

TEST_F(EncodedUsersTest, ValuesOfOtherTypes) {
  Encode(1.5, 2.5, 3, 4.5, 5, 6, 7.5);
  Encode("x", sqlite::Blob("name"), sqlite::Blob("\x00\x01"), "30", sqlite::Blob(kStoredTime), 1.5,
         "9");
  Encode(std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt,
         std::nullopt);
  ExpectEqualBytes();
}

TEST_F(EncodedUsersTest, TextsThatAreNoUtf8) {
  const std::vector<std::string> pieces = {"a",
                                           "abcdefgh",
                                           "\x80",
                                           "\xC3",
                                           "\xFF",
                                           "\xED\xA0\x80",
                                           "\xF4\x90",
                                           "\xC3\x84",
                                           "\xC0\xAF",
                                           "\xE2\x82\xAC",
                                           "\xF0\x9F\x98\x80"};
  RandomRows random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string name;
    std::string email;
    for (size_t n = random.Below(8); n > 0; --n) name += random.OneOf(pieces);
    for (size_t n = random.Below(8); n > 0; --n) email += random.OneOf(pieces);
    Encode(i, name, email, std::nullopt, kStoredTime, std::nullopt, i);
  }
  ExpectEqualBytes();
  for (const users::v1::User& user : plain_.users()) {
    users::v1::User parsed;
    EXPECT_TRUE(parsed.ParseFromString(user.SerializeAsString()));  // which checks UTF-8
  }
}

TEST_F(EncodedUsersTest, TimesAtTheirEdges) {
  for (const char* const time :
       {"1970-01-01 00:00:00", "1970-01-01 00:00:00.000000", "1970-01-01 00:00:00.000001",
        "1969-12-31 23:59:59.999999", "1969-12-31 23:59:59", "0001-01-01 00:00:00",
        "0001-01-01 00:00:00+00:01", "9999-12-31 23:59:59.999999", "9999-12-31 23:59:59-00:01",
        "2024-02-30 00:00:00", "2024-05-01T12:00:00Z", "2024-05-01 12:00:00.1+02:00", "now", ""}) {
    Encode(1, "n", "e", 0, time, time, 1);
    Encode(1, "n", "e", 0, time, kStoredTime, 1);
    Encode(1, "n", "e", 0, kStoredTime, time, 1);
  }
  ExpectEqualBytes();
}

}  // namespace
}  // namespace userservice::store
