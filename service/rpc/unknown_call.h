// UnknownCall: answers every method that no service here has with UNIMPLEMENTED and the details of
// any other error.
//
// It is also what keeps gRPC 1.51 alive: a server on which several threads poll and no generic call
// is pending crashes after about a hundred calls to unknown methods (grpc#32356).
#pragma once

#include <string_view>

#include "async/completion_loop.h"
#include "grpcpp/generic/async_generic_service.h"
#include "service/errors/errors.h"
#include "service/rpc/call.h"

namespace userservice::rpc {

class UnknownCall final : public CallLife {
 public:
  UnknownCall(CallHost& host, grpc::AsyncGenericService& service,
              grpc::ServerCompletionQueue* queue)
      : CallLife(host, "", CallKind::kImmediate), host_(host), service_(service), queue_(queue) {}

 private:
  grpc::ServerContext& context() override { return context_; }
  const grpc::ServerContext& context() const override { return context_; }
  void Request(void* tag) override {
    service_.RequestCall(&context_, &stream_, queue_, queue_, tag);
  }
  void ArmAnother() override { (new UnknownCall(host_, service_, queue_))->Arm(); }
  Task<absl::Status> Handle() override { co_return errors::MethodUnimplemented(context_.method()); }
  void Finish(const grpc::Status& status, void* tag) override { stream_.Finish(status, tag); }
  std::string_view method() const override { return context_.method(); }

  CallHost& host_;
  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue* const queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
};

}  // namespace userservice::rpc
