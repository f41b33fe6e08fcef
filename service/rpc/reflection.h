// ReflectionService: grpc.reflection.v1 and v1alpha, which differ by their package's name alone, so
// that grpcurl and its kind can list, describe and call without the .proto files.
//
// Answers from the descriptors that are linked into the program, the types of error details
// included. A file is sent with all that it imports.
// Threads: immutable; handlers on any loop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "service/rpc/call.h"
#include "service/rpc/stream_call.h"

namespace userservice::rpc {

class ReflectionService {
 public:
  explicit ReflectionService(std::vector<std::string> services) : services_(std::move(services)) {}

  // Instantiated for the messages of v1 and of v1alpha.
  template <class Request, class Response>
  Task<absl::Status> Serve(Call& call, BidiStream<Request, Response>& stream);

 private:
  template <class Request, class Response>
  void Answer(const Request& request, Response& response) const;

  const std::vector<std::string> services_;
};

}  // namespace userservice::rpc
