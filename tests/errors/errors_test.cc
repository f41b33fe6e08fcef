#include "service/errors/errors.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/errors/text.h"
#include "users/v1/errors.pb.h"

namespace userservice::errors {
namespace {

// The answer as rpc/ builds it from a status, with the RequestInfo that it adds.
google::rpc::Status AnswerOf(const absl::Status& status) {
  google::rpc::Status answer;
  answer.set_code(static_cast<int>(status.code()));
  answer.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& payload) {
    if (!absl::StartsWith(key, AbslView(kTypeUrlPrefix))) return;
    google::protobuf::Any* detail = answer.add_details();
    detail->set_type_url(std::string(key));
    detail->set_value(std::string(payload));
  });
  google::rpc::RequestInfo request;
  request.set_request_id("01234567-89ab-4def-8123-456789abcdef");
  answer.add_details()->PackFrom(request);
  return answer;
}

template <class Detail>
Detail DetailIn(const google::rpc::Status& answer) {
  Detail detail;
  for (const google::protobuf::Any& any : answer.details()) {
    if (any.Is<Detail>()) {
      EXPECT_TRUE(any.UnpackTo(&detail));
      return detail;
    }
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name() << " in " << answer.DebugString();
  return detail;
}

std::vector<absl::Status> OneOfEach(const std::string& text) {
  return {FieldsInvalid({FieldViolation(text, text)}),
          FilterInvalid(7, text),
          OrderByInvalid(text),
          PageTokenInvalid("page_token"),
          MessageUnreadable(),
          UpdateMaskInvalid("requests[999].update_mask", text),
          RequestIdInvalid(),
          RequestIdReused(text),
          BatchTooLarge("requests", 1001, 1000),
          UserNotFound(42),
          RevisionCompacted(5, 9),
          RevisionInFuture(9, 5),
          UserNotFoundByEmail(text),
          EmailTaken(text),
          EtagMismatch(42),
          StorageFull(),
          TooManyStreams(64),
          Overloaded(text, absl::Milliseconds(150)),
          ShuttingDown(),
          StorageUnavailable(),
          DeadlineExpired(),
          CallCancelled(),
          MethodUnimplemented(text),
          Internal(text)};
}

// What protobuf asks of a string field: a parser refuses anything else.
bool IsUtf8(const std::string& text) {
  google::rpc::Status message;
  message.set_message(text);
  google::rpc::Status parsed;
  return parsed.ParseFromString(message.SerializeAsString());
}

TEST(Errors, CarryAnErrorInfoWithAPublishedReasonAndEachDetailOnce) {
  for (const absl::Status& status : OneOfEach("text")) {
    const google::rpc::Status answer = AnswerOf(status);
    const auto info = DetailIn<google::rpc::ErrorInfo>(answer);
    EXPECT_EQ(info.domain(), "users.v1");
    users::v1::ErrorReason reason;
    EXPECT_TRUE(users::v1::ErrorReason_Parse(absl::StrCat("ERROR_REASON_", info.reason()), &reason))
        << info.reason();
    EXPECT_EQ(ReasonOf(status), info.reason());
    std::set<std::string> types;
    for (const auto& detail : answer.details()) EXPECT_TRUE(types.insert(detail.type_url()).second);
  }
}

TEST(Errors, ListEveryValueOfTheMessageInTheMetadata) {
  const absl::Status status = BatchTooLarge("user_ids", 1200, 1000);
  EXPECT_EQ(status.message(), "user_ids holds 1200 entries; the limit is 1000");
  const auto metadata = DetailIn<google::rpc::ErrorInfo>(AnswerOf(status)).metadata();
  EXPECT_EQ(metadata.at("field"), "user_ids");
  EXPECT_EQ(metadata.at("size"), "1200");
  EXPECT_EQ(metadata.at("limit"), "1000");
}

TEST(Errors, TellFromWhichRevisionOnAWatchCanBegin) {
  const absl::Status compacted = RevisionCompacted(5, 9);
  EXPECT_EQ(compacted.code(), absl::StatusCode::kOutOfRange);
  auto metadata = DetailIn<google::rpc::ErrorInfo>(AnswerOf(compacted)).metadata();
  EXPECT_EQ(metadata.at("after_revision"), "5");
  EXPECT_EQ(metadata.at("oldest_revision"), "9");
  const absl::Status future = RevisionInFuture(9, 5);
  EXPECT_EQ(future.message(), "after_revision 9 is newer than the newest revision, 5");
  metadata = DetailIn<google::rpc::ErrorInfo>(AnswerOf(future)).metadata();
  EXPECT_EQ(metadata.at("after_revision"), "9");
  EXPECT_EQ(metadata.at("newest_revision"), "5");
}

TEST(Errors, StayUnderFourKibibytesWhateverTheCallerSent) {
  // Two, three and four byte sequences, bytes that are no UTF-8, and control characters, all far
  // over every limit.
  for (const char* piece :
       {"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xFF", "\n", "\"%s'; --"}) {
    std::string text;
    while (text.size() < 100'000) text += piece;
    std::vector<absl::Status> statuses = OneOfEach(text);
    statuses.push_back(
        FieldsInvalid(std::vector<FieldViolation>(1000, FieldViolation(text, text))));
    for (const absl::Status& status : statuses) {
      const google::rpc::Status answer = AnswerOf(status);
      EXPECT_LE(answer.ByteSizeLong(), 4096U) << status.message();
      EXPECT_TRUE(IsUtf8(std::string(status.message())));
      const auto info = DetailIn<google::rpc::ErrorInfo>(answer);
      for (const auto& [key, value] : info.metadata()) EXPECT_TRUE(IsUtf8(value)) << key;
      EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
    }
  }
}

TEST(Errors, NameTwentyViolationsAndThenACount) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 25; ++i)
    violations.emplace_back(absl::StrCat("requests[", i, "].user.age"), "must be 0 to 150");
  const absl::Status status = FieldsInvalid(violations);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "requests[0].user.age must be 0 to 150 (and 24 more)");
  const google::rpc::Status answer = AnswerOf(status);
  const auto bad_request = DetailIn<google::rpc::BadRequest>(answer);
  ASSERT_EQ(bad_request.field_violations_size(), 20);
  EXPECT_EQ(bad_request.field_violations(19).field(), "requests[19].user.age");
  EXPECT_EQ(bad_request.field_violations(19).description(), "must be 0 to 150");
  EXPECT_EQ(DetailIn<google::rpc::ErrorInfo>(answer).metadata().at("violation_count"), "25");
}

