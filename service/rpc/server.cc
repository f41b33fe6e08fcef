#include "service/rpc/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/grpc.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/server_posix.h"
#include "service/rpc/unknown_call.h"

namespace userservice::rpc {
namespace {

// How long connections without calls may take to say goodbye. A client that has nothing to do looks
// at its connections only every few seconds.
constexpr absl::Duration kConnectionsGrace = absl::Seconds(1);
constexpr int kKeepaliveAnswerMs = 20'000;
// How often a client that only listens may ask whether the server lives; gRPC's own 5 minutes would
// let a watch wait so long for a server that is gone.
constexpr int kClientPingIntervalMinMs = 10'000;

// gRPC's arguments are ints, with INT_MAX for "never".
int IntOf(int64_t ms) {
  return static_cast<int>(std::min<int64_t>(ms, std::numeric_limits<int>::max()));
}

// As gRPC does to connections that it accepts itself: nothing waits for more to send, and who
// acknowledges nothing for so long is gone.
void SetUp(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kKeepaliveAnswerMs, sizeof kKeepaliveAnswerMs);
}

}  // namespace

Server::Server(ServerOptions options)
    : options_(std::move(options)), host_(options_.calls_max, options_.streams_max) {}

Server::~Server() {
  Drain(absl::ZeroDuration());
  Close();
}

void Server::AddService(std::unique_ptr<grpc::Service> service, std::string name) {
  services_.push_back(std::move(service));
  service_names_.push_back(std::move(name));
}

void Server::AddHealthAndReflection() {
  health_ = std::make_unique<HealthService>(service_names_);

  using Health = grpc::health::v1::Health::AsyncService;
  auto health = std::make_unique<Health>();
  AddUnary(
      "Health.Check", *health, &Health::RequestCheck,
      [this](Call& call, const HealthService::Request& request) {
        return health_->Check(call, request);
      },
      CallKind::kImmediate);
  AddServerStream(
      "Health.Watch", *health, &Health::RequestWatch,
      [this](Call& call, const HealthService::Request& request,
             ServerStream<HealthService::Response>& stream) {
        return health_->Watch(call, request, stream);
      },
      CallKind::kHealthWatch);
  AddService(std::move(health), "grpc.health.v1.Health");

  const auto serve = [this](Call& call, auto& stream) { return reflection_->Serve(call, stream); };
  namespace v1 = grpc::reflection::v1;
  using V1 =
      v1::ServerReflection::WithRawMethod_ServerReflectionInfo<v1::ServerReflection::AsyncService>;
  auto service_v1 = std::make_unique<V1>();
  AddBidi<v1::ServerReflectionRequest, v1::ServerReflectionResponse>(
      "ServerReflection.ServerReflectionInfo", *service_v1, &V1::RequestServerReflectionInfo, serve,
      CallKind::kReflection);
  AddService(std::move(service_v1), "grpc.reflection.v1.ServerReflection");
  namespace v1alpha = grpc::reflection::v1alpha;
  using V1Alpha = v1alpha::ServerReflection::WithRawMethod_ServerReflectionInfo<
      v1alpha::ServerReflection::AsyncService>;
  auto service_v1alpha = std::make_unique<V1Alpha>();
  AddBidi<v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>(
      "ServerReflection.ServerReflectionInfo(v1alpha)", *service_v1alpha,
      &V1Alpha::RequestServerReflectionInfo, serve, CallKind::kReflection);
  AddService(std::move(service_v1alpha), "grpc.reflection.v1alpha.ServerReflection");

  reflection_ = std::make_unique<ReflectionService>(service_names_);
}

absl::Status Server::Start() {
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Open(options_.listen_address);
  if (!listener.ok()) return listener.status();
  AddHealthAndReflection();
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options_.connection_streams_max);
  // What watches for it is a filter that each call passes through: a tenth of a call's work.
  if (options_.connection_idle_ms > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, IntOf(options_.connection_idle_ms));
  }
  // Without it a client that vanished without a word keeps its calls for two hours.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, IntOf(options_.keepalive_ms));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveAnswerMs);
  // Without it a client that vanished between two calls, or never said a word, keeps its connection
  // for ever. It also lets clients without calls ask as often as those that have some.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingIntervalMinMs);
  builder.SetMaxReceiveMessageSize(options_.message_bytes_max);
  for (const auto& service : services_) builder.RegisterService(service.get());
  builder.RegisterAsyncGenericService(&unknown_methods_);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  for (int i = 0; i < options_.loops; ++i) queues.push_back(builder.AddCompletionQueue());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    std::fputs("Server::Start: gRPC refused the services, is a method there twice?\n", stderr);
    std::abort();
  }
  for (auto& queue : queues) {
    grpc::ServerCompletionQueue* const server_queue = queue.get();
    loops_.push_back(
        std::make_unique<CompletionLoop>(std::move(queue), absl::StrCat("rpc-", loops_.size())));
    for (const ArmOnQueue& arm : arm_) arm(server_queue);
    for (int i = 0; i < options_.armed_calls_per_method; ++i) {
      (new UnknownCall(host_, unknown_methods_, server_queue))->Arm();
    }
  }
  listener_ = *std::move(listener);
  port_ = listener_->port();
  listener_->Start([this](int socket) {
    SetUp(socket);
    grpc::AddInsecureChannelFromFd(server_.get(), socket);
  });
  return absl::OkStatus();
}

void Server::Drain(absl::Duration drain) {
  if (server_ == nullptr || drained_) return;
  drained_ = true;
  health_->StopServing();
  host_.StartDraining();
  const absl::Time deadline = absl::Now() + drain;
  // First the answers, then the shutdown: once gRPC shuts down it closes a connection with its last
  // call, and the kernel resets one that has bytes still unread, which costs the client the answers
  // that it has not read yet. Closing a connection without calls waits for the client to have read
  // everything.
  const bool answered = host_.WaitForNoCalls(deadline);
  const absl::Time close_by =
      answered ? std::min(deadline, absl::Now() + kConnectionsGrace) : deadline;
  // Before the shutdown: gRPC 1.51 may not be given connections from then on.
  listener_.reset();
  // Cancels what is left at the deadline, and gives back every armed call.
  server_->Shutdown(absl::ToChronoTime(close_by));
  host_.WaitForNoObjects();
  // What handlers left to an idle loop may use what is gone after this.
  for (const auto& loop : loops_) loop->WaitUntilIdle();
}

void Server::Close() {
  listener_.reset();
  for (const auto& loop : loops_) loop->Close();
  // The loops own the queues, which must end before the server that made them.
  loops_.clear();
  server_.reset();
}

}  // namespace userservice::rpc
