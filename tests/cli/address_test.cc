#include "client/cli/address.h"

#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

TEST(ParseAddress, SplitsHostAndPort) {
  const auto address = ParseAddress("db.example.com:50051");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->host, "db.example.com");
  EXPECT_EQ(address->port, "50051");
}

TEST(ParseAddress, TakesAnIpv6AddressInBrackets) {
  const auto address = ParseAddress("[::1]:80");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, "80");
}

TEST(ParseAddress, RefusesWhatIsNoHostAndPort) {
  for (const char* text : {"", "abc", ":80", "abc:", "abc:0", "abc:65536", "abc:http", "abc:-1",
                           "::1:80", "a b:80", "http://abc:80", "[]:80"}) {
    EXPECT_FALSE(ParseAddress(text).has_value()) << text;
  }
}

TEST(IsLoopback, KnowsThisMachineFromOthers) {
  EXPECT_TRUE(IsLoopback({"127.0.0.1", "1"}));
  EXPECT_TRUE(IsLoopback({"localhost", "1"}));
  EXPECT_TRUE(IsLoopback({"::1", "1"}));
  EXPECT_FALSE(IsLoopback({"10.0.0.1", "1"}));
  EXPECT_FALSE(IsLoopback({"localhost.example.com", "1"}));
}

}  // namespace
}  // namespace userservice::cli
