// grpc.health.v1 beside the service.
#include <gtest/gtest.h>

#include <list>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/support/local_app.h"
#include "tests/support/rpc_error.h"

namespace userservice {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthCheckRequest For(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

TEST(HealthTest, CheckAnswersForTheServerAndForEachService) {
  const LocalApp app;
  const auto health = Health::NewStub(app.Connect());
  for (const std::string service : {"", "users.v1.UserService"}) {
    grpc::ClientContext context;
    SetDeadline(context);
    HealthCheckResponse response;
    EXPECT_EQ(Outcome(health->Check(&context, For(service), &response)), "OK");
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING) << service;
  }
}

TEST(HealthTest, CheckOfAServiceThatIsNotHereIsNotFound) {
  const LocalApp app;
  const auto health = Health::NewStub(app.Connect());
  grpc::ClientContext context;
  SetDeadline(context);
  HealthCheckResponse response;
  const grpc::Status status = health->Check(&context, For("no.such.Service"), &response);
  EXPECT_EQ(Outcome(status), "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(InfoOf(status).metadata().at("service"), "no.such.Service");
}

TEST(HealthTest, WatchOfAServiceThatIsNotHereSaysSoAndStaysOpen) {
  const LocalApp app;
  const auto health = Health::NewStub(app.Connect());
  grpc::ClientContext context;
  SetDeadline(context);
  const auto watch = health->Watch(&context, For("no.such.Service"));
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  context.TryCancel();
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(app.IsIdle());
}

TEST(HealthTest, EveryWatchSeesTheServerGoAndEndsWithTheDrain) {
  LocalApp app;
  const auto health = Health::NewStub(app.Connect());
  struct Watch {
    std::string service;
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> reader;
  };
  std::list<Watch> watches;
  // Many, begun just now, so that the drain meets them wherever they are.
  for (int i = 0; i < 64; ++i) {
    Watch& watch = watches.emplace_back();
    watch.service = i % 2 == 0 ? "" : "users.v1.UserService";
    SetDeadline(watch.context);
    watch.reader = health->Watch(&watch.context, For(watch.service));
    HealthCheckResponse response;
    ASSERT_TRUE(watch.reader->Read(&response));
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
  const absl::Time begun = absl::Now();
  std::thread stop([&app] { app.app().Stop(); });
  for (Watch& watch : watches) {
    HealthCheckResponse response;
    EXPECT_TRUE(watch.reader->Read(&response));
    EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
    EXPECT_FALSE(watch.reader->Read(&response));
    const grpc::Status status = watch.reader->Finish();
    EXPECT_EQ(Outcome(status), "UNAVAILABLE SHUTTING_DOWN") << status.error_message();
  }
  stop.join();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(8)) << "an open watch held the drain";
}

}  // namespace
}  // namespace userservice
