// Server: a gRPC server whose handlers are coroutines on completion loops. Health and reflection
// are served beside what is added.
//
//   Server server(options);
//   auto service = std::make_unique<UserService::AsyncService>();
//   server.AddUnary("GetUser", *service, &UserService::AsyncService::RequestGetUser, get_user);
//   server.AddService(std::move(service), "users.v1.UserService");
//   RETURN_IF_ERROR(server.Start());
//   ...
//   server.Drain(absl::Seconds(10));   // main thread; what handlers use must still stand
//   server.Close();                    // after it nothing runs any more
//
// Every method of an added service must be added, or its callers wait until their deadline (gRPC
// never answers a registered method that nobody asks for).
// Threads: all members from one thread, which is not a loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/completion_loop.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "service/rpc/call.h"
#include "service/rpc/encoded_stream.h"
#include "service/rpc/encoded_unary_call.h"
#include "service/rpc/health.h"
#include "service/rpc/listener.h"
#include "service/rpc/reflection.h"
#include "service/rpc/stream_call.h"
#include "service/rpc/unary_call.h"

namespace userservice::rpc {

struct ServerOptions {
  ServerOptions() = default;
  std::string listen_address = "127.0.0.1:50051";  // port 0 picks one
  int64_t calls_max = 4096;                        // unary calls handled at once
  int64_t streams_max =
      1024;  // open at once: exports and the like, health watches, reflection each
  int connection_streams_max = 2048;  // calls at once on one connection; more wait in the client
  int64_t connection_idle_ms = 0;  // after so long without a call a connection is closed; 0: never
  int64_t keepalive_ms = 60'000;   // a silent client is asked so often whether it lives
  int message_bytes_max = 4 * 1024 * 1024;  // of a request
  // Completion queues, each with one thread. gRPC draws by lot which of them a connection prefers.
  int loops = 1;
  // Debian's gRPC looks through all armed calls, of all methods, for each event.
  int armed_calls_per_method = 2;
};

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();  // Drain(0) and Close(), if they were not called

