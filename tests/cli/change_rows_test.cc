#include "client/cli/change_rows.h"

#include <gtest/gtest.h>

#include <sstream>

namespace userservice::cli {
namespace {

using Change = users::v1::WatchUsersResponse::Change;

Change Changed() {
  Change change;
  change.set_revision(17);
  users::v1::User* const user = change.mutable_user();
  user->set_user_id(3);
  user->set_name("Ann\x1b[31m");
  user->set_email("ann@example.com");
  user->set_age(41);
  user->mutable_create_time()->set_seconds(1'700'000'000);
  user->set_etag("\"17\"");
  return change;
}

Change Removed() {
  Change change;
  change.set_revision(18);
  change.set_removed_user_id(2);
  return change;
}

std::string Printed(OutputFormat format, const std::vector<Change>& changes) {
  std::ostringstream out;
  ChangeRows rows(out, format);
  rows.Flush();
  for (const Change& change : changes) {
    rows.Add(change);
    rows.Flush();
  }
  EXPECT_EQ(rows.count(), static_cast<int64_t>(changes.size()));
  return out.str();
}

TEST(ChangeRowsTest, AreColumnsForPeople) {
  EXPECT_EQ(Printed(OutputFormat::kTable, {Changed(), Removed()}),
            "REVISION  CHANGE   ID  NAME      EMAIL            AGE\n"
            "      17  changed   3  Ann\uFFFD[31m  ann@example.com   41\n"
            "      18  removed   2\n");
}

TEST(ChangeRowsTest, AreALineOfJsonEach) {
  EXPECT_EQ(Printed(OutputFormat::kJson, {Removed()}),
            "{\"revision\":\"18\",\"removed_user_id\":\"2\"}\n");
}

TEST(ChangeRowsTest, AreCsvWithATitle) {
  EXPECT_EQ(Printed(OutputFormat::kCsv, {Changed(), Removed()}),
            "revision,change,user_id,name,email,age,create_time,update_time,etag\r\n"
            "17,changed,3,Ann\x1b[31m,ann@example.com,41,2023-11-14T22:13:20Z,,\"\"\"17\"\"\"\r\n"
            "18,removed,2,,,,,,\r\n");
  EXPECT_EQ(Printed(OutputFormat::kCsv, {}),
            "revision,change,user_id,name,email,age,create_time,update_time,etag\r\n");
}

}  // namespace
}  // namespace userservice::cli
