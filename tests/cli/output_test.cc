#include "client/cli/output.h"

#include <sstream>

#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

using users::v1::User;

User Ada() {
  User user;
  user.set_user_id(7);
  user.set_name("Ada, \"Countess\"");
  user.set_email("ada@example.com");
  user.set_age(36);
  user.mutable_create_time()->set_seconds(1'700'000'000);
  user.mutable_create_time()->set_nanos(250'000'000);
  user.set_etag("\"9\"");
  return user;
}

std::string Shown(OutputFormat format, const User& user) {
  std::ostringstream out;
  PrintUser(out, format, user);
  return out.str();
}

std::string ShownRows(OutputFormat format, const std::vector<User>& users) {
  std::ostringstream out;
  UserRows rows(out, format);
  for (const User& user : users) rows.Add(user);
  rows.Flush();
  return out.str();
}

TEST(PrintUser, ForPeopleIsALineAField) {
  EXPECT_EQ(Shown(OutputFormat::kTable, Ada()),
            "user_id      7\n"
            "name         Ada, \"Countess\"\n"
            "email        ada@example.com\n"
            "age          36\n"
            "create_time  2023-11-14 22:13:20 UTC\n"
            "etag         \"9\"\n");
}

TEST(PrintUser, AsJsonHasTheNamesOfTheProtoFileAndReadsBack) {
  const std::string json = Shown(OutputFormat::kJson, Ada());
  EXPECT_NE(json.find("\"user_id\": \"7\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"create_time\": \"2023-11-14T22:13:20.250Z\""), std::string::npos) << json;
  User read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &read).ok());
  EXPECT_EQ(read.SerializeAsString(), Ada().SerializeAsString());
}

TEST(PrintUser, AsCsvHasATitle) {
  EXPECT_EQ(
      Shown(OutputFormat::kCsv, Ada()),
      "user_id,name,email,age,create_time,update_time,etag\r\n"
      "7,\"Ada, \"\"Countess\"\"\",ada@example.com,36,2023-11-14T22:13:20.25Z,,\"\"\"9\"\"\"\r\n");
}

TEST(UserRowsTest, AsJsonIsALineAUser) {
  const std::string json = ShownRows(OutputFormat::kJson, {Ada(), Ada()});
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 2);
}

TEST(UserRowsTest, AsCsvHasATitleEvenWithoutUsers) {
  EXPECT_EQ(ShownRows(OutputFormat::kCsv, {}),
            "user_id,name,email,age,create_time,update_time,etag\r\n");
}

TEST(UserRowsTest, LeavesAnUnknownAgeEmpty) {
  User user = Ada();
  user.clear_age();
  EXPECT_EQ(ShownRows(OutputFormat::kTable, {user}),
            "ID  NAME             EMAIL            AGE  CREATED (UTC)\n"
            " 7  Ada, \"Countess\"  ada@example.com       2023-11-14 22:13:20\n");
}

TEST(UserCountTest, SaysOneUserAndThousandsOfUsers) {
  EXPECT_EQ(UserCount(0), "0 users");
  EXPECT_EQ(UserCount(1), "1 user");
  EXPECT_EQ(UserCount(1'234'567), "1,234,567 users");
}

}  // namespace
}  // namespace userservice::cli