  // `request` is the AsyncService's Request<Method>. The handler runs on a loop's thread.
  template <class Service, class Base, class Req, class Resp>
  void AddUnary(const std::string& name, Service& service,
                void (Base::*request)(grpc::ServerContext*, Req*,
                                      grpc::ServerAsyncResponseWriter<Resp>*,
                                      grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
                const typename UnaryMethod<Req, Resp>::Handler& handler,
                CallKind kind = CallKind::kUnary);
  // `request` is of the generated WithRawMethod_... template, here and where else it takes bytes.
  template <class Req, class Resp, class Service, class Base>
  void AddEncodedUnary(const std::string& name, Service& service,
                       void (Base::*request)(grpc::ServerContext*, grpc::ByteBuffer*,
                                             grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>*,
                                             grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                             void*),
                       const typename EncodedUnaryMethod<Req, Resp>::Handler& handler);
  template <class Service, class Base, class Req, class Resp>
  void AddServerStream(const std::string& name, Service& service,
                       void (Base::*request)(grpc::ServerContext*, Req*,
                                             grpc::ServerAsyncWriter<Resp>*, grpc::CompletionQueue*,
                                             grpc::ServerCompletionQueue*, void*),
                       const typename ServerStreamMethod<Req, Resp>::Handler& handler,
                       CallKind kind = CallKind::kStream);
  template <class Req, class Service, class Base>
  void AddEncodedStream(const std::string& name, Service& service,
                        void (Base::*request)(grpc::ServerContext*, grpc::ByteBuffer*,
                                              grpc::ServerAsyncWriter<grpc::ByteBuffer>*,
                                              grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                              void*),
                        const EncodedStreamHandler<Req>& handler);
  template <class Req, class Resp, class Service, class Base>
  void AddBidi(const std::string& name, Service& service,
               void (Base::*request)(grpc::ServerContext*,
                                     typename BidiMethod<Req, Resp>::RawStream*,
                                     grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
               const typename BidiMethod<Req, Resp>::Handler& handler,
               CallKind kind = CallKind::kStream);

  // `name` is what health and reflection call it.
  void AddService(std::unique_ptr<grpc::Service> service, std::string name);

  // Binds and serves. UNAVAILABLE if the address can not be listened on.
  absl::Status Start();
  int port() const { return port_; }

  // Health says NOT_SERVING, streams are asked to end, new calls are refused; returns when all
  // calls have ended, those that still run after `drain` by being cancelled. Handlers must return
  // soon after their stop token is set.
  void Drain(absl::Duration drain);
  void Close();

  int64_t live_calls() const { return host_.live_calls(); }

 private:
  // Arms one method's calls on one queue.
  using ArmOnQueue = std::function<void(grpc::ServerCompletionQueue*)>;

  // Keeps the method that `on_queue` makes for each queue, and says how its calls are armed.
  template <class CallType, class Method>
  void AddMethod(std::function<Method(grpc::ServerCompletionQueue*)> on_queue);

  void AddHealthAndReflection();

  const ServerOptions options_;
  CallHost host_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::vector<std::string> service_names_;
  std::vector<ArmOnQueue> arm_;
  std::vector<std::shared_ptr<void>> methods_;  // alive as long as their calls
  std::unique_ptr<HealthService> health_;
  std::unique_ptr<ReflectionService> reflection_;
  grpc::AsyncGenericService unknown_methods_;
  std::vector<std::unique_ptr<CompletionLoop>> loops_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Listener> listener_;
  int port_ = 0;
  bool drained_ = false;
};

template <class CallType, class Method>
void Server::AddMethod(std::function<Method(grpc::ServerCompletionQueue*)> on_queue) {
  arm_.push_back([this, make = std::move(on_queue)](grpc::ServerCompletionQueue* queue) {
    auto method = std::make_shared<Method>(make(queue));
    methods_.push_back(method);
    for (int i = 0; i < options_.armed_calls_per_method; ++i) (new CallType(*method))->Arm();
  });
}

template <class Service, class Base, class Req, class Resp>
void Server::AddUnary(const std::string& name, Service& service,
                      void (Base::*request)(grpc::ServerContext*, Req*,
                                            grpc::ServerAsyncResponseWriter<Resp>*,
                                            grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                            void*),
                      const typename UnaryMethod<Req, Resp>::Handler& handler, CallKind kind) {
  using Method = UnaryMethod<Req, Resp>;
  AddMethod<UnaryCall<Req, Resp>, Method>(
      [this, name, &service, request, handler, kind](grpc::ServerCompletionQueue* queue) {
        auto ask = [&service, request, queue](grpc::ServerContext* context, Req* message,
                                              grpc::ServerAsyncResponseWriter<Resp>* writer,
                                              void* tag) {
          (service.*request)(context, message, writer, queue, queue, tag);
        };
        return Method{host_, name, std::move(ask), handler, kind};
      });
}

template <class Req, class Resp, class Service, class Base>
void Server::AddEncodedUnary(
    const std::string& name, Service& service,
    void (Base::*request)(grpc::ServerContext*, grpc::ByteBuffer*,
                          grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>*,
                          grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
    const typename EncodedUnaryMethod<Req, Resp>::Handler& handler) {
  using Method = EncodedUnaryMethod<Req, Resp>;
  AddMethod<EncodedUnaryCall<Req, Resp>, Method>([this, name, &service, request,
                                                  handler](grpc::ServerCompletionQueue* queue) {
    auto ask = [&service, request, queue](grpc::ServerContext* context, grpc::ByteBuffer* message,
                                          grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>* writer,
                                          void* tag) {
      (service.*request)(context, message, writer, queue, queue, tag);
    };
    return Method{host_, name, std::move(ask), handler};
  });
}

template <class Service, class Base, class Req, class Resp>
void Server::AddServerStream(
    const std::string& name, Service& service,
    void (Base::*request)(grpc::ServerContext*, Req*, grpc::ServerAsyncWriter<Resp>*,
                          grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
    const typename ServerStreamMethod<Req, Resp>::Handler& handler, CallKind kind) {
  using Method = ServerStreamMethod<Req, Resp>;
  AddMethod<ServerStreamCall<Req, Resp>, Method>(
      [this, name, &service, request, handler, kind](grpc::ServerCompletionQueue* queue) {
        auto ask = [&service, request, queue](grpc::ServerContext* context, Req* message,
                                              grpc::ServerAsyncWriter<Resp>* writer, void* tag) {
          (service.*request)(context, message, writer, queue, queue, tag);
        };
        return Method{host_, name, std::move(ask), handler, kind};
      });
}

template <class Req, class Service, class Base>
void Server::AddEncodedStream(const std::string& name, Service& service,
                              void (Base::*request)(grpc::ServerContext*, grpc::ByteBuffer*,
                                                    grpc::ServerAsyncWriter<grpc::ByteBuffer>*,
                                                    grpc::CompletionQueue*,
                                                    grpc::ServerCompletionQueue*, void*),
                              const EncodedStreamHandler<Req>& handler) {
  // The method keeps the function, and with it the handler, for as long as its calls.
  AddServerStream(
      name, service, request,
      [handler](Call& call, const grpc::ByteBuffer& bytes, ServerStream<grpc::ByteBuffer>& stream) {
        return ServeEncodedStream<Req>(call, bytes, stream, handler);
      });
}

template <class Req, class Resp, class Service, class Base>
void Server::AddBidi(const std::string& name, Service& service,
                     void (Base::*request)(grpc::ServerContext*,
                                           typename BidiMethod<Req, Resp>::RawStream*,
                                           grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                           void*),
                     const typename BidiMethod<Req, Resp>::Handler& handler, CallKind kind) {
  using Method = BidiMethod<Req, Resp>;
  AddMethod<BidiCall<Req, Resp>, Method>(
      [this, name, &service, request, handler, kind](grpc::ServerCompletionQueue* queue) {
        auto ask = [&service, request, queue](grpc::ServerContext* context,
                                              typename Method::RawStream* stream, void* tag) {
          (service.*request)(context, stream, queue, queue, tag);
        };
        return Method{host_, name, std::move(ask), handler, kind};
      });
}

}  // namespace userservice::rpc
