// Every error of the contract that one client alone can bring about: its code, its reason and its
// details.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <map>

#include "google/protobuf/empty.pb.h"
#include "tests/e2e/user_service_client.h"

namespace userservice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using users::v1::User;

using Metadata = std::map<std::string, std::string>;

Metadata MetadataOf(const grpc::Status& status) {
  const google::rpc::ErrorInfo info = InfoOf(status);
  return {info.metadata().begin(), info.metadata().end()};
}

// What holds for every error: few bytes, each detail once, a domain, and the id of the call.
void ExpectWellFormed(const grpc::Status& status) {
  const google::rpc::Status details = DetailsOf(status);
  EXPECT_LE(details.ByteSizeLong(), 4096U);
  EXPECT_TRUE(details.details(0).Is<google::rpc::ErrorInfo>());
  std::map<std::string, int> times;
  for (const auto& any : details.details()) EXPECT_EQ(++times[any.type_url()], 1) << any.type_url();
  EXPECT_EQ(InfoOf(status).domain(), "users.v1");
  EXPECT_NE(
      DetailOf<google::rpc::RequestInfo>(status).value_or(google::rpc::RequestInfo()).request_id(),
      "");
}

class ContractErrorsTest : public testing::Test {
 protected:
  template <class Req, class Resp>
  grpc::Status Fail(grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Resp*),
                    const Req& request) {
    const grpc::Status status = users_.Try(method, request);
    ExpectWellFormed(status);
    return status;
  }

  static users::v1::CreateUserRequest CreateRequest(const std::string& name,
                                                    const std::string& email) {
    users::v1::CreateUserRequest request;
    request.mutable_user()->set_name(name);
    request.mutable_user()->set_email(email);
    return request;
  }

  LocalApp app_;
  UserServiceClient users_{app_.Connect()};
};

TEST_F(ContractErrorsTest, AllViolationsOfARequestAreReportedAtOnce) {
  users::v1::CreateUserRequest request = CreateRequest(" \t ", "no-at-sign");
  request.mutable_user()->set_age(151);
  const grpc::Status status = Fail(&Stub::CreateUser, request);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FIELD_INVALID");
  EXPECT_THAT(ViolatedFields(status), ElementsAre("user.name", "user.email", "user.age"));
  EXPECT_EQ(MetadataOf(status).at("violation_count"), "3");
}

TEST_F(ContractErrorsTest, ValuesOutsideTheirLimitsAreFieldInvalid) {
  const std::string long_local(65, 'a');
  const std::string at_limit =
      std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(21, 'c');
  ASSERT_EQ(at_limit.size(), 150U);
  users_.Create("At the limit", at_limit, 150);
  for (const std::string& email :
       {std::string(), std::string("a@b"), std::string("a@@b.c"), std::string(".a@b.c"),
        std::string("a..b@c.d"), std::string("a@-b.c"), std::string("a@b-.c"),
        std::string("a b@c.d"), std::string("\u00e4@b.c"), std::string("a@b_c.d"), at_limit + "c",
        long_local + "@b.c"}) {
    const grpc::Status status = Fail(&Stub::CreateUser, CreateRequest("Ann", email));
    EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FIELD_INVALID") << email;
    EXPECT_THAT(ViolatedFields(status), ElementsAre("user.email")) << email;
  }
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "\u00fc";
  users_.Create(hundred, "hundred@example.com");
  for (const std::string& name : {hundred + "x", std::string("a\nb"), std::string("a\u0085b")}) {
    const grpc::Status status = Fail(&Stub::CreateUser, CreateRequest(name, "a@example.com"));
    EXPECT_THAT(ViolatedFields(status), ElementsAre("user.name")) << name;
  }
  users::v1::CreateUserRequest request = CreateRequest("Ann", "a@example.com");
  request.mutable_user()->set_age(-1);
  EXPECT_THAT(ViolatedFields(Fail(&Stub::CreateUser, request)), ElementsAre("user.age"));
}

