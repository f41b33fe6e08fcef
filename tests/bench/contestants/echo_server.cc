// The floor of a call: GetUser, answered with one and the same user but for its number, by a bare
// completion queue on one thread, with nothing else of the contract.
//
//   echo_server         prints `listening on 127.0.0.1:PORT`; ends with SIGTERM
#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>

#include "async/mutex.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "users/v1/user_service.grpc.pb.h"

namespace {

using users::v1::User;
using users::v1::UserService;

// As many as userd keeps armed a method.
constexpr int kArmedCalls = 2;

// Takes a call, answers it, and begins anew. While it answers, others are armed.
class EchoCall {
 public:
  EchoCall(UserService::AsyncService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue) {
    user_.set_name("Beatriz A. Andersson");
    user_.set_email("user1000000@example.com");
    user_.set_age(37);
    user_.mutable_create_time()->set_seconds(1'700'000'000);
    user_.mutable_create_time()->set_nanos(123'000'000);
    *user_.mutable_update_time() = user_.create_time();
    user_.set_etag("\"1000000\"");
    Arm();
  }

  void Proceed(bool ok) {
    if (!answering_ && ok) {
      answering_ = true;
      user_.set_user_id(request_.user_id());
      writer_->Finish(user_, grpc::Status::OK, this);
    } else {
      Arm();
    }
  }

 private:
  void Arm() {
    answering_ = false;
    writer_.reset();
    context_.emplace();
    writer_.emplace(&*context_);
    service_.RequestGetUser(&*context_, &request_, &*writer_, &queue_, &queue_, this);
  }

  UserService::AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncResponseWriter<User>> writer_;
  users::v1::GetUserRequest request_;
  User user_;
  bool answering_ = false;
};

}  // namespace

int main() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as userd does
#endif
  std::signal(SIGTERM, [](int) { std::_Exit(0); });
  UserService::AsyncService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return EXIT_FAILURE;
  std::array<std::unique_ptr<EchoCall>, kArmedCalls> calls;
  for (std::unique_ptr<EchoCall>& call : calls) call = std::make_unique<EchoCall>(service, *queue);
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<EchoCall*>(tag)->Proceed(ok);
  return EXIT_SUCCESS;
}
