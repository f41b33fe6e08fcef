// ImportUsers, against a real server: what is stored, what is answered, and how streams end.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/user_service_client.h"
#include "tests/support/eventually.h"

namespace userservice {
namespace {

using testing::ElementsAre;
using users::v1::ImportUsersRequest;
using users::v1::ImportUsersResponse;
using users::v1::User;

constexpr char kImportId[] = "0f0e0d0c-0b0a-4908-8706-050403020100";

ImportUsersRequest Chunk(int64_t sequence, int users, const std::string& domain = "example.com") {
  ImportUsersRequest chunk;
  chunk.set_sequence(sequence);
  for (int i = 0; i < users; ++i) {
    User* const user = chunk.add_users();
    user->set_name(absl::StrCat("N", i));
    user->set_email(absl::StrCat("u", i, "@", domain));
  }
  return chunk;
}

std::string OutcomeOf(const ImportUsersResponse::Failure& failure) {
  return Outcome(grpc::Status(static_cast<grpc::StatusCode>(failure.status().code()),
                              failure.status().message(), failure.status().SerializeAsString()));
}

// One ImportUsers stream.
class Import {
 public:
  explicit Import(Stub& stub) {
    SetDeadline(context_);
    stream_ = stub.ImportUsers(&context_);
  }
  // The answer, or nothing if the stream has ended.
  std::optional<ImportUsersResponse> Send(const ImportUsersRequest& chunk) {
    ImportUsersResponse response;
    if (!stream_->Write(chunk) || !stream_->Read(&response)) return std::nullopt;
    return response;
  }
  bool SendOnly(const ImportUsersRequest& chunk) { return stream_->Write(chunk); }
  bool Read(ImportUsersResponse* response) { return stream_->Read(response); }
  grpc::Status Finish() {
    stream_->WritesDone();
    return stream_->Finish();
  }
  // Without telling that nothing more comes.
  grpc::Status AwaitEnd() {
    ImportUsersResponse response;
    EXPECT_FALSE(stream_->Read(&response));
    return stream_->Finish();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<ImportUsersRequest, ImportUsersResponse>> stream_;
};

class ImportUsersTest : public testing::Test {
 protected:
  int64_t Count() {
    users::v1::CountUsersResponse count;
    EXPECT_EQ(Outcome(users_.Call(&Stub::CountUsers, users::v1::CountUsersRequest(), &count)),
              "OK");
    return count.count();
  }
  // How a stream ends whose last chunk is `chunk`.
  grpc::Status Refused(const ImportUsersRequest& chunk) {
    Import import(users_.stub());
    EXPECT_FALSE(import.Send(chunk).has_value());
    return import.Finish();
  }

  LocalApp app_;
  UserServiceClient users_{app_.Connect()};
};

TEST_F(ImportUsersTest, ChunksAreAnsweredInOrderEachWithARevisionOfItsOwn) {
  Import import(users_.stub());
  for (const int64_t sequence : {1, 2, 7})
    ASSERT_TRUE(import.SendOnly(Chunk(sequence, 1000, absl::StrCat("d", sequence, ".com"))));
  int64_t revision = 0;
  for (const int64_t sequence : {1, 2, 7}) {
    ImportUsersResponse response;
    ASSERT_TRUE(import.Read(&response));
    EXPECT_EQ(response.sequence(), sequence);
    EXPECT_EQ(response.created_count(), 1000);
    EXPECT_EQ(response.failures_size(), 0);
    EXPECT_EQ(response.revision(), ++revision);
  }
  EXPECT_EQ(Outcome(import.Finish()), "OK");
  EXPECT_EQ(Count(), 3000);
  EXPECT_TRUE(app_.IsIdle());
}

TEST_F(ImportUsersTest, WhatCanNotBeStoredIsNamedAndTheRestIsStored) {
  users_.Create("Taken", "u1@example.com");
  ImportUsersRequest chunk = Chunk(1, 5);
  chunk.mutable_users(0)->set_name(" ");
  chunk.mutable_users(3)->set_email("U2@EXAMPLE.com");  // as the one before it
  chunk.mutable_users(4)->set_age(200);
  Import import(users_.stub());
  const std::optional<ImportUsersResponse> response = import.Send(chunk);
  ASSERT_TRUE(response.has_value()) << import.Finish().error_message();
  EXPECT_EQ(response->created_count(), 1);
  ASSERT_EQ(response->failures_size(), 4);
  std::vector<std::string> failures;
  for (const auto& failure : response->failures())
    failures.push_back(absl::StrCat(failure.index(), " ", OutcomeOf(failure)));
  EXPECT_THAT(failures,
              ElementsAre("0 INVALID_ARGUMENT FIELD_INVALID", "1 ALREADY_EXISTS EMAIL_TAKEN",
                          "3 ALREADY_EXISTS EMAIL_TAKEN", "4 INVALID_ARGUMENT FIELD_INVALID"));
  EXPECT_EQ(Outcome(import.Finish()), "OK");
  EXPECT_EQ(Count(), 2);
}

TEST_F(ImportUsersTest, AChunkOfWhichNothingIsStoredTakesNoRevision) {
  users_.Create("Taken", "u0@example.com");
  Import import(users_.stub());
  EXPECT_EQ(import.Send(Chunk(1, 1))->revision(), 0);
  EXPECT_EQ(import.Send(Chunk(2, 0))->revision(), 0);
  EXPECT_EQ(import.Send(Chunk(3, 2))->revision(), 2);
  EXPECT_EQ(Outcome(import.Finish()), "OK");
}

TEST_F(ImportUsersTest, ARepeatedChunkReturnsItsFirstOutcome) {
  users_.Create("Taken", "u1@example.com");
  ImportUsersRequest chunk = Chunk(5, 3);
  chunk.mutable_users(2)->clear_name();
  chunk.set_request_id(kImportId);
  std::optional<ImportUsersResponse> first;
  {
    Import import(users_.stub());
    first = import.Send(chunk);
    ASSERT_TRUE(first.has_value());
    import.Cancel();  // a connection that breaks
  }
  // On another stream it has another number, and what it named as taken may be free by now.
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(1);
  ASSERT_EQ(Outcome(users_.Try(&Stub::DeleteUser, remove)), "OK");
  chunk.set_sequence(1);
  Import import(users_.stub());
  const std::optional<ImportUsersResponse> again = import.Send(chunk);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->sequence(), 1);
  EXPECT_EQ(again->created_count(), 1);
  EXPECT_EQ(again->revision(), first->revision());
  ASSERT_EQ(again->failures_size(), 2);
  EXPECT_EQ(OutcomeOf(again->failures(0)), "ALREADY_EXISTS EMAIL_TAKEN");
  EXPECT_EQ(OutcomeOf(again->failures(1)), "INVALID_ARGUMENT FIELD_INVALID");
  EXPECT_EQ(Count(), 1);

