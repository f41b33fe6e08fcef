// Calls to methods that nobody has. gRPC 1.51 crashes after about a hundred of them where several
// threads poll its queues and no generic call is pending (grpc#32356).
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "tests/support/local_app.h"
#include "tests/support/rpc_error.h"
#include "tests/support/sanitized.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

constexpr int kClients = 4;
constexpr int kCalls = Scaled(4000, 500);
constexpr int kInFlight = 16;

// Makes the calls on a connection of its own, several at a time. How many were UNIMPLEMENTED, with
// the reason.
int CallUnknownMethods(const std::string& address) {
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
  };
  const std::array<std::string, 2> methods = {"/users.v1.UserService/Nope", "/no.Such/Method"};
  grpc::GenericStub stub(OwnConnection(address));
  grpc::CompletionQueue queue;
  int begun = 0;
  const auto begin_one = [&] {
    auto* const call = new Call;
    SetDeadline(call->context, absl::Seconds(120));
    const grpc::Slice bytes(std::string(100, 'x'));
    call->reader = stub.PrepareUnaryCall(&call->context, methods[static_cast<size_t>(begun++ % 2)],
                                         grpc::ByteBuffer(&bytes, 1), &queue);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
  };
  while (begun < kInFlight) begin_one();
  int unimplemented = 0;
  for (int ended = 0; ended < kCalls; ++ended) {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (Outcome(call->status) == "UNIMPLEMENTED METHOD_UNIMPLEMENTED") ++unimplemented;
    if (begun < kCalls) begin_one();
  }
  queue.Shutdown();
  return unimplemented;
}

void ExpectUnimplementedAndAlive(const std::vector<std::string>& flags) {
  const TemporaryDirectory directory;
  std::vector<std::string> all_flags = flags;
  all_flags.push_back("--database=" + directory.File("users.db"));
  UserdProcess userd(all_flags);
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();

  std::atomic<int> unimplemented = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] { unimplemented += CallUnknownMethods(userd.address()); });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(unimplemented, kClients * kCalls);
  EXPECT_EQ(userd.WaitForExit(absl::ZeroDuration()), std::nullopt) << userd.errors();

  const auto users = users::v1::UserService::NewStub(OwnConnection(userd.address()));
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::CountUsersResponse count;
  EXPECT_EQ(Outcome(users->CountUsers(&context, users::v1::CountUsersRequest(), &count)), "OK");
  userd.Signal(SIGTERM);
  EXPECT_EQ(userd.WaitForExit(), 0) << userd.errors();
}

TEST(UnknownMethodTest, ManyCallsAreUnimplementedAndTheServerLives) {
  ExpectUnimplementedAndAlive({});
}

TEST(UnknownMethodTest, ManyCallsAreUnimplementedOnSeveralQueues) {
  ExpectUnimplementedAndAlive({"--loops=4", "--point_threads=2"});
}

}  // namespace
}  // namespace userservice
