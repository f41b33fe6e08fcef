// BatchCreateUsers, BatchUpdateUsers and BatchDeleteUsers, against a real server.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "google/protobuf/empty.pb.h"
#include "tests/e2e/user_service_client.h"

namespace userservice {
namespace {

using testing::ElementsAre;
using users::v1::BatchCreateUsersRequest;
using users::v1::BatchCreateUsersResponse;
using users::v1::BatchDeleteUsersRequest;
using users::v1::BatchUpdateUsersRequest;
using users::v1::BatchUpdateUsersResponse;
using users::v1::User;

constexpr char kId[] = "0f0e0d0c-0b0a-4908-8706-050403020100";

class BatchWritesTest : public testing::Test {
 protected:
  static User& Add(BatchCreateUsersRequest& request, const std::string& name,
                   const std::string& email) {
    User& user = *request.add_requests()->mutable_user();
    user.set_name(name);
    user.set_email(email);
    return user;
  }
  static BatchCreateUsersRequest AnnAndBob() {
    BatchCreateUsersRequest request;
    Add(request, " Ann ", "ANN@example.com").set_age(41);
    Add(request, "Bob", "bob@example.com");
    return request;
  }
  BatchCreateUsersResponse Create(const BatchCreateUsersRequest& request) {
    BatchCreateUsersResponse response;
    const grpc::Status status = users_.Call(&Stub::BatchCreateUsers, request, &response);
    EXPECT_EQ(Outcome(status), "OK") << status.error_message();
    return response;
  }
  int64_t Count() {
    users::v1::CountUsersResponse count;
    EXPECT_EQ(Outcome(users_.Call(&Stub::CountUsers, users::v1::CountUsersRequest(), &count)),
              "OK");
    return count.count();
  }

