// UnaryCall: one request, one answer. See call.h for its life.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "async/completion_loop.h"
#include "grpcpp/support/async_unary_call.h"
#include "service/rpc/call.h"

namespace userservice::rpc {

// One method of a service on one completion queue; lives as long as the server.
template <class Req, class Resp>
struct UnaryMethod {
  using Request = std::function<void(grpc::ServerContext*, Req*,
                                     grpc::ServerAsyncResponseWriter<Resp>*, void* tag)>;
  using Handler = std::function<Task<absl::StatusOr<Resp>>(Call&, const Req&)>;

  CallHost& host;
  std::string name;
  Request request;
  Handler handler;
  CallKind kind = CallKind::kUnary;
};

template <class Req, class Resp>
class UnaryCall final : public CallLife {
 public:
  using Method = UnaryMethod<Req, Resp>;

  explicit UnaryCall(Method& method)
      : CallLife(method.host, method.name, method.kind), method_(method) {}

 private:
  grpc::ServerContext& context() override { return context_; }
  const grpc::ServerContext& context() const override { return context_; }
  void Request(void* tag) override { method_.request(&context_, &request_, &writer_, tag); }
  void ArmAnother() override { (new UnaryCall(method_))->Arm(); }

  Task<absl::Status> Handle() override {
    absl::StatusOr<Resp> response = co_await method_.handler(*this, request_);
    if (!response.ok()) co_return response.status();
    response_ = *std::move(response);
    co_return absl::OkStatus();
  }

  void Finish(const grpc::Status& status, void* tag) override {
    if (status.ok()) {
      writer_.Finish(response_, status, tag);
    } else {
      writer_.FinishWithError(status, tag);
    }
  }

  Method& method_;
  grpc::ServerContext context_;
  Req request_;
  Resp response_;
  grpc::ServerAsyncResponseWriter<Resp> writer_{&context_};
};

}  // namespace userservice::rpc
