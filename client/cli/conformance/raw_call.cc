#include "client/cli/conformance/raw_call.h"

#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace userservice::cli::conformance {

RpcError CallRaw(const Probe& probe, const std::string& path, const std::string& request) {
  grpc::GenericStub stub(probe.channel());
  grpc::CompletionQueue queue;
  CallScope scope(probe.timeout(), probe.stop());
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&scope.context(), path, &queue);
  call->StartCall(nullptr);
  bool open = next();
  const grpc::Slice bytes(request);
  const grpc::ByteBuffer message(&bytes, 1);
  if (open) {
    call->WriteLast(message, grpc::WriteOptions(), nullptr);
    next();
  }
  while (open) {
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    open = next();
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  next();
  queue.Shutdown();
  while (next()) {
  }
  return RpcError(status);
}

}  // namespace userservice::cli::conformance
