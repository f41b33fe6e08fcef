// No method leaves its caller waiting: gRPC never answers a registered method that nobody has
// armed, so that one that was forgotten hangs until its client's deadline.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "tests/support/local_app.h"
#include "tests/support/rpc_error.h"
#include "users/v1/user_service.pb.h"

namespace userservice {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

// Sends `request` to any kind of method, and nothing after it; waits for the status, CANCELLED if
// there was an answer.
grpc::Status CallOnce(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
                      const std::string& request, absl::Duration timeout) {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, path, &queue);
  call->StartCall(nullptr);
  bool open = next();
  const grpc::Slice bytes(request);
  const grpc::ByteBuffer message(&bytes, 1);
  if (open) {
    call->WriteLast(message, grpc::WriteOptions(), nullptr);
    next();
  }
  while (open) {  // an answer is enough: not every stream has an end
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    open = next();
    context.TryCancel();
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  next();
  queue.Shutdown();
  while (next()) {
  }
  return status;
}

TEST(EveryMethodTest, OfTheServiceAnswersAtOnce) {
  const LocalApp app;
  const auto channel = app.Connect();
  const ServiceDescriptor* const service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName("users.v1.UserService");
  ASSERT_NE(service, nullptr);
  ASSERT_GE(service->method_count(), 14);
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor& method = *service->method(i);
    const std::string path = absl::StrCat("/", service->full_name(), "/", method.name());
    // More calls than a method has armed, so that it must arm itself again.
    for (int repeat = 0; repeat < 40; ++repeat) {
      const grpc::Status status = CallOnce(channel, path, "", absl::Seconds(20));
      ASSERT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << path;
      EXPECT_NE(status.error_code(), grpc::StatusCode::UNIMPLEMENTED)
          << path << " " << status.error_message();
    }
  }
}

TEST(EveryMethodTest, BytesThatAreNoRequestAreAnsweredAndTheMethodServesOn) {
  const LocalApp app;
  const auto channel = app.Connect();
  const ServiceDescriptor& service =
      *google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          "users.v1.UserService");
  for (int i = 0; i < service.method_count(); ++i) {
    const std::string path = absl::StrCat("/users.v1.UserService/", service.method(i)->name());
    for (int repeat = 0; repeat < 40; ++repeat) {
      const grpc::Status status = CallOnce(channel, path, "\xff\xff\xff", absl::Seconds(20));
      ASSERT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << path;
      EXPECT_FALSE(status.ok()) << path;
    }
    const grpc::Status good = CallOnce(channel, path, "", absl::Seconds(20));
    ASSERT_NE(good.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << path;
  }
  EXPECT_TRUE(app.IsIdle());
}

}  // namespace
}  // namespace userservice
