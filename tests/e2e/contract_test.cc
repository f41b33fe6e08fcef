// What each RPC does when all is well, against a real server with a real database.
#include <gmock/gmock.h>

#include "google/protobuf/empty.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/e2e/user_service_client.h"

namespace userservice {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::ElementsAre;
using users::v1::User;

std::vector<int64_t> IdsOf(const std::vector<User>& users) {
  std::vector<int64_t> ids;
  for (const User& user : users) ids.push_back(user.user_id());
  return ids;
}

class ContractTest : public testing::Test {
 protected:
  User Get(int64_t user_id) {
    users::v1::GetUserRequest request;
    request.set_user_id(user_id);
    User user;
    const grpc::Status status = users_.Call(&Stub::GetUser, request, &user);
    EXPECT_EQ(Outcome(status), "OK") << status.error_message();
    return user;
  }

  // Ages 20, 25, 26, none, 30 and 41, in this order.
  std::vector<User> CreateSixUsers() {
    return {
        users_.Create("Ann", "ann@example.com", 20), users_.Create("Bob", "bob@example.com", 25),
        users_.Create("Cyd", "cyd@example.com", 26), users_.Create("Dee", "dee@example.com"),
        users_.Create("Eve", "eve@example.com", 30), users_.Create("Fay", "fay@example.com", 41)};
  }

