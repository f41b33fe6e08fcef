// A users.v1.UserService that imports as the real one does, once for each request_id, and breaks
// calls where it is told to.
//
//   FakeImportServer server;
//   server.BreakNextCall(3, 1);  // stores three chunks, answers the first, and breaks off
//   auto client = UserClient::Connect(server.address());
//
// Threads: all members may be called from any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "async/mutex.h"
#include "grpcpp/server.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::testing {

class FakeImportServer final : private users::v1::UserService::Service {
 public:
  FakeImportServer();
  ~FakeImportServer() override;  // lets go of what is held

  const std::string& address() const { return address_; }

  // A call after those already told of: stores `chunks_read`, answers the first `chunks_answered`
  // of them, and ends with `code`.
  void BreakNextCall(int chunks_read, int chunks_answered,
                     grpc::StatusCode code = grpc::StatusCode::UNAVAILABLE);
  // Chunks are read, but not answered, until LetGo().
  void Hold();
  void LetGo();
  // Answers have this sequence instead of the chunk's.
  void AnswerWithSequence(int64_t sequence);
  // Blocks until so many chunks have been read, repeats included.
  void WaitForRead(size_t chunks);
  // Blocks until so many calls have ended.
  void WaitForEnded(int calls);

  int calls() const;
  size_t chunks_read() const;
  // The request ids in the order in which they came first.
  std::vector<std::string> request_ids() const;
  // What is stored, in order.
  std::vector<std::string> emails() const;

 private:
  struct Break {
    int chunks_read;
    int chunks_answered;
    grpc::StatusCode code;
  };
  using Stream =
      grpc::ServerReaderWriter<users::v1::ImportUsersResponse, users::v1::ImportUsersRequest>;

  grpc::Status ImportUsers(grpc::ServerContext* context, Stream* stream) override;
  grpc::Status Import(grpc::ServerContext* context, Stream* stream);
  users::v1::ImportUsersResponse Store(const users::v1::ImportUsersRequest& chunk);
  void WaitUntilLetGo(grpc::ServerContext* context);

  mutable Mutex mutex_;
  std::deque<Break> breaks_ ABSL_GUARDED_BY(mutex_);
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
  int ended_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t chunks_read_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string> known_ids_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> request_ids_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> emails_ ABSL_GUARDED_BY(mutex_);
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace userservice::testing
