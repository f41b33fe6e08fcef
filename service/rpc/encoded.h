// Encoded: a response that was serialized where its values were read, and is never a message in the
// server. See Server::AddEncodedUnary.
//
//   absl::StatusOr<Encoded<ListUsersResponse>> ...
//   return Encoded<ListUsersResponse>(std::move(users.bytes), rest);
//
// gRPC sends the bytes from where they are, and lets go of them when they are sent; short ones it
// copies.
// Requests are parsed here: one that can not be read is errors::MessageUnreadable().
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "async/tsan.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "service/errors/errors.h"

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

// What gRPC sends of `bytes`. Short ones it copies: that costs less than to keep them.
inline grpc::ByteBuffer Send(std::string bytes) {
  constexpr size_t kCopiedMax = 1024;
  if (bytes.size() > kCopiedMax)
    return SendFrom(std::make_unique<const std::string>(std::move(bytes)));
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

// Takes the bytes: they are gone after it.
template <class Req>
absl::Status ParseRequest(grpc::ByteBuffer& bytes, Req& request) {
  const grpc::Status parsed = grpc::SerializationTraits<Req>::Deserialize(&bytes, &request);
  return parsed.ok() ? absl::OkStatus() : errors::MessageUnreadable();
}

template <class Resp>
class Encoded {
 public:
  // The whole response, serialized.
  explicit Encoded(std::string bytes) : bytes_(std::move(bytes)) {}
  // `fields` are some fields of the response, serialized; `rest` has the others. Serialized
  // messages concatenate to one.
  Encoded(std::string fields, const Resp& rest) : bytes_(std::move(fields)) {
    rest.AppendToString(&bytes_);
  }

  std::string Take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace userservice::rpc
