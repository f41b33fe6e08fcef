// What looks like SQL is data, or INVALID_ARGUMENT, wherever a client can put it; and the table is
// whole afterwards.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <array>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "google/protobuf/empty.pb.h"
#include "tests/e2e/user_service_client.h"

namespace userservice {
namespace {

using users::v1::User;

constexpr std::array<const char*, 12> kInjections = {
    "'; DROP TABLE users; --",
    "\"; DROP TABLE users; --",
    "Robert'); DELETE FROM users; --",
    "' OR '1'='1",
    "\" OR \"\"=\"",
    "1; UPDATE users SET name = 'x'",
    "' UNION SELECT user_id, email, name, 1, 1, 1, 1 FROM users --",
    "?1 OR 1=1",
    "%' OR name LIKE '%",
    "x\\' OR 1=1 --",
    "/* */ ; ATTACH DATABASE '/tmp/x' AS x; --",
    "'||(SELECT group_concat(email) FROM users)||'",
};

class InjectionTest : public testing::Test {
 protected:
  InjectionTest() {
    for (int i = 1; i <= 3; ++i) {
      const std::string number = std::to_string(i);
      expected_.push_back(
          users_.Create("User " + number, "user" + number + "@example.com", 20 + i));
    }
  }

  void TearDown() override {
    std::vector<std::string> expected;
    for (const User& user : expected_) expected.push_back(user.SerializeAsString());
    std::vector<std::string> found;
    for (const User& user : users_.ListAll({})) found.push_back(user.SerializeAsString());
    EXPECT_EQ(found, expected);
    EXPECT_EQ(FirstValue("SELECT count(*) FROM users"), std::to_string(expected.size()));
    EXPECT_EQ(FirstValue("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(
        FirstValue("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'users'"),
        "1");
  }

  std::string FirstValue(const std::string& sql) {
    sqlite3* db = nullptr;
    std::string value;
    EXPECT_EQ(sqlite3_open_v2(app_.database().c_str(), &db, SQLITE_OPEN_READONLY, nullptr),
              SQLITE_OK);
    const auto keep_first = [](void* kept, int, char** columns, char**) {
      *static_cast<std::string*>(kept) = columns[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), keep_first, &value, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
    return value;
  }

  LocalApp app_;
  UserServiceClient users_{app_.Connect()};
  std::vector<User> expected_;
};

TEST_F(InjectionTest, ANameIsStoredAsItIs) {
  int number = 0;
  for (const char* const text : kInjections) {
    expected_.push_back(
        users_.Create(text, "injected" + std::to_string(++number) + "@example.com"));
    EXPECT_EQ(expected_.back().name(), text);
    users::v1::UpdateUserRequest update;
    *update.mutable_user() = expected_.back();
    update.mutable_user()->set_name(std::string(text) + "!");
    ASSERT_EQ(Outcome(users_.Call(&Stub::UpdateUser, update, &expected_.back())), "OK");
    EXPECT_EQ(expected_.back().name(), std::string(text) + "!");
  }
}

TEST_F(InjectionTest, AnAddressIsDataOrInvalid) {
  // All of these characters may stand before the @.
  expected_.push_back(users_.Create("Quote", "o'or'1'='1'--@example.com"));
  for (const char* const text : kInjections) {
    users::v1::CreateUserRequest create;
    create.mutable_user()->set_name("Ann");
    create.mutable_user()->set_email(std::string(text) + "@example.com");
    EXPECT_EQ(Outcome(users_.Try(&Stub::CreateUser, create)).rfind("INVALID_ARGUMENT", 0) == 0,
              std::string(text).find_first_of(" \"();,\\") != std::string::npos)
        << text;
    users::v1::LookupUserRequest lookup;
    lookup.set_email(text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::LookupUser, lookup)), "NOT_FOUND USER_NOT_FOUND") << text;
  }
}

TEST_F(InjectionTest, AFilterMatchesNobodyOrIsInvalid) {
  for (const char* const text : kInjections) {
    users::v1::CountUsersRequest raw;
    raw.set_filter(text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::CountUsers, raw)), "INVALID_ARGUMENT FILTER_INVALID")
        << text;
    // As a string of the filter's own, with what ends such a string escaped.
    std::string quoted;
    for (const char* c = text; *c != '\0'; ++c) {
      if (std::string_view("\"\\*").find(*c) != std::string_view::npos) quoted += '\\';
      quoted += *c;
    }
    for (const std::string field : {"name", "email"}) {
      for (const std::string op : {" = ", ":", " > "}) {
        users::v1::CountUsersRequest count;
        count.set_filter(absl::StrCat(field, op, "\"", quoted, "\""));
        users::v1::CountUsersResponse response;
        const grpc::Status status = users_.Call(&Stub::CountUsers, count, &response);
        EXPECT_EQ(Outcome(status), "OK") << count.filter() << status.error_message();
        if (op != " > ") {
          EXPECT_EQ(response.count(), 0) << count.filter();
        }
      }
    }
  }
}

TEST_F(InjectionTest, OrderTokensAndIdsAreInvalid) {
  for (const char* const text : kInjections) {
    users::v1::ListUsersRequest order;
    order.set_order_by(text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::ListUsers, order)), "INVALID_ARGUMENT ORDER_BY_INVALID")
        << text;
    order.set_order_by(std::string("name ") + text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::ListUsers, order)), "INVALID_ARGUMENT ORDER_BY_INVALID")
        << text;
    users::v1::ListUsersRequest page;
    page.set_page_token(text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::ListUsers, page)), "INVALID_ARGUMENT PAGE_TOKEN_INVALID")
        << text;
    users::v1::ExportUsersRequest resume;
    resume.set_resume_token(text);
    std::vector<users::v1::ExportUsersResponse> chunks;
    EXPECT_EQ(Outcome(users_.Export(resume, &chunks)), "INVALID_ARGUMENT PAGE_TOKEN_INVALID")
        << text;
    users::v1::DeleteUserRequest remove;
    remove.set_user_id(1);
    remove.set_request_id(text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::DeleteUser, remove)), "INVALID_ARGUMENT REQUEST_ID_INVALID")
        << text;
    remove.clear_request_id();
    remove.set_etag(text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::DeleteUser, remove)), "ABORTED ETAG_MISMATCH") << text;
    users::v1::UpdateUserRequest update;
    update.mutable_user()->set_user_id(1);
    update.mutable_update_mask()->add_paths(text);
    EXPECT_EQ(Outcome(users_.Try(&Stub::UpdateUser, update)),
              "INVALID_ARGUMENT UPDATE_MASK_INVALID")
        << text;
  }
}

}  // namespace
}  // namespace userservice