  chunk.set_sequence(2);
  chunk.mutable_users(0)->set_age(5);
  EXPECT_FALSE(import.Send(chunk).has_value());
  EXPECT_EQ(Outcome(import.Finish()), "INVALID_ARGUMENT REQUEST_ID_REUSED");
}

TEST_F(ImportUsersTest, AChunkThatBreaksTheRulesEndsTheStreamAndLeavesWhatWasAcknowledged) {
  EXPECT_EQ(Outcome(Refused(Chunk(1, 1001))), "INVALID_ARGUMENT BATCH_TOO_LARGE");
  ImportUsersRequest chunk = Chunk(1, 1);
  chunk.set_request_id("no-uuid");
  EXPECT_EQ(Outcome(Refused(chunk)), "INVALID_ARGUMENT REQUEST_ID_INVALID");
  EXPECT_EQ(Count(), 0);

  Import import(users_.stub());
  ASSERT_TRUE(import.Send(Chunk(2, 3)).has_value());
  EXPECT_FALSE(import.Send(Chunk(2, 4)).has_value());
  const grpc::Status repeated = import.Finish();
  EXPECT_EQ(Outcome(repeated), "INVALID_ARGUMENT FIELD_INVALID");
  EXPECT_THAT(ViolatedFields(repeated), ElementsAre("sequence"));
  EXPECT_EQ(Count(), 3);
  EXPECT_TRUE(app_.IsIdle());
}

TEST_F(ImportUsersTest, AChunkThatCanNotBeReadIsAnErrorAndNotTheEnd) {
  ImportUsersRequest chunk = Chunk(1, 2);
  chunk.mutable_users(1)->set_name("J\xf6rg");  // Latin-1, from a client that does not look
  const grpc::Status status = Refused(chunk);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FIELD_INVALID");
  EXPECT_THAT(ViolatedFields(status), ElementsAre("message"));
  EXPECT_EQ(Count(), 0);
}

TEST_F(ImportUsersTest, AClientThatVanishesLeavesNothingOpen) {
  for (int i = 0; i < 50; ++i) {
    Import import(users_.stub());
    ASSERT_TRUE(import.Send(Chunk(1, 10, absl::StrCat("d", i, ".com"))).has_value());
    if (i % 2 == 0) import.SendOnly(Chunk(2, 1000, absl::StrCat("e", i, ".com")));
    import.Cancel();
  }
  EXPECT_TRUE(app_.IsIdle());
}

TEST_F(ImportUsersTest, AnIdleStreamDoesNotHoldADrain) {
  Import idle(users_.stub());
  ASSERT_TRUE(idle.Send(Chunk(1, 10)).has_value());
  Import silent(users_.stub());  // has not sent anything yet
  ASSERT_TRUE(Eventually([this] { return app_.app().live_calls() == 2; }));
  const absl::Time start = absl::Now();
  app_.app().Stop();
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  EXPECT_EQ(Outcome(idle.AwaitEnd()), "UNAVAILABLE SHUTTING_DOWN");
  EXPECT_EQ(Outcome(silent.AwaitEnd()), "UNAVAILABLE SHUTTING_DOWN");
}

}  // namespace
}  // namespace userservice
