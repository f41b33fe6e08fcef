// Streams: ServerStream (one request, many answers) and BidiStream (many of both), and the calls
// behind them. See call.h.
//
// Back-pressure: a Write resumes when gRPC took the message into its flow-controlled buffer, about
//   4 MiB a stream; a client that does not read stalls the handler, and holds nothing else. Never
//   hold a read transaction over a Write.
// Order: at most one Read and one Write at a time; a second one aborts, as it would corrupt the
//   stream.
// End: a Write that gives false, or a Read that gives kEnd where the client was not done, means
//   that it is gone: return, what is returned goes nowhere.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "async/broadcast.h"
#include "async/completion_loop.h"
#include "async/stop.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"
#include "service/rpc/call.h"

namespace userservice::rpc {

template <class Resp>
class ServerStream {
 public:
  virtual ~ServerStream() = default;
  // True when the message is on its way; false when the client is gone. `message` must live until
  // then.
  virtual Task<bool> Write(const Resp& message) = 0;
};

enum class ReadResult {
  kMessage,
  kEnd,       // the client has sent everything, or is gone
  kBad,       // these bytes are no such message: return errors::MessageUnreadable()
  kDraining,  // the server is going away: return, without another Read
};

template <class Req, class Resp>
class BidiStream : public ServerStream<Resp> {
 public:
  virtual Task<ReadResult> Read(Req& message) = 0;
};

template <class Req, class Resp>
struct ServerStreamMethod {
  using Request =
      std::function<void(grpc::ServerContext*, Req*, grpc::ServerAsyncWriter<Resp>*, void* tag)>;
  using Handler = std::function<Task<absl::Status>(Call&, const Req&, ServerStream<Resp>&)>;

  CallHost& host;
  std::string name;
  Request request;
  Handler handler;
  CallKind kind = CallKind::kStream;
};

template <class Req, class Resp>
struct BidiMethod {
  // Bytes both ways: to gRPC's own reader, a message that can not be read is the stream's end.
  using RawStream = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;
  using Request = std::function<void(grpc::ServerContext*, RawStream*, void* tag)>;
  using Handler = std::function<Task<absl::Status>(Call&, BidiStream<Req, Resp>&)>;

  CallHost& host;
  std::string name;
  Request request;
  Handler handler;
  CallKind kind = CallKind::kStream;
};

template <class Req, class Resp>
class ServerStreamCall final : public CallLife, private ServerStream<Resp> {
 public:
  using Method = ServerStreamMethod<Req, Resp>;

  explicit ServerStreamCall(Method& method)
      : CallLife(method.host, method.name, method.kind), method_(method) {}

 private:
  grpc::ServerContext& context() override { return context_; }
  const grpc::ServerContext& context() const override { return context_; }
  void Request(void* tag) override { method_.request(&context_, &request_, &writer_, tag); }
  void ArmAnother() override { (new ServerStreamCall(method_))->Arm(); }
  Task<absl::Status> Handle() override { return method_.handler(*this, request_, *this); }

  Task<bool> Write(const Resp& message) override {
    auto write = [&](void* tag) { writer_.Write(message, tag); };
    co_return co_await StartOperation(write);
  }
  void Finish(const grpc::Status& status, void* tag) override { writer_.Finish(status, tag); }

  Method& method_;
  grpc::ServerContext context_;
  Req request_;
  grpc::ServerAsyncWriter<Resp> writer_{&context_};
};

template <class Req, class Resp>
class BidiCall final : public CallLife, private BidiStream<Req, Resp> {
 public:
  using Method = BidiMethod<Req, Resp>;

  explicit BidiCall(Method& method)
      : CallLife(method.host, method.name, method.kind), method_(method) {}

 private:
  grpc::ServerContext& context() override { return context_; }
  const grpc::ServerContext& context() const override { return context_; }
  void Request(void* tag) override { method_.request(&context_, &stream_, tag); }
  void ArmAnother() override { (new BidiCall(method_))->Arm(); }
  Task<absl::Status> Handle() override { return method_.handler(*this, *this); }

  // A read that gRPC still has when the server drains is left to it: it comes back once the call
  // has finished.
  class PendingRead final : public Operation {
   public:
    explicit PendingRead(BidiCall& call) : call_(call) {}

    void Start() {
      call_.Hold();
      ++started_;
      call_.stream_.Read(&bytes, tag());
    }
    // False if the server drains before the read is back.
    Task<bool> Wait() { co_return co_await returned_.WaitFor(started_); }
    bool ok() const { return ok_; }

    void Complete(bool ok) override {
      ok_ = ok;
      returned_.Publish(started_);
      call_.Release();
    }

    grpc::ByteBuffer bytes;

   private:
    BidiCall& call_;
    int64_t started_ = 0;
    Broadcast returned_;
    bool ok_ = false;
  };

  Task<ReadResult> Read(Req& message) override {
    read_.Start();
    const bool returned = co_await WithStopToken(draining(), read_.Wait());
    if (!returned) co_return ReadResult::kDraining;
    if (!read_.ok()) co_return ReadResult::kEnd;
    const grpc::Status parsed = grpc::SerializationTraits<Req>::Deserialize(&read_.bytes, &message);
    read_.bytes.Clear();
    co_return parsed.ok() ? ReadResult::kMessage : ReadResult::kBad;
  }
  Task<bool> Write(const Resp& message) override {
    grpc::ByteBuffer bytes;
    bool is_owned = false;
    const grpc::Status serialized =
        grpc::SerializationTraits<Resp>::Serialize(message, &bytes, &is_owned);
    if (!serialized.ok()) co_return false;
    auto write = [&](void* tag) { stream_.Write(bytes, tag); };
    co_return co_await StartOperation(write);
  }
  void Finish(const grpc::Status& status, void* tag) override { stream_.Finish(status, tag); }

  Method& method_;
  grpc::ServerContext context_;
  typename Method::RawStream stream_{&context_};
  PendingRead read_{*this};
};

}  // namespace userservice::rpc
