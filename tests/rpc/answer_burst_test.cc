// The answers of a burst leave together, and none is left behind.
#include <gtest/gtest.h>
#include <linux/tcp.h>  // its tcp_info knows of packets, that of libc does not
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/local_app.h"
#include "tests/support/local_server.h"
#include "tests/support/notification.h"
#include "tests/support/rpc_error.h"

namespace userservice {
namespace {

using users::v1::User;
using Stub = users::v1::UserService::Stub;

constexpr int kReaders = 100;

// What the kernel knows of the server's connections, which are in this process.
class ServerSockets {
 public:
  explicit ServerSockets(int port) : port_(port) {}

  uint32_t packets_sent() const {
    uint32_t packets = 0;
    for (const int socket : All()) {
      tcp_info info{};
      socklen_t bytes = sizeof info;
      if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0)
        packets += info.tcpi_data_segs_out;
    }
    return packets;
  }
  int held() const { return With(TCP_CORK); }
  int without_delay() const { return With(TCP_NODELAY); }

 private:
  std::vector<int> All() const {
    std::vector<int> sockets;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      const int socket = std::stoi(entry.path().filename());
      sockaddr_in name{};
      socklen_t bytes = sizeof name;
      if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &bytes) == 0 &&
          name.sin_family == AF_INET && ntohs(name.sin_port) == port_)
        sockets.push_back(socket);
    }
    return sockets;
  }
  int With(int option) const {
    int sockets = 0;
    for (const int socket : All()) {
      int value = 0;
      socklen_t bytes = sizeof value;
      if (getsockopt(socket, IPPROTO_TCP, option, &value, &bytes) == 0 && value != 0) ++sockets;
    }
    return sockets;
  }

  const int port_;
};

// Looks at a server's sockets on the loop, in the midst of a burst; which makes it a slow one.
class LookingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  Task<absl::StatusOr<store::EncodedUser>> GetUser(store::CallContext context,
                                                   int64_t user_id) override {
    absl::StatusOr<store::EncodedUser> user = co_await ForwardingStore::GetUser(context, user_id);
    if (port != 0) held_max = std::max(held_max.load(), ServerSockets(port).held());
    co_return user;
  }

  std::atomic<int> port{0};  // of the server; 0: does not look
  std::atomic<int> held_max{0};
};

// A read of what is not written yet.
class WaitingRead {
 public:
  WaitingRead() = default;
  WaitingRead(const WaitingRead&) = delete;
  WaitingRead& operator=(const WaitingRead&) = delete;
  ~WaitingRead() {
    context_.TryCancel();
    if (has_begun_) ended_.WaitForNotification();
  }

  void Begin(Stub& users, int64_t min_revision) {
    SetDeadline(context_);
    request_.set_user_id(1);
    request_.set_min_revision(min_revision);
    has_begun_ = true;
    users.async()->GetUser(&context_, &request_, &user_, [this](grpc::Status ended_with) {
      status_ = std::move(ended_with);
      ended_.Notify();
    });
  }
  std::string Wait() {
    ended_.WaitForNotification();
    return status_.ok() && user_.user_id() == 1 ? "OK" : Outcome(status_);
  }

 private:
  grpc::ClientContext context_;
  users::v1::GetUserRequest request_;
  User user_;
  grpc::Status status_;
  bool has_begun_ = false;
  Notification ended_;
};

class AnswerBurstTest : public testing::Test {
 protected:
  AnswerBurstTest() { Create(); }

  void Create() {
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::CreateUserRequest request;
    request.mutable_user()->set_name("Ada");
    request.mutable_user()->set_email("ada" + std::to_string(++revision_) + "@example.com");
    request.mutable_user()->set_age(36);
    User user;
    const grpc::Status status = writer_->CreateUser(&context, request, &user);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  // One read by each of these, all answered at once.
  void ReadAtOnce(const std::vector<Stub*>& readers) {
    std::list<WaitingRead> reads(readers.size());
    auto read = reads.begin();
    for (Stub* const reader : readers) (read++)->Begin(*reader, revision_ + 1);
    const auto count = static_cast<int64_t>(readers.size());
    ASSERT_TRUE(Eventually([&] { return server_.server().live_calls() == count; }));
    packets_before_ = sockets_.packets_sent();
    Create();
    for (WaitingRead& ended : reads) EXPECT_EQ(ended.Wait(), "OK");
  }

  std::unique_ptr<Stub> Connect() {
    return users::v1::UserService::NewStub(OwnConnection(server_.address()));
  }

  LocalServer<LookingStore> server_{rpc::ServerOptions()};
  ServerSockets sockets_{server_.port()};
  std::unique_ptr<Stub> writer_ = Connect();
  int64_t revision_ = 0;  // of the store: one for each write
  uint32_t packets_before_ = 0;
};

TEST_F(AnswerBurstTest, AnswersOfOneConnectionShareTheirPacketsAndNoneStaysBehind) {
  const std::unique_ptr<Stub> reader = Connect();
  for (int round = 0; round < 3; ++round) {
    ReadAtOnce(std::vector<Stub*>(kReaders, reader.get()));
    EXPECT_LT(sockets_.packets_sent() - packets_before_, kReaders / 2);
    EXPECT_TRUE(Eventually([&] { return sockets_.held() == 0; }));
  }
}

TEST_F(AnswerBurstTest, AnAnswerThatIsAloneOnItsConnectionWaitsForNoOther) {
  std::vector<std::unique_ptr<Stub>> connections;
  std::vector<Stub*> readers;
  for (int i = 0; i < kReaders; ++i) {
    connections.push_back(Connect());
    readers.push_back(connections.back().get());
  }
  server_.store().port = server_.port();
  ReadAtOnce(readers);
  EXPECT_EQ(server_.store().held_max, 0);
  // And the kernel does not hold it either.
  EXPECT_EQ(sockets_.without_delay(), kReaders + 1);
}

}  // namespace
}  // namespace userservice
