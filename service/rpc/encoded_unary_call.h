// EncodedUnaryCall: one request, one answer, which was serialized where its values were read: see
// encoded.h. For its life see call.h.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/task.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"
#include "service/rpc/call.h"
#include "service/rpc/encoded.h"

namespace userservice::rpc {

// One method of a service on one completion queue; lives as long as the server.
template <class Req, class Resp>
struct EncodedUnaryMethod {
  using Request =
      std::function<void(grpc::ServerContext*, grpc::ByteBuffer*,
                         grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>*, void* tag)>;
  using Handler = std::function<Task<absl::StatusOr<Encoded<Resp>>>(Call&, const Req&)>;

  CallHost& host;
  std::string name;
  Request request;
  Handler handler;
};

template <class Req, class Resp>
class EncodedUnaryCall final : public CallLife {
 public:
  using Method = EncodedUnaryMethod<Req, Resp>;

  explicit EncodedUnaryCall(Method& method)
      : CallLife(method.host, method.name, CallKind::kUnary), method_(method) {}

 private:
  grpc::ServerContext& context() override { return context_; }
  const grpc::ServerContext& context() const override { return context_; }
  void Request(void* tag) override { method_.request(&context_, &request_bytes_, &writer_, tag); }
  void ArmAnother() override { (new EncodedUnaryCall(method_))->Arm(); }

  Task<absl::Status> Handle() override {
    absl::Status parsed = ParseRequest(request_bytes_, request_);
    if (!parsed.ok()) co_return parsed;
    absl::StatusOr<Encoded<Resp>> response = co_await method_.handler(*this, request_);
    if (!response.ok()) co_return response.status();
    response_bytes_ = std::move(*response).Take();
    co_return absl::OkStatus();
  }

  void Finish(const grpc::Status& status, void* tag) override {
    if (status.ok()) {
      writer_.Finish(Send(std::move(response_bytes_)), status, tag);
    } else {
      writer_.FinishWithError(status, tag);
    }
  }

  Method& method_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_bytes_;
  Req request_;
  std::string response_bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_{&context_};
};

}  // namespace userservice::rpc
