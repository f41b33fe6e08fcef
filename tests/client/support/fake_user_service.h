// A users.v1.UserService in this process, on port 0, that fails and stalls when told to. Users live
// in a map.
//
//   FakeServer server;
//   server.AddUsers(5);                                  // ids 1 to 5
//   server.FailNext(2, grpc::StatusCode::UNAVAILABLE);   // whatever the method
//   auto client = UserClient::Connect(server.address());
//
// Threads: all members may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "async/mutex.h"
#include "grpcpp/server.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::testing {

class FakeUserService final : public users::v1::UserService::Service {
 public:
  // Users 1 to `count`; every fifth has no age, the others 0 to 99.
  void AddUsers(int64_t count);
  // The next `times` calls answer with `code`; each carries `grpc-retry-pushback-ms: 1`.
  void FailNext(int times, grpc::StatusCode code);
  // The next calls answer with this status, details and all, until it is OK again.
  void AnswerWith(const grpc::Status& status);
  // Calls begin, and end only once they are cancelled or released.
  void Stall();
  void Release();
  // Blocks until `calls` have begun since the start, or ended by cancellation.
  void WaitForBegun(int calls);
  void WaitForCancelled(int calls);

  // A message of WatchUsers, for those who ask for what follows an older revision. Those who do not
  // say from where on get every one.
  void AddWatchMessage(const users::v1::WatchUsersResponse& message);
  // Watches that are open end so, once.
  void BreakWatches(grpc::StatusCode code);
  // The after_revision of each watch that began; -1: absent.
  std::vector<int64_t> watches() const;

  int begun() const;  // attempts, that is
  absl::Duration last_deadline() const;
  std::string last_metadata(const std::string& key) const;
  int chunks_written() const;

  grpc::Status CreateUser(grpc::ServerContext* context, const users::v1::CreateUserRequest* request,
                          users::v1::User* response) override;
  grpc::Status GetUser(grpc::ServerContext* context, const users::v1::GetUserRequest* request,
                       users::v1::User* response) override;
  grpc::Status LookupUser(grpc::ServerContext* context, const users::v1::LookupUserRequest* request,
                          users::v1::User* response) override;
  // Of filters it knows "", "age > N" and "age >= N AND age <= M".
  grpc::Status ListUsers(grpc::ServerContext* context, const users::v1::ListUsersRequest* request,
                         users::v1::ListUsersResponse* response) override;
  grpc::Status UpdateUser(grpc::ServerContext* context, const users::v1::UpdateUserRequest* request,
                          users::v1::User* response) override;
  grpc::Status DeleteUser(grpc::ServerContext* context, const users::v1::DeleteUserRequest* request,
                          google::protobuf::Empty* response) override;
  grpc::Status BatchGetUsers(grpc::ServerContext* context,
                             const users::v1::BatchGetUsersRequest* request,
                             users::v1::BatchGetUsersResponse* response) override;
  grpc::Status BatchCreateUsers(grpc::ServerContext* context,
                                const users::v1::BatchCreateUsersRequest* request,
                                users::v1::BatchCreateUsersResponse* response) override;
  grpc::Status BatchUpdateUsers(grpc::ServerContext* context,
                                const users::v1::BatchUpdateUsersRequest* request,
                                users::v1::BatchUpdateUsersResponse* response) override;
  grpc::Status BatchDeleteUsers(grpc::ServerContext* context,
                                const users::v1::BatchDeleteUsersRequest* request,
                                google::protobuf::Empty* response) override;
  grpc::Status CountUsers(grpc::ServerContext* context, const users::v1::CountUsersRequest* request,
                          users::v1::CountUsersResponse* response) override;
  // One user a chunk.
  grpc::Status ExportUsers(grpc::ServerContext* context,
                           const users::v1::ExportUsersRequest* request,
                           grpc::ServerWriter<users::v1::ExportUsersResponse>* writer) override;
  grpc::Status WatchUsers(grpc::ServerContext* context, const users::v1::WatchUsersRequest* request,
                          grpc::ServerWriter<users::v1::WatchUsersResponse>* writer) override;

 private:
  // The next message after the revision; nothing if the watch is to end, with `end`.
  std::optional<users::v1::WatchUsersResponse> NextWatchMessage(grpc::ServerContext* context,
                                                                int64_t after, grpc::Status* end);
  // What every call does first; an error is the call's answer.
  grpc::Status Begin(grpc::ServerContext* context);
  grpc::Status Apply(const users::v1::CreateUserRequest& request, users::v1::User* response);
  grpc::Status Apply(const users::v1::UpdateUserRequest& request, users::v1::User* response);
  grpc::Status Apply(const users::v1::DeleteUserRequest& request);
  grpc::Status Find(int64_t user_id, users::v1::User* response) const;

  mutable Mutex mutex_;
  std::map<int64_t, users::v1::User> users_ ABSL_GUARDED_BY(mutex_);
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  int failures_left_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::StatusCode failure_ ABSL_GUARDED_BY(mutex_) = grpc::StatusCode::OK;
  grpc::Status answer_ ABSL_GUARDED_BY(mutex_);
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  int begun_ ABSL_GUARDED_BY(mutex_) = 0;
  int cancelled_ ABSL_GUARDED_BY(mutex_) = 0;
  int chunks_written_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<users::v1::WatchUsersResponse> watch_messages_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> watches_ ABSL_GUARDED_BY(mutex_);
  int watches_open_ ABSL_GUARDED_BY(mutex_) = 0;
  int watches_to_break_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::StatusCode watch_end_ ABSL_GUARDED_BY(mutex_) = grpc::StatusCode::OK;
  absl::Duration last_deadline_ ABSL_GUARDED_BY(mutex_);
  std::multimap<std::string, std::string> last_metadata_ ABSL_GUARDED_BY(mutex_);
};

class FakeServer {
 public:
  FakeServer();
  ~FakeServer();  // releases what is stalled

  FakeUserService* operator->() { return &service_; }
  const std::string& address() const { return address_; }
  grpc::Server& server() { return *server_; }

 private:
  FakeUserService service_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace userservice::testing