TEST_F(ContractErrorsTest, ATakenAddressNamesTheAddressOnly) {
  users_.Create("Ann", "ann@example.com");
  const grpc::Status status = Fail(&Stub::CreateUser, CreateRequest("Bob", "ANN@example.com"));
  EXPECT_EQ(Outcome(status), "ALREADY_EXISTS EMAIL_TAKEN");
  EXPECT_EQ(MetadataOf(status), (Metadata{{"email", "ann@example.com"}}));
  const auto resource = DetailOf<google::rpc::ResourceInfo>(status);
  ASSERT_TRUE(resource.has_value());
  EXPECT_EQ(resource->resource_type(), "users.v1.User");
  EXPECT_THAT(status.error_message(), Not(HasSubstr("Ann")));

  const User bob = users_.Create("Bob", "bob@example.com");
  users::v1::UpdateUserRequest update;
  update.mutable_user()->set_user_id(bob.user_id());
  update.mutable_user()->set_email("ann@example.com");
  EXPECT_EQ(Outcome(Fail(&Stub::UpdateUser, update)), "ALREADY_EXISTS EMAIL_TAKEN");
}

TEST_F(ContractErrorsTest, AMissingUserIsNamedByEveryMethod) {
  const auto expect_named = [](const grpc::Status& status, const std::string& key,
                               const std::string& name) {
    EXPECT_EQ(Outcome(status), "NOT_FOUND USER_NOT_FOUND");
    EXPECT_EQ(MetadataOf(status), (Metadata{{key, name}}));
    const auto resource = DetailOf<google::rpc::ResourceInfo>(status);
    ASSERT_TRUE(resource.has_value());
    EXPECT_EQ(resource->resource_type(), "users.v1.User");
    EXPECT_EQ(resource->resource_name(), name);
  };
  users::v1::GetUserRequest get;
  get.set_user_id(42);
  expect_named(Fail(&Stub::GetUser, get), "user_id", "42");
  users::v1::LookupUserRequest lookup;
  lookup.set_email("nobody@example.com");
  expect_named(Fail(&Stub::LookupUser, lookup), "email", "nobody@example.com");
  users::v1::UpdateUserRequest update;
  update.mutable_user()->set_user_id(42);
  update.mutable_user()->set_name("Ann");
  expect_named(Fail(&Stub::UpdateUser, update), "user_id", "42");
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(42);
  expect_named(Fail(&Stub::DeleteUser, remove), "user_id", "42");
  users::v1::BatchGetUsersRequest batch;
  batch.add_user_ids(users_.Create("Ann", "ann@example.com").user_id());
  batch.add_user_ids(42);
  expect_named(Fail(&Stub::BatchGetUsers, batch), "user_id", "42");
}