  LocalApp app_;
  UserServiceClient users_{app_.Connect()};
};

TEST_F(BatchWritesTest, CreatedUsersComeBackInOrderWithOneEtag) {
  const BatchCreateUsersResponse created = Create(AnnAndBob());
  ASSERT_EQ(created.users_size(), 2);
  EXPECT_EQ(created.users(0).name(), "Ann");
  EXPECT_EQ(created.users(0).email(), "ann@example.com");
  EXPECT_EQ(created.users(0).age(), 41);
  EXPECT_EQ(created.users(1).name(), "Bob");
  EXPECT_FALSE(created.users(1).has_age());
  EXPECT_EQ(created.users(0).etag(), created.users(1).etag());
  EXPECT_EQ(Count(), 2);
}

TEST_F(BatchWritesTest, UpdatesHaveAMaskAndAnEtagEach) {
  const BatchCreateUsersResponse created = Create(AnnAndBob());
  BatchUpdateUsersRequest request;
  *request.add_requests()->mutable_user() = created.users(0);
  request.mutable_requests(0)->mutable_user()->set_name("Anna");
  request.mutable_requests(0)->mutable_update_mask()->add_paths("name");
  *request.add_requests()->mutable_user() = created.users(1);
  request.mutable_requests(1)->mutable_user()->set_age(7);
  BatchUpdateUsersResponse updated;
  ASSERT_EQ(Outcome(users_.Call(&Stub::BatchUpdateUsers, request, &updated)), "OK");
  ASSERT_EQ(updated.users_size(), 2);
  EXPECT_EQ(updated.users(0).name(), "Anna");
  EXPECT_EQ(updated.users(1).age(), 7);
  EXPECT_EQ(updated.users(0).etag(), updated.users(1).etag());
  EXPECT_NE(updated.users(0).etag(), created.users(0).etag());
  EXPECT_EQ(Outcome(users_.Try(&Stub::BatchUpdateUsers, request)), "ABORTED ETAG_MISMATCH");
}

TEST_F(BatchWritesTest, DeletedUsersAreGone) {
  const BatchCreateUsersResponse created = Create(AnnAndBob());
  BatchDeleteUsersRequest request;
  for (const User& user : created.users()) {
    request.add_requests()->set_user_id(user.user_id());
    request.mutable_requests(request.requests_size() - 1)->set_etag(user.etag());
  }
  request.add_requests()->set_user_id(4711);
  EXPECT_EQ(Outcome(users_.Try(&Stub::BatchDeleteUsers, request)), "NOT_FOUND USER_NOT_FOUND");
  EXPECT_EQ(Count(), 2) << "all or none";
  request.mutable_requests(2)->set_allow_missing(true);
  EXPECT_EQ(Outcome(users_.Try(&Stub::BatchDeleteUsers, request)), "OK");
  EXPECT_EQ(Count(), 0);
}

TEST_F(BatchWritesTest, OneTakenAddressLeavesNothingOfTheBatch) {
  users_.Create("Bob", "bob@example.com");
  const grpc::Status status = users_.Try(&Stub::BatchCreateUsers, AnnAndBob());
  EXPECT_EQ(Outcome(status), "ALREADY_EXISTS EMAIL_TAKEN");
  EXPECT_EQ(InfoOf(status).metadata().at("email"), "bob@example.com");
  EXPECT_EQ(Count(), 1);
}

TEST_F(BatchWritesTest, ARepeatWithItsRequestIdIsTheFirstSuccess) {
  BatchCreateUsersRequest request = AnnAndBob();
  request.set_request_id(kId);
  const BatchCreateUsersResponse first = Create(request);
  EXPECT_EQ(Create(request).SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(Count(), 2);
  request.mutable_requests(1)->mutable_user()->set_age(5);
  EXPECT_EQ(Outcome(users_.Try(&Stub::BatchCreateUsers, request)),
            "INVALID_ARGUMENT REQUEST_ID_REUSED");
  BatchDeleteUsersRequest remove;
  remove.set_request_id(kId);
  EXPECT_EQ(Outcome(users_.Try(&Stub::BatchDeleteUsers, remove)),
            "INVALID_ARGUMENT REQUEST_ID_REUSED");
}

TEST_F(BatchWritesTest, ValidateOnlyStoresNothing) {
  BatchCreateUsersRequest request = AnnAndBob();
  request.set_validate_only(true);
  EXPECT_EQ(Create(request).users_size(), 2);
  EXPECT_EQ(Count(), 0);
}

TEST_F(BatchWritesTest, AllViolationsAreReportedWithTheirPlaces) {
  BatchCreateUsersRequest request = AnnAndBob();
  Add(request, "", "no-at-sign");
  request.mutable_requests(0)->set_request_id(kId);
  request.mutable_requests(1)->set_validate_only(true);
  const grpc::Status status = users_.Try(&Stub::BatchCreateUsers, request);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FIELD_INVALID");
  EXPECT_THAT(ViolatedFields(status),
              ElementsAre("requests[0].request_id", "requests[1].validate_only",
                          "requests[2].user.name", "requests[2].user.email"));

  BatchUpdateUsersRequest update;
  update.add_requests()->mutable_user()->set_user_id(1);
  update.add_requests()->mutable_user()->set_age(151);
  const grpc::Status bad_age = users_.Try(&Stub::BatchUpdateUsers, update);
  EXPECT_THAT(ViolatedFields(bad_age), ElementsAre("requests[1].user.age"));
  update.mutable_requests(0)->mutable_update_mask()->add_paths("shoe_size");
  const grpc::Status bad_mask = users_.Try(&Stub::BatchUpdateUsers, update);
  EXPECT_EQ(Outcome(bad_mask), "INVALID_ARGUMENT UPDATE_MASK_INVALID");
  EXPECT_THAT(ViolatedFields(bad_mask), ElementsAre("requests[0].update_mask"));

  BatchDeleteUsersRequest remove;
  remove.add_requests()->set_request_id(kId);
  EXPECT_THAT(ViolatedFields(users_.Try(&Stub::BatchDeleteUsers, remove)),
              ElementsAre("requests[0].request_id"));
}

TEST_F(BatchWritesTest, AThousandAreTakenAndOneMoreIsTooLarge) {
  BatchCreateUsersRequest create;
  BatchUpdateUsersRequest update;
  BatchDeleteUsersRequest remove;
  for (int i = 0; i < 1000; ++i) Add(create, "N", absl::StrCat("u", i, "@example.com"));
  create.set_request_id(kId);
  const BatchCreateUsersResponse created = Create(create);
  for (const User& user : created.users()) {
    update.add_requests()->mutable_user()->set_user_id(user.user_id());
    update.mutable_requests(update.requests_size() - 1)->mutable_user()->set_name("M");
    remove.add_requests()->set_user_id(user.user_id());
  }
  EXPECT_EQ(Outcome(users_.Try(&Stub::BatchUpdateUsers, update)), "OK");
  EXPECT_EQ(Outcome(users_.Try(&Stub::BatchDeleteUsers, remove)), "OK");
  EXPECT_EQ(Count(), 0);

  Add(create, "N", "one@example.com");
  update.add_requests();
  remove.add_requests();
  for (const grpc::Status& status :
       {users_.Try(&Stub::BatchCreateUsers, create), users_.Try(&Stub::BatchUpdateUsers, update),
        users_.Try(&Stub::BatchDeleteUsers, remove)}) {
    EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT BATCH_TOO_LARGE");
    EXPECT_EQ(InfoOf(status).metadata().at("size"), "1001");
    EXPECT_THAT(ViolatedFields(status), ElementsAre("requests"));
  }
}

}  // namespace
}  // namespace userservice
