// EncodedStream: a server stream whose messages are encoded already, once for all the calls that
// they go to. See Server::AddEncodedStream.
//
// gRPC sends the bytes from where they are: it copies none, and lets go of them when they are sent.
// A thousand clients that do not read cost one message together, not one each.
// Back-pressure, order, end: see stream_call.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "async/task.h"
#include "grpcpp/support/byte_buffer.h"
#include "service/rpc/call.h"
#include "service/rpc/encoded.h"
#include "service/rpc/stream_call.h"

namespace userservice::rpc {

class EncodedStream {
 public:
  explicit EncodedStream(ServerStream<grpc::ByteBuffer>& stream) : stream_(stream) {}
  EncodedStream(const EncodedStream&) = delete;
  EncodedStream& operator=(const EncodedStream&) = delete;

  // `message` is the serialized message. True when it is on its way; false when the client is gone.
  Task<bool> Write(std::shared_ptr<const std::string> message) {
    const grpc::ByteBuffer bytes = SendFrom(std::move(message));
    co_return co_await stream_.Write(bytes);
  }

 private:
  ServerStream<grpc::ByteBuffer>& stream_;
};

template <class Req>
using EncodedStreamHandler = std::function<Task<absl::Status>(Call&, const Req&, EncodedStream&)>;

// Serves a call of which gRPC handed over the request's bytes.
template <class Req>
Task<absl::Status> ServeEncodedStream(Call& call, const grpc::ByteBuffer& request_bytes,
                                      ServerStream<grpc::ByteBuffer>& stream,
                                      const EncodedStreamHandler<Req>& handler) {
  Req request;
  grpc::ByteBuffer bytes = request_bytes;
  absl::Status parsed = ParseRequest(bytes, request);
  if (!parsed.ok()) co_return parsed;
  request.DiscardUnknownFields();  // a stream may be open for days, and keeps it
  EncodedStream encoded(stream);
  co_return co_await handler(call, request, encoded);
}

}  // namespace userservice::rpc