TEST_F(ContractErrorsTest, AStaleEtagIsAborted) {
  const User ann = users_.Create("Ann", "ann@example.com");
  users::v1::UpdateUserRequest update;
  *update.mutable_user() = ann;
  update.mutable_user()->set_age(5);
  ASSERT_EQ(Outcome(users_.Try(&Stub::UpdateUser, update)), "OK");
  const grpc::Status again = Fail(&Stub::UpdateUser, update);
  EXPECT_EQ(Outcome(again), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ(MetadataOf(again), (Metadata{{"user_id", "1"}}));
  EXPECT_TRUE(DetailOf<google::rpc::ResourceInfo>(again).has_value());
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(ann.user_id());
  remove.set_etag(ann.etag());
  EXPECT_EQ(Outcome(Fail(&Stub::DeleteUser, remove)), "ABORTED ETAG_MISMATCH");
}

TEST_F(ContractErrorsTest, ABadFilterSaysWhere) {
  for (const auto& [filter, column] : std::map<std::string, std::string>{{"age > > 25", "7"},
                                                                         {"shoe_size = 4", "1"},
                                                                         {"age > 25 AND (", "15"},
                                                                         {"age > x", "7"}}) {
    users::v1::ListUsersRequest list;
    list.set_filter(filter);
    const grpc::Status status = Fail(&Stub::ListUsers, list);
    EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FILTER_INVALID") << filter;
    EXPECT_EQ(MetadataOf(status)["column"], column) << status.error_message();
    EXPECT_THAT(ViolatedFields(status), ElementsAre("filter"));
  }
  users::v1::CountUsersRequest count;
  count.set_filter(std::string(2049, ' '));
  EXPECT_EQ(Outcome(Fail(&Stub::CountUsers, count)), "INVALID_ARGUMENT FILTER_INVALID");
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "(";
  count.set_filter(deep + "age = 1" + std::string(33, ')'));
  EXPECT_EQ(Outcome(Fail(&Stub::CountUsers, count)), "INVALID_ARGUMENT FILTER_INVALID");
  std::string many = "age = 1";
  for (int i = 0; i < 64; ++i) many += " OR age = 1";
  count.set_filter(many);
  EXPECT_EQ(Outcome(Fail(&Stub::CountUsers, count)), "INVALID_ARGUMENT FILTER_INVALID");
  users::v1::ExportUsersRequest exported;
  exported.set_filter("age >");
  std::vector<users::v1::ExportUsersResponse> chunks;
  const grpc::Status status = users_.Export(exported, &chunks);
  ExpectWellFormed(status);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FILTER_INVALID");
}

TEST_F(ContractErrorsTest, BadListArgumentsAreTold) {
  users::v1::ListUsersRequest list;
  list.set_order_by("shoe_size");
  grpc::Status status = Fail(&Stub::ListUsers, list);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT ORDER_BY_INVALID");
  EXPECT_THAT(ViolatedFields(status), ElementsAre("order_by"));
  list.clear_order_by();
  list.set_page_size(-1);
  status = Fail(&Stub::ListUsers, list);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FIELD_INVALID");
  EXPECT_THAT(ViolatedFields(status), ElementsAre("page_size"));
}

TEST_F(ContractErrorsTest, APageTokenIsGoodForItsOwnListAlone) {
  for (int i = 0; i < 3; ++i) users_.Create("Ann", "ann" + std::to_string(i) + "@example.com", i);
  users::v1::ListUsersRequest list;
  list.set_page_size(1);
  users::v1::ListUsersResponse page;
  ASSERT_EQ(Outcome(users_.Call(&Stub::ListUsers, list, &page)), "OK");
  const std::string token = page.next_page_token();
  const auto expect_refused = [&](const users::v1::ListUsersRequest& request) {
    const grpc::Status status = Fail(&Stub::ListUsers, request);
    EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT PAGE_TOKEN_INVALID") << request.page_token();
    EXPECT_THAT(ViolatedFields(status), ElementsAre("page_token"));
  };
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    list.set_page_token(changed);
    expect_refused(list);
  }
  list.set_page_token(token);
  list.set_filter("age > 0");
  expect_refused(list);
  list.clear_filter();
  list.set_order_by("name");
  expect_refused(list);
  users::v1::ExportUsersRequest exported;
  exported.set_resume_token(token);
  std::vector<users::v1::ExportUsersResponse> chunks;
  const grpc::Status status = users_.Export(exported, &chunks);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT PAGE_TOKEN_INVALID");
  EXPECT_THAT(ViolatedFields(status), ElementsAre("resume_token"));
}

TEST_F(ContractErrorsTest, AMaskMayNameWhatCanBeWritten) {
  users::v1::UpdateUserRequest update;
  update.mutable_user()->set_user_id(1);
  update.mutable_update_mask()->add_paths("shoe_size");
  const grpc::Status status = Fail(&Stub::UpdateUser, update);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT UPDATE_MASK_INVALID");
  EXPECT_EQ(MetadataOf(status), (Metadata{{"field", "update_mask"}, {"path", "shoe_size"}}));
  EXPECT_THAT(ViolatedFields(status), ElementsAre("update_mask"));
}

