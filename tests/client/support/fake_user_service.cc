#include "tests/client/support/fake_user_service.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace userservice::testing {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;
namespace v1 = users::v1;

namespace {

bool Matches(const v1::User& user, const std::string& filter) {
  if (filter.empty()) return true;
  if (!user.has_age()) return false;
  int low = 0;
  int high = 0;
  if (std::sscanf(filter.c_str(), "age > %d", &low) == 1) return user.age() > low;
  if (std::sscanf(filter.c_str(), "age >= %d AND age <= %d", &low, &high) == 2) {
    return user.age() >= low && user.age() <= high;
  }
  return false;
}

}  // namespace

void FakeUserService::AddUsers(int64_t count) {
  const MutexLock lock(&mutex_);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t id = next_id_++;
    v1::User& user = users_[id];
    user.set_user_id(id);
    user.set_name(absl::StrCat("User ", id));
    user.set_email(absl::StrCat("user", id, "@example.com"));
    if (id % 5 != 0) user.set_age(static_cast<int32_t>(id * 37 % 100));
    user.mutable_create_time()->set_seconds(1'700'000'000 + id);
    *user.mutable_update_time() = user.create_time();
    user.set_etag(absl::StrCat("\"", id, "\""));
  }
}

void FakeUserService::FailNext(int times, StatusCode code) {
  const MutexLock lock(&mutex_);
  failures_left_ = times;
  failure_ = code;
}

void FakeUserService::AnswerWith(const Status& status) {
  const MutexLock lock(&mutex_);
  answer_ = status;
}

void FakeUserService::Stall() {
  const MutexLock lock(&mutex_);
  stalled_ = true;
}

void FakeUserService::Release() {
  const MutexLock lock(&mutex_);
  stalled_ = false;
}

void FakeUserService::WaitForBegun(int calls) {
  const auto begun = [this, calls]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return begun_ >= calls; };
  const MutexLock lock(&mutex_, Condition(&begun));
}

void FakeUserService::WaitForCancelled(int calls) {
  const auto cancelled = [this, calls]()
                             ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return cancelled_ >= calls; };
  const MutexLock lock(&mutex_, Condition(&cancelled));
}

int FakeUserService::begun() const {
  const MutexLock lock(&mutex_);
  return begun_;
}

absl::Duration FakeUserService::last_deadline() const {
  const MutexLock lock(&mutex_);
  return last_deadline_;
}

std::string FakeUserService::last_metadata(const std::string& key) const {
  const MutexLock lock(&mutex_);
  const auto found = last_metadata_.find(key);
  return found == last_metadata_.end() ? "" : found->second;
}

int FakeUserService::chunks_written() const {
  const MutexLock lock(&mutex_);
  return chunks_written_;
}

Status FakeUserService::Begin(ServerContext* context) {
  const MutexLock lock(&mutex_);
  ++begun_;
  last_deadline_ = context->deadline() == std::chrono::system_clock::time_point::max()
                       ? absl::InfiniteDuration()
                       : absl::FromChrono(context->deadline()) - absl::Now();
  last_metadata_.clear();
  for (const auto& [key, value] : context->client_metadata()) {
    last_metadata_.emplace(std::string(key.data(), key.size()),
                           std::string(value.data(), value.size()));
  }
  if (last_metadata_.contains("x-server-timing")) {
    context->AddTrailingMetadata("server-timing", "queue;dur=0.012, sql;dur=0.345, total;dur=0.5");
  }
  const auto released = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !stalled_; };
  // A synchronous handler learns of a cancellation only by asking.
  while (!mutex_.AwaitWithTimeout(Condition(&released), absl::Milliseconds(2))) {
    if (!context->IsCancelled()) continue;
    ++cancelled_;
    return Status(StatusCode::CANCELLED, "cancelled");
  }
  if (failures_left_ > 0) {
    --failures_left_;
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "1");
    return Status(failure_, "told to fail");
  }
  return answer_;
}

Status FakeUserService::Find(int64_t user_id, v1::User* response) const {
  const MutexLock lock(&mutex_);
  const auto found = users_.find(user_id);
  if (found == users_.end())
    return Status(StatusCode::NOT_FOUND, absl::StrCat("no user ", user_id));
  *response = found->second;
  return Status::OK;
}

