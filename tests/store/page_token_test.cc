#include "service/store/page_token.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "service/errors/errors.h"

namespace userservice::store {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const PageTokenCodec& Codec() {
  static const PageTokenCodec codec(std::string(32, 'k'));
  return codec;
}

PageCursor SomeCursor() { return PageCursor({std::monostate(), "Ann\xC3\xA9", int64_t{42}}); }

std::string SomeToken() {
  return Codec().Seal(SomeCursor(), "ListUsers", "age > 25", "age,name,user_id");
}

absl::StatusOr<PageCursor> Open(std::string_view token) {
  return Codec().Open(token, "page_token", "ListUsers", "age > 25", "age,name,user_id");
}

void ExpectInvalid(const absl::StatusOr<PageCursor>& cursor) {
  EXPECT_EQ(cursor.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::ReasonOf(cursor.status()), "PAGE_TOKEN_INVALID");
}

TEST(PageToken, BringsTheCursorBack) {
  const std::vector<PageCursor> cursors = {SomeCursor(),
                                           PageCursor(),
                                           PageCursor({int64_t{0}}),
                                           PageCursor({std::numeric_limits<int64_t>::min()}),
                                           PageCursor({std::numeric_limits<int64_t>::max()}),
                                           PageCursor({std::string("\0\xFF", 2), ""}),
                                           PageCursor({std::string(5000, 'x'), int64_t{-1}}),
                                           PageCursor({std::string(500'000, 'x'), int64_t{1}})};
  for (const PageCursor& cursor : cursors) {
    const absl::StatusOr<PageCursor> opened =
        Open(Codec().Seal(cursor, "ListUsers", "age > 25", "age,name,user_id"));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, cursor);
  }
}

TEST(PageToken, CanStandInAUrl) {
  EXPECT_EQ(SomeToken().find_first_not_of(kAlphabet), std::string::npos) << SomeToken();
}

TEST(PageToken, FailsWithAnyCharacterChanged) {
  const std::string token = SomeToken();
  ASSERT_TRUE(Open(token).ok());
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char other : kAlphabet) {
      if (other == token[i]) continue;
      std::string changed = token;
      changed[i] = other;
      ExpectInvalid(Open(changed));
    }
  }
}

TEST(PageToken, FailsWhenItIsCutOrExtended) {
  const std::string token = SomeToken();
  for (size_t bytes = 0; bytes < token.size(); ++bytes) ExpectInvalid(Open(token.substr(0, bytes)));
  for (const char more : kAlphabet) {
    ExpectInvalid(Open(token + more));
    ExpectInvalid(Open(more + token));
  }
  ExpectInvalid(Open(std::string(100'000, 'A')));
}

TEST(PageToken, HasOneSpellingOnly) {
  const std::string token = SomeToken();
  for (const char* more : {"=", "==", " ", "\n", "\t"}) {
    ExpectInvalid(Open(token + more));
    ExpectInvalid(Open(more + token));
  }
  std::string spaced = token;
  spaced.insert(8, 1, ' ');
  ExpectInvalid(Open(spaced));
}

TEST(PageToken, BelongsToItsMethodFilterAndOrder) {
  const std::string token = SomeToken();
  ExpectInvalid(Codec().Open(token, "page_token", "ExportUsers", "age > 25", "age,name,user_id"));
  ExpectInvalid(Codec().Open(token, "page_token", "ListUsers", "age > 26", "age,name,user_id"));
  ExpectInvalid(Codec().Open(token, "page_token", "ListUsers", "age > 25", "age,user_id"));
  // The parts do not flow into each other.
  ExpectInvalid(Codec().Open(token, "page_token", "ListUsersage", " > 25", "age,name,user_id"));
  ExpectInvalid(Codec().Open(token, "page_token", "ListUsers", "age > 25age", ",name,user_id"));
}

TEST(PageToken, BelongsToItsDatabase) {
  const PageTokenCodec other(std::string(32, 'l'));
  ExpectInvalid(other.Open(SomeToken(), "page_token", "ListUsers", "age > 25", "age,name,user_id"));
}

TEST(PageToken, NamesTheFieldInTheError) {
  const absl::Status status =
      Codec().Open("x", "resume_token", "ExportUsers", "", "user_id").status();
  EXPECT_EQ(status.message().substr(0, 12), "resume_token");
}

TEST(Fingerprint, TellsPayloadsApartAndKeysToo) {
  const PageTokenCodec other(std::string(32, 'l'));
  EXPECT_EQ(Codec().Fingerprint("payload").size(), 16U);
  EXPECT_EQ(Codec().Fingerprint("payload"), Codec().Fingerprint("payload"));
  EXPECT_NE(Codec().Fingerprint("payload"), Codec().Fingerprint("payloae"));
  EXPECT_NE(Codec().Fingerprint("payload"), other.Fingerprint("payload"));
}

// RFC 2104's construction over a known key, so that tokens stay readable from one release to the
// next.
TEST(Fingerprint, StaysTheSameFromReleaseToRelease) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const char c : Codec().Fingerprint("payload")) {
    hex += kHex[static_cast<unsigned char>(c) >> 4U];
    hex += kHex[static_cast<unsigned char>(c) & 0xFU];
  }
  EXPECT_EQ(hex, "3d3c024c05d7837a7da27dd0fbbf2199");
}

}  // namespace
}  // namespace userservice::store