TEST(Errors, TellWhereAFilterIsAtFault) {
  const absl::Status status = FilterInvalid(5, "unknown field 'agee'");
  EXPECT_EQ(status.message(), "filter, column 5: unknown field 'agee'");
  const google::rpc::Status answer = AnswerOf(status);
  EXPECT_EQ(DetailIn<google::rpc::ErrorInfo>(answer).metadata().at("column"), "5");
  EXPECT_EQ(DetailIn<google::rpc::BadRequest>(answer).field_violations(0).field(), "filter");
}

TEST(Errors, NameTheUserThatTheyAreAbout) {
  const auto by_id = DetailIn<google::rpc::ResourceInfo>(AnswerOf(UserNotFound(42)));
  EXPECT_EQ(by_id.resource_type(), "users.v1.User");
  EXPECT_EQ(by_id.resource_name(), "42");
  EXPECT_EQ(DetailIn<google::rpc::ResourceInfo>(AnswerOf(EtagMismatch(7))).resource_name(), "7");
  const auto taken = DetailIn<google::rpc::ResourceInfo>(AnswerOf(EmailTaken("Ann@Example.com")));
  EXPECT_EQ(taken.resource_name(), "Ann@Example.com");
}

TEST(Errors, SayWhenToComeBackOnOverload) {
  const absl::Status status = Overloaded("the write queue is full", absl::Milliseconds(1250));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  const auto retry = DetailIn<google::rpc::RetryInfo>(AnswerOf(status));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 250'000'000);
  EXPECT_EQ(RetryAfterOf(status), absl::Milliseconds(1250));
  EXPECT_EQ(RetryAfterOf(Overloaded("x", -absl::Seconds(3))), absl::ZeroDuration());
  EXPECT_EQ(RetryAfterOf(Overloaded("x", absl::InfiniteDuration())), absl::Hours(1));
  EXPECT_EQ(RetryAfterOf(ShuttingDown()), absl::ZeroDuration());
}

TEST(Errors, KeepTheCauseOfAnInternalErrorFromTheCaller) {
  const absl::Status status = Internal("SELECT secret FROM /var/lib/users.db");
  EXPECT_EQ(status.message(), "internal error");
  EXPECT_EQ(CauseOf(status), "SELECT secret FROM /var/lib/users.db");
  EXPECT_EQ(AnswerOf(status).SerializeAsString().find("secret"), std::string::npos);
}

TEST(Errors, CarryACauseForTheLogBesideWhatTheCallerSees) {
  const absl::Status status = WithCause(StorageUnavailable(), "disk I/O error (266)");
  EXPECT_EQ(CauseOf(status), "disk I/O error (266)");
  EXPECT_EQ(ReasonOf(status), "STORAGE_UNAVAILABLE");
  EXPECT_EQ(AnswerOf(status).SerializeAsString().find("disk I/O"), std::string::npos);
  EXPECT_EQ(CauseOf(StorageFull()), "");
}

TEST(Errors, HaveNoReasonWhenTheyAreNotFromTheCatalogue) {
  EXPECT_EQ(ReasonOf(absl::InternalError("what() of something")), "");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
}

}  // namespace
}  // namespace userservice::errors