Status FakeUserService::Apply(const v1::CreateUserRequest& request, v1::User* response) {
  const MutexLock lock(&mutex_);
  *response = request.user();
  response->set_user_id(next_id_);
  response->set_etag(absl::StrCat("\"", next_id_, "\""));
  if (!request.validate_only()) users_[next_id_++] = *response;
  return Status::OK;
}

Status FakeUserService::Apply(const v1::UpdateUserRequest& request, v1::User* response) {
  const MutexLock lock(&mutex_);
  const auto found = users_.find(request.user().user_id());
  if (found == users_.end()) return Status(StatusCode::NOT_FOUND, "no such user");
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "name") found->second.set_name(request.user().name());
    if (path == "email") found->second.set_email(request.user().email());
    if (path == "age") found->second.clear_age();
    if (path == "age" && request.user().has_age()) found->second.set_age(request.user().age());
  }
  *response = found->second;
  return Status::OK;
}

Status FakeUserService::Apply(const v1::DeleteUserRequest& request) {
  const MutexLock lock(&mutex_);
  if (users_.erase(request.user_id()) == 0 && !request.allow_missing()) {
    return Status(StatusCode::NOT_FOUND, "no such user");
  }
  return Status::OK;
}

Status FakeUserService::CreateUser(ServerContext* context, const v1::CreateUserRequest* request,
                                   v1::User* response) {
  Status status = Begin(context);
  return status.ok() ? Apply(*request, response) : status;
}

Status FakeUserService::GetUser(ServerContext* context, const v1::GetUserRequest* request,
                                v1::User* response) {
  Status status = Begin(context);
  return status.ok() ? Find(request->user_id(), response) : status;
}

Status FakeUserService::LookupUser(ServerContext* context, const v1::LookupUserRequest* request,
                                   v1::User* response) {
  if (Status status = Begin(context); !status.ok()) return status;
  const MutexLock lock(&mutex_);
  for (const auto& [id, user] : users_) {
    if (user.email() != request->email()) continue;
    *response = user;
    return Status::OK;
  }
  return Status(StatusCode::NOT_FOUND, "no such user");
}

Status FakeUserService::ListUsers(ServerContext* context, const v1::ListUsersRequest* request,
                                  v1::ListUsersResponse* response) {
  if (Status status = Begin(context); !status.ok()) return status;
  const MutexLock lock(&mutex_);
  const int64_t after = request->page_token().empty() ? 0 : std::stoll(request->page_token());
  const int size = request->page_size() == 0 ? 50 : request->page_size();
  for (auto it = users_.upper_bound(after); it != users_.end(); ++it) {
    if (!Matches(it->second, request->filter())) continue;
    if (response->users_size() == size) {
      response->set_next_page_token(absl::StrCat(response->users(size - 1).user_id()));
      break;
    }
    *response->add_users() = it->second;
  }
  response->set_revision(next_id_);
  return Status::OK;
}

Status FakeUserService::UpdateUser(ServerContext* context, const v1::UpdateUserRequest* request,
                                   v1::User* response) {
  Status status = Begin(context);
  return status.ok() ? Apply(*request, response) : status;
}

Status FakeUserService::DeleteUser(ServerContext* context, const v1::DeleteUserRequest* request,
                                   google::protobuf::Empty*) {
  Status status = Begin(context);
  return status.ok() ? Apply(*request) : status;
}

Status FakeUserService::BatchGetUsers(ServerContext* context,
                                      const v1::BatchGetUsersRequest* request,
                                      v1::BatchGetUsersResponse* response) {
  Status status = Begin(context);
  for (const int64_t id : request->user_ids()) {
    if (status.ok()) status = Find(id, response->add_users());
  }
  return status;
}

Status FakeUserService::BatchCreateUsers(ServerContext* context,
                                         const v1::BatchCreateUsersRequest* request,
                                         v1::BatchCreateUsersResponse* response) {
  Status status = Begin(context);
  for (const auto& one : request->requests()) {
    if (status.ok()) status = Apply(one, response->add_users());
  }
  return status;
}