TEST_F(ContractErrorsTest, ARequestIdIsAUuidAndStandsForOneRequest) {
  users::v1::CreateUserRequest create = CreateRequest("Ann", "ann@example.com");
  for (const std::string id :
       {"1", "0f0e0d0c-0b0a-1908-8706-050403020100", "0f0e0d0c-0b0a-4908-c706-050403020100",
        "0f0e0d0c0b0a49088706050403020100"}) {
    create.set_request_id(id);
    const grpc::Status status = Fail(&Stub::CreateUser, create);
    EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT REQUEST_ID_INVALID") << id;
    EXPECT_THAT(ViolatedFields(status), ElementsAre("request_id"));
  }
  const std::string id = "0f0e0d0c-0b0a-4908-8706-050403020100";
  create.set_request_id(id);
  ASSERT_EQ(Outcome(users_.Try(&Stub::CreateUser, create)), "OK");
  create.mutable_user()->set_name("Bob");
  grpc::Status status = Fail(&Stub::CreateUser, create);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT REQUEST_ID_REUSED");
  EXPECT_EQ(MetadataOf(status), (Metadata{{"request_id", id}}));
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(1);
  remove.set_request_id(id);
  EXPECT_EQ(Outcome(Fail(&Stub::DeleteUser, remove)), "INVALID_ARGUMENT REQUEST_ID_REUSED");
}

TEST_F(ContractErrorsTest, ABatchHasALimit) {
  users::v1::BatchGetUsersRequest batch;
  for (int i = 0; i < 1001; ++i) batch.add_user_ids(1);
  const grpc::Status status = Fail(&Stub::BatchGetUsers, batch);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT BATCH_TOO_LARGE");
  EXPECT_EQ(MetadataOf(status),
            (Metadata{{"field", "user_ids"}, {"limit", "1000"}, {"size", "1001"}}));
  EXPECT_THAT(ViolatedFields(status), ElementsAre("user_ids"));
}

TEST_F(ContractErrorsTest, AReadOfTheFutureWaitsForItUntilTheDeadline) {
  users_.Create("Ann", "ann@example.com");
  users::v1::GetUserRequest get;
  get.set_user_id(1);
  get.set_min_revision(1'000'000);
  grpc::ClientContext context;
  SetDeadline(context, absl::Milliseconds(50));
  User user;
  EXPECT_EQ(users_.stub().GetUser(&context, get, &user).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(app_.IsIdle());
}

TEST_F(ContractErrorsTest, TheIdThatTheClientSentComesBack) {
  grpc::ClientContext context;
  SetDeadline(context);
  context.AddMetadata("x-request-id", "order-4711");
  users::v1::GetUserRequest get;
  User user;
  const grpc::Status status = users_.stub().GetUser(&context, get, &user);
  EXPECT_EQ(DetailOf<google::rpc::RequestInfo>(status)->request_id(), "order-4711");
}

TEST_F(ContractErrorsTest, AnInternalErrorTellsItsIdAndNothingElse) {
  users_.Create("Ann", "ann@example.com");
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(app_.database().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "DROP TABLE users", nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
  users::v1::GetUserRequest get;
  get.set_user_id(1);
  const grpc::Status read = Fail(&Stub::GetUser, get);
  const grpc::Status write = Fail(&Stub::CreateUser, CreateRequest("Bob", "bob@example.com"));
  for (const grpc::Status& status : {read, write}) {
    EXPECT_EQ(Outcome(status), "INTERNAL INTERNAL");
    EXPECT_EQ(status.error_message(), "internal error");
    EXPECT_EQ(MetadataOf(status), Metadata());
    EXPECT_EQ(DetailsOf(status).details_size(), 2);  // ErrorInfo and RequestInfo
    EXPECT_THAT(status.error_details(), Not(HasSubstr("table")));
    EXPECT_THAT(status.error_details(), Not(HasSubstr(".db")));
  }
}

}  // namespace
}  // namespace userservice