  LocalApp app_;
  UserServiceClient users_{app_.Connect()};
};

TEST_F(ContractTest, ACreatedUserComesBackWithWhatTheServiceAdds) {
  const User created = users_.Create(" Ann Lee\u00a0", "Ann.Lee@Example.COM", 41);
  EXPECT_EQ(created.name(), "Ann Lee");
  EXPECT_EQ(created.email(), "ann.lee@example.com");
  EXPECT_EQ(created.age(), 41);
  EXPECT_GT(created.user_id(), 0);
  EXPECT_GT(created.create_time().seconds(), 0);
  EXPECT_TRUE(MessageDifferencer::Equals(created.create_time(), created.update_time()));
  EXPECT_THAT(created.etag(), testing::MatchesRegex("\"[0-9]+\""));
  EXPECT_TRUE(MessageDifferencer::Equals(Get(created.user_id()), created));
}

TEST_F(ContractTest, OutputOnlyFieldsOfACreatedUserAreIgnored) {
  users::v1::CreateUserRequest request;
  request.mutable_user()->set_name("Ann");
  request.mutable_user()->set_email("ann@example.com");
  request.mutable_user()->set_user_id(4711);
  request.mutable_user()->set_etag("\"4711\"");
  request.mutable_user()->mutable_create_time()->set_seconds(1);
  User created;
  EXPECT_EQ(Outcome(users_.Call(&Stub::CreateUser, request, &created)), "OK");
  EXPECT_EQ(created.user_id(), 1);
  EXPECT_NE(created.etag(), "\"4711\"");
  EXPECT_GT(created.create_time().seconds(), 1);
}

TEST_F(ContractTest, AUserWithoutAnAgeStaysWithoutOne) {
  EXPECT_FALSE(Get(users_.Create("Ann", "ann@example.com").user_id()).has_age());
  const User newborn = Get(users_.Create("Bob", "bob@example.com", 0).user_id());
  EXPECT_TRUE(newborn.has_age());
  EXPECT_EQ(newborn.age(), 0);
}

TEST_F(ContractTest, LookupFindsAnAddressInAnyCase) {
  const User ann = users_.Create("Ann", "ann@example.com");
  users::v1::LookupUserRequest request;
  request.set_email("ANN@Example.Com");
  User found;
  EXPECT_EQ(Outcome(users_.Call(&Stub::LookupUser, request, &found)), "OK");
  EXPECT_TRUE(MessageDifferencer::Equals(found, ann));
}

TEST_F(ContractTest, ALateReadSeesItsOwnWriteByMinRevision) {
  users_.Create("Ann", "ann@example.com");
  users::v1::CountUsersRequest count;
  users::v1::CountUsersResponse before;
  EXPECT_EQ(Outcome(users_.Call(&Stub::CountUsers, count, &before)), "OK");
  const User bob = users_.Create("Bob", "bob@example.com");
  users::v1::GetUserRequest get;
  get.set_user_id(bob.user_id());
  get.set_min_revision(before.revision() + 1);
  EXPECT_EQ(Outcome(users_.Try(&Stub::GetUser, get)), "OK");
}

TEST_F(ContractTest, ListComesInPagesThatMissNothingAndRepeatNothing) {
  const std::vector<User> created = CreateSixUsers();
  users::v1::ListUsersRequest request;
  request.set_page_size(4);
  users::v1::ListUsersResponse first;
  EXPECT_EQ(Outcome(users_.Call(&Stub::ListUsers, request, &first)), "OK");
  EXPECT_EQ(first.users_size(), 4);
  EXPECT_GT(first.revision(), 0);
  EXPECT_THAT(first.next_page_token(), testing::MatchesRegex("[A-Za-z0-9_=-]+"));
  for (const int page_size : {1, 2, 3, 5, 6, 7}) {
    request.set_page_size(page_size);
    EXPECT_EQ(IdsOf(users_.ListAll(request)), IdsOf(created)) << page_size;
  }
}

TEST_F(ContractTest, ListFiltersByAge) {
  const std::vector<User> created = CreateSixUsers();
  users::v1::ListUsersRequest request;
  request.set_filter("age > 25");
  request.set_page_size(1);
  EXPECT_THAT(IdsOf(users_.ListAll(request)),
              ElementsAre(created[2].user_id(), created[4].user_id(), created[5].user_id()));
}

TEST_F(ContractTest, ListOrdersByWhatItIsAskedFor) {
  const std::vector<User> created = CreateSixUsers();
  users::v1::ListUsersRequest request;
  request.set_order_by("age desc, name");
  request.set_page_size(2);
  // Users without an age come first in ascending order, so last here.
  EXPECT_THAT(IdsOf(users_.ListAll(request)),
              ElementsAre(created[5].user_id(), created[4].user_id(), created[2].user_id(),
                          created[1].user_id(), created[0].user_id(), created[3].user_id()));
}

TEST_F(ContractTest, APageSizeOfZeroIsFiftyAndNoPageIsLongerThanAThousand) {
  Config config;
  config.generate_users = 1100;
  const LocalApp app(config);
  UserServiceClient users(app.Connect());
  users::v1::ListUsersRequest request;
  users::v1::ListUsersResponse page;
  EXPECT_EQ(Outcome(users.Call(&Stub::ListUsers, request, &page)), "OK");
  EXPECT_EQ(page.users_size(), 50);
  request.set_page_size(100'000);
  EXPECT_EQ(Outcome(users.Call(&Stub::ListUsers, request, &page)), "OK");
  EXPECT_EQ(page.users_size(), 1000);
}

TEST_F(ContractTest, UpdateWritesWhatTheMaskNames) {
  const User ann = users_.Create("Ann", "ann@example.com", 41);
  users::v1::UpdateUserRequest request;
  *request.mutable_user() = ann;
  request.mutable_user()->set_name("Anna");
  request.mutable_user()->set_email("not even read");
  request.mutable_user()->clear_age();
  request.mutable_update_mask()->add_paths("name");
  request.mutable_update_mask()->add_paths("age");
  User updated;
  const grpc::Status status = users_.Call(&Stub::UpdateUser, request, &updated);
  EXPECT_EQ(Outcome(status), "OK") << status.error_message();
  EXPECT_EQ(updated.name(), "Anna");
  EXPECT_EQ(updated.email(), "ann@example.com");
  EXPECT_FALSE(updated.has_age());
  EXPECT_NE(updated.etag(), ann.etag());
  EXPECT_TRUE(MessageDifferencer::Equals(Get(ann.user_id()), updated));
}

TEST_F(ContractTest, UpdateWithoutAMaskWritesWhatIsSet) {
  const User ann = users_.Create("Ann", "ann@example.com", 41);
  users::v1::UpdateUserRequest request;
  request.mutable_user()->set_user_id(ann.user_id());
  request.mutable_user()->set_age(42);
  User updated;
  EXPECT_EQ(Outcome(users_.Call(&Stub::UpdateUser, request, &updated)), "OK");
  EXPECT_EQ(updated.name(), "Ann");
  EXPECT_EQ(updated.age(), 42);
}

TEST_F(ContractTest, ADeletedUserIsGone) {
  const User ann = users_.Create("Ann", "ann@example.com");
  users::v1::DeleteUserRequest request;
  request.set_user_id(ann.user_id());
  request.set_etag(ann.etag());
  EXPECT_EQ(Outcome(users_.Try(&Stub::DeleteUser, request)), "OK");
  users::v1::GetUserRequest get;
  get.set_user_id(ann.user_id());
  EXPECT_EQ(Outcome(users_.Try(&Stub::GetUser, get)), "NOT_FOUND USER_NOT_FOUND");
  request.clear_etag();
  request.set_allow_missing(true);
  EXPECT_EQ(Outcome(users_.Try(&Stub::DeleteUser, request)), "OK");
}

TEST_F(ContractTest, BatchGetAnswersInTheOrderOfTheRequest) {
  const std::vector<User> created = CreateSixUsers();
  users::v1::BatchGetUsersRequest request;
  for (const int index : {3, 0, 3, 5}) request.add_user_ids(created[index].user_id());
  users::v1::BatchGetUsersResponse response;
  EXPECT_EQ(Outcome(users_.Call(&Stub::BatchGetUsers, request, &response)), "OK");
  EXPECT_THAT(IdsOf({response.users().begin(), response.users().end()}),
              ElementsAre(created[3].user_id(), created[0].user_id(), created[3].user_id(),
                          created[5].user_id()));
}

TEST_F(ContractTest, CountIsExactForEveryFilter) {
  CreateSixUsers();
  const auto count = [this](const std::string& filter) {
    users::v1::CountUsersRequest request;
    request.set_filter(filter);
    users::v1::CountUsersResponse response;
    EXPECT_EQ(Outcome(users_.Call(&Stub::CountUsers, request, &response)), "OK") << filter;
    return response.count();
  };
  EXPECT_EQ(count(""), 6);
  EXPECT_EQ(count("age > 25"), 3);
  EXPECT_EQ(count("age >= 25 age <= 30"), 3);
  EXPECT_EQ(count("age:*"), 5);
  EXPECT_EQ(count("NOT age > 25"), 3);
  EXPECT_EQ(count("name = \"nobody\""), 0);
}

TEST_F(ContractTest, ExportStreamsEveryUserInOrderAndResumesAfterAnyChunk) {
  Config config;
  config.generate_users = 6000;
  const LocalApp app(config);
  UserServiceClient users(app.Connect());
  users::v1::ExportUsersRequest request;
  std::vector<users::v1::ExportUsersResponse> chunks;
  EXPECT_EQ(Outcome(users.Export(request, &chunks)), "OK");
  ASSERT_GT(chunks.size(), 1U);
  int64_t expected = 0;
  for (const auto& chunk : chunks) {
    for (const User& user : chunk.users()) EXPECT_EQ(user.user_id(), ++expected);
  }
  EXPECT_EQ(expected, 6000);

  request.set_resume_token(chunks[0].resume_token());
  std::vector<users::v1::ExportUsersResponse> rest;
  EXPECT_EQ(Outcome(users.Export(request, &rest)), "OK");
  ASSERT_FALSE(rest.empty());
  EXPECT_EQ(rest[0].users(0).user_id(), chunks[0].users_size() + 1);

  // From the end goes on with whoever is created later.
  request.set_resume_token(chunks.back().resume_token());
  const User late = users.Create("Late", "late@example.net");
  rest.clear();
  EXPECT_EQ(Outcome(users.Export(request, &rest)), "OK");
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_THAT(IdsOf({rest[0].users().begin(), rest[0].users().end()}), ElementsAre(late.user_id()));
}

TEST_F(ContractTest, ARepeatedRequestIdReturnsTheFirstOutcome) {
  users::v1::CreateUserRequest request;
  request.mutable_user()->set_name("Ann");
  request.mutable_user()->set_email("ann@example.com");
  request.set_request_id("0f0e0d0c-0b0a-4908-8706-050403020100");
  User first;
  User second;
  EXPECT_EQ(Outcome(users_.Call(&Stub::CreateUser, request, &first)), "OK");
  EXPECT_EQ(Outcome(users_.Call(&Stub::CreateUser, request, &second)), "OK");
  EXPECT_TRUE(MessageDifferencer::Equals(first, second));
}

TEST_F(ContractTest, ValidateOnlyChecksAndStoresNothing) {
  users::v1::CreateUserRequest request;
  request.mutable_user()->set_name("Ann");
  request.mutable_user()->set_email("ann@example.com");
  request.set_validate_only(true);
  EXPECT_EQ(Outcome(users_.Try(&Stub::CreateUser, request)), "OK");
  EXPECT_TRUE(users_.ListAll({}).empty());
  users_.Create("Ann", "ann@example.com");
  EXPECT_EQ(Outcome(users_.Try(&Stub::CreateUser, request)), "ALREADY_EXISTS EMAIL_TAKEN");
}

}  // namespace
}  // namespace userservice
