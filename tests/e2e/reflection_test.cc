// Server reflection, v1 and v1alpha: what grpcurl and its like need to call the service without its
// .proto files.
#include <gmock/gmock.h>

#include <set>

#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/support/local_app.h"

namespace userservice {
namespace {

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;

struct V1 {
  using Service = v1::ServerReflection;
  using Request = v1::ServerReflectionRequest;
  using Response = v1::ServerReflectionResponse;
};
struct V1Alpha {
  using Service = v1alpha::ServerReflection;
  using Request = v1alpha::ServerReflectionRequest;
  using Response = v1alpha::ServerReflectionResponse;
};

template <class Version>
class ReflectionTest : public testing::Test {
 protected:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  Response Ask(const Request& request) {
    grpc::ClientContext context;
    SetDeadline(context);
    const auto stream = stub_->ServerReflectionInfo(&context);
    EXPECT_TRUE(stream->Write(request));
    Response response;
    EXPECT_TRUE(stream->Read(&response));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return response;
  }

  // The names of the files that define a symbol and what it needs.
  std::set<std::string> FilesOf(const std::string& symbol) {
    Request request;
    request.set_file_containing_symbol(symbol);
    const Response response = Ask(request);
    std::set<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.insert(file.name());
    }
    return names;
  }

  LocalApp app_;
  std::unique_ptr<typename Version::Service::Stub> stub_ =
      Version::Service::NewStub(app_.Connect());
};

using Versions = testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(ReflectionTest, Versions);

TYPED_TEST(ReflectionTest, ListsEveryService) {
  typename TypeParam::Request request;
  request.set_list_services("");
  const typename TypeParam::Response response = this->Ask(request);
  std::set<std::string> names;
  for (const auto& service : response.list_services_response().service())
    names.insert(service.name());
  EXPECT_THAT(names, testing::ElementsAre(
                         "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                         "grpc.reflection.v1alpha.ServerReflection", "users.v1.UserService"));
}

TYPED_TEST(ReflectionTest, ResolvesWhatItLists) {
  using testing::Contains;
  for (const std::string symbol : {"users.v1.UserService", "users.v1.UserService.GetUser",
                                   "users.v1.ImportUsersResponse.Failure"}) {
    EXPECT_THAT(this->FilesOf(symbol), Contains("users/v1/user_service.proto")) << symbol;
  }
  EXPECT_THAT(this->FilesOf("users.v1.User"), Contains("users/v1/user.proto"));
  EXPECT_THAT(this->FilesOf("users.v1.ErrorReason"), Contains("users/v1/errors.proto"));
  for (const std::string symbol : {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection"}) {
    EXPECT_FALSE(this->FilesOf(symbol).empty()) << symbol;
  }
}

TYPED_TEST(ReflectionTest, ResolvesTheTypesOfErrorDetails) {
  for (const std::string type :
       {"ErrorInfo", "BadRequest", "ResourceInfo", "RetryInfo", "RequestInfo"}) {
    EXPECT_THAT(this->FilesOf("google.rpc." + type),
                testing::Contains("google/rpc/error_details.proto"));
  }
  EXPECT_FALSE(this->FilesOf("google.rpc.Status").empty());
}

TYPED_TEST(ReflectionTest, GivesAFileByItsNameAndSaysWhatItDoesNotKnow) {
  typename TypeParam::Request request;
  request.set_file_by_filename("users/v1/user.proto");
  EXPECT_GE(this->Ask(request).file_descriptor_response().file_descriptor_proto_size(), 1);
  request.set_file_containing_symbol("no.such.Symbol");
  EXPECT_EQ(this->Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(this->Ask(typename TypeParam::Request()).error_response().error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TYPED_TEST(ReflectionTest, AnIdleStreamDoesNotHoldTheDrain) {
  Config config;
  config.drain_ms = 30'000;
  LocalApp app(config);
  const auto stub = TypeParam::Service::NewStub(app.Connect());
  grpc::ClientContext context;
  SetDeadline(context);
  const auto stream = stub->ServerReflectionInfo(&context);
  typename TypeParam::Request request;
  request.set_list_services("");
  ASSERT_TRUE(stream->Write(request));
  typename TypeParam::Response response;
  ASSERT_TRUE(stream->Read(&response));
  const absl::Time begun = absl::Now();
  app.app().Stop();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(5));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_FALSE(stream->Finish().ok());
}

}  // namespace
}  // namespace userservice
