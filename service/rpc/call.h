// Call: what a handler knows of the call that it answers, and the life of that call behind it.
//
//   Task<absl::StatusOr<User>> CreateUser(Call& call, const CreateUserRequest& request) { ... }
//
// The life of a call: armed (handed to gRPC, waiting for a client), accepted (another one is armed
// in its place), admitted or refused, handled, finished, freed. It is freed when its answer was
// sent, and gRPC's done tag and every other operation of it are back; an armed call that no client
// came for is freed when the server shuts down (its done tag never comes, grpc#10136).
// Stop: the handler runs under a stop token that is set when the client cancels, vanishes, or the
//   deadline passes.
// Errors: what the handler returns is translated in status.h; what it throws costs this call one
//   INTERNAL.
// Threads: a call lives on the one thread of the loop that accepted it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/completion_loop.h"
#include "async/spawn.h"
#include "async/task.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "service/rpc/call_host.h"

namespace userservice::rpc {

class Call {
 public:
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // When the client stops waiting; InfiniteFuture if it set no deadline.
  absl::Time deadline() const { return deadline_; }
  // The id that errors carry (RequestInfo) and the log names: the client's `x-request-id`, or a
  // random one.
  const std::string& id();
  // Set when the server is going away: a stream ends after its current message.
  virtual const std::stop_token& draining() const = 0;

  // Whether the client asked for the trailer `server-timing`, with `x-server-timing: 1`.
  bool wants_timing() const { return wants_timing_; }
  // Adds a span to that trailer, if it was asked for.
  void AddTiming(std::string_view name, absl::Duration duration);

 protected:
  Call() = default;
  ~Call() = default;

  virtual std::string_view MetadataOf(std::string_view key) const = 0;

  absl::Time deadline_ = absl::InfiniteFuture();
  std::string timing_;
  bool wants_timing_ = false;

 private:
  std::string id_;
};

// The life of one call. What differs between the kinds of call is virtual: see unary_call.h and
// stream_call.h.
class CallLife : public Call {
 public:
  CallLife(CallHost& host, std::string_view method, CallKind kind);
  virtual ~CallLife();

  // Hands the call to gRPC to wait for a client. From here on it frees itself.
  void Arm();

  const std::stop_token& draining() const final { return host_.draining(); }

 protected:
  virtual grpc::ServerContext& context() = 0;
  virtual const grpc::ServerContext& context() const = 0;
  // Hands the accepting operation to gRPC.
  virtual void Request(void* tag) = 0;
  // Arms a new call of the same method.
  virtual void ArmAnother() = 0;
  // Runs the handler.
  virtual Task<absl::Status> Handle() = 0;
  // Hands the answer, or the error, to gRPC.
  virtual void Finish(const grpc::Status& status, void* tag) = 0;
  virtual std::string_view method() const { return method_; }

  // Keeps the call from being freed until the Release that belongs to it. On its own thread.
  void Hold() { ++holders_; }
  void Release();

 private:
  class Accepted final : public Operation {
   public:
    explicit Accepted(CallLife& call) : call_(call) {}
    void Complete(bool ok) override { call_.OnAccepted(ok); }

   private:
    CallLife& call_;
  };
  class Finished final : public Operation {
   public:
    explicit Finished(CallLife& call) : call_(call) {}
    void Complete(bool) override { call_.OnFinished(); }

   private:
    CallLife& call_;
  };
  class Done final : public Operation {
   public:
    explicit Done(CallLife& call) : call_(call) {}
    void Complete(bool) override { call_.OnDone(); }

   private:
    CallLife& call_;
  };

  std::string_view MetadataOf(std::string_view key) const final;
  void OnAccepted(bool ok);
  void OnFinished();
  void OnDone();
  internal::Detached Run();
  void Answer(const absl::Status& status, absl::Duration took);
  void Log(const absl::Status& status, absl::Duration took);

  CallHost& host_;
  const std::string_view method_;
  const CallKind kind_;
  Accepted accepted_{*this};
  Finished finished_{*this};
  Done done_{*this};
  std::stop_source stop_source_;
  const std::stop_token stop_token_ = stop_source_.get_token();
  bool is_admitted_ = false;
  int holders_ = 2;  // the finishing operation, which the coroutine ends with, and the done tag
};

}  // namespace userservice::rpc
