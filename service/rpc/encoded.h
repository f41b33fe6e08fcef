// Encoded: a response that was serialized where its values were read, and is never a message in the
// server. See Server::AddEncodedUnary.
//
//   absl::StatusOr<Encoded<ListUsersResponse>> ...
//   return Encoded<ListUsersResponse>(std::move(users.bytes), rest);
//
// gRPC sends the bytes from where they are: it copies none, and lets go of them when they are sent.
// Requests are parsed here: one that can not be read is errors::MessageUnreadable().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/task.h"
#include "async/tsan.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "service/errors/errors.h"
#include "service/rpc/call.h"

namespace userservice::rpc {

// What gRPC sends of `*bytes`, which `bytes` keeps: a std::unique_ptr, or a std::shared_ptr, to a
// const std::string.
template <class Pointer>
grpc::ByteBuffer SendFrom(Pointer bytes) {
  auto* const kept = new Pointer(std::move(bytes));
  const auto let_go = [](void* pointer) {
    TsanAcquire(pointer);
    delete static_cast<Pointer*>(pointer);
  };
  const grpc::Slice slice(const_cast<char*>((*kept)->data()), (*kept)->size(), let_go, kept);
  TsanRelease(kept);
  return grpc::ByteBuffer(&slice, 1);
}

template <class Req>
absl::Status ParseRequest(const grpc::ByteBuffer& request_bytes, Req& request) {
  grpc::ByteBuffer bytes = request_bytes;
  const grpc::Status parsed = grpc::SerializationTraits<Req>::Deserialize(&bytes, &request);
  return parsed.ok() ? absl::OkStatus() : errors::MessageUnreadable();
}

template <class Resp>
class Encoded {
 public:
  // `fields` are some fields of the response, serialized; `rest` has the others. Serialized
  // messages concatenate to one.
  Encoded(std::string fields, const Resp& rest) : bytes_(std::move(fields)) {
    rest.AppendToString(&bytes_);
  }

  std::string Take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

template <class Req, class Resp>
using EncodedHandler = std::function<Task<absl::StatusOr<Encoded<Resp>>>(Call&, const Req&)>;

// Serves a call of which gRPC handed over the request's bytes.
template <class Req, class Resp>
Task<absl::StatusOr<grpc::ByteBuffer>> ServeEncoded(Call& call,
                                                    const grpc::ByteBuffer& request_bytes,
                                                    const EncodedHandler<Req, Resp>& handler) {
  Req request;
  absl::Status parsed = ParseRequest(request_bytes, request);
  if (!parsed.ok()) co_return parsed;
  absl::StatusOr<Encoded<Resp>> response = co_await handler(call, request);
  if (!response.ok()) co_return response.status();
  co_return SendFrom(std::make_unique<const std::string>((*std::move(response)).Take()));
}

}  // namespace userservice::rpc