Status FakeUserService::BatchUpdateUsers(ServerContext* context,
                                         const v1::BatchUpdateUsersRequest* request,
                                         v1::BatchUpdateUsersResponse* response) {
  Status status = Begin(context);
  for (const auto& one : request->requests()) {
    if (status.ok()) status = Apply(one, response->add_users());
  }
  return status;
}

Status FakeUserService::BatchDeleteUsers(ServerContext* context,
                                         const v1::BatchDeleteUsersRequest* request,
                                         google::protobuf::Empty*) {
  Status status = Begin(context);
  for (const auto& one : request->requests()) {
    if (status.ok()) status = Apply(one);
  }
  return status;
}

Status FakeUserService::CountUsers(ServerContext* context, const v1::CountUsersRequest* request,
                                   v1::CountUsersResponse* response) {
  if (Status status = Begin(context); !status.ok()) return status;
  const MutexLock lock(&mutex_);
  int64_t count = 0;
  for (const auto& [id, user] : users_) count += Matches(user, request->filter()) ? 1 : 0;
  response->set_count(count);
  response->set_revision(next_id_);
  return Status::OK;
}

Status FakeUserService::ExportUsers(ServerContext* context, const v1::ExportUsersRequest* request,
                                    grpc::ServerWriter<v1::ExportUsersResponse>* writer) {
  if (Status status = Begin(context); !status.ok()) return status;
  std::vector<v1::User> matching;
  {
    const MutexLock lock(&mutex_);
    for (const auto& [id, user] : users_) {
      if (Matches(user, request->filter())) matching.push_back(user);
    }
  }
  for (const v1::User& user : matching) {
    v1::ExportUsersResponse chunk;
    *chunk.add_users() = user;
    chunk.set_resume_token(absl::StrCat(user.user_id()));
    const bool taken = writer->Write(chunk);
    const MutexLock lock(&mutex_);
    if (!taken) {
      ++cancelled_;
      return Status(StatusCode::CANCELLED, "the client went away");
    }
    ++chunks_written_;
  }
  return Status::OK;
}

void FakeUserService::AddWatchMessage(const v1::WatchUsersResponse& message) {
  const MutexLock lock(&mutex_);
  watch_messages_.push_back(message);
}

void FakeUserService::BreakWatches(StatusCode code) {
  const auto opened = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return watches_open_ > 0; };
  const MutexLock lock(&mutex_, Condition(&opened));
  watches_to_break_ = watches_open_;
  watch_end_ = code;
}

std::vector<int64_t> FakeUserService::watches() const {
  const MutexLock lock(&mutex_);
  return watches_;
}

std::optional<v1::WatchUsersResponse> FakeUserService::NextWatchMessage(ServerContext* context,
                                                                        int64_t after,
                                                                        Status* end) {
  const MutexLock lock(&mutex_);
  for (;;) {
    for (const v1::WatchUsersResponse& message : watch_messages_)
      if (message.revision() > after) return message;
    const auto to_break = [this]()
                              ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return watches_to_break_ > 0; };
    // A synchronous handler learns of a cancellation only by asking.
    if (mutex_.AwaitWithTimeout(Condition(&to_break), absl::Milliseconds(2))) {
      --watches_to_break_;
      *end = Status(watch_end_, "told to break");
      return std::nullopt;
    }
    if (!context->IsCancelled()) continue;
    ++cancelled_;
    *end = Status(StatusCode::CANCELLED, "cancelled");
    return std::nullopt;
  }
}

Status FakeUserService::WatchUsers(ServerContext* context, const v1::WatchUsersRequest* request,
                                   grpc::ServerWriter<v1::WatchUsersResponse>* writer) {
  if (Status status = Begin(context); !status.ok()) return status;
  int64_t after = request->after_revision();
  {
    const MutexLock lock(&mutex_);
    watches_.push_back(request->has_after_revision() ? after : -1);
    ++watches_open_;
  }
  Status end;
  while (const auto message = NextWatchMessage(context, after, &end)) {
    after = message->revision();
    writer->Write(*message);
  }
  const MutexLock lock(&mutex_);
  --watches_open_;
  return end;
}

FakeServer::FakeServer() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service_);
  server_ = builder.BuildAndStart();
  address_ = absl::StrCat("127.0.0.1:", port);
}

FakeServer::~FakeServer() {
  service_.Release();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

}  // namespace userservice::testing
