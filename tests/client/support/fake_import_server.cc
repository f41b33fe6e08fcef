#include "tests/client/support/fake_import_server.h"

#include <chrono>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace userservice::testing {

using users::v1::ImportUsersRequest;
using users::v1::ImportUsersResponse;

FakeImportServer::FakeImportServer() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = absl::StrCat("127.0.0.1:", port);
}

FakeImportServer::~FakeImportServer() {
  LetGo();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

void FakeImportServer::BreakNextCall(int chunks_read, int chunks_answered, grpc::StatusCode code) {
  const MutexLock lock(&mutex_);
  breaks_.push_back({chunks_read, chunks_answered, code});
}

void FakeImportServer::Hold() {
  const MutexLock lock(&mutex_);
  held_ = true;
}

void FakeImportServer::LetGo() {
  const MutexLock lock(&mutex_);
  held_ = false;
}

void FakeImportServer::AnswerWithSequence(int64_t sequence) {
  const MutexLock lock(&mutex_);
  sequence_ = sequence;
}

void FakeImportServer::WaitForRead(size_t chunks) {
  const auto read = [this, chunks]()
                        ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return chunks_read_ >= chunks; };
  const MutexLock lock(&mutex_, Condition(&read));
}

void FakeImportServer::WaitForEnded(int calls) {
  const auto ended = [this, calls]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return ended_ >= calls; };
  const MutexLock lock(&mutex_, Condition(&ended));
}

int FakeImportServer::calls() const {
  const MutexLock lock(&mutex_);
  return calls_;
}

size_t FakeImportServer::chunks_read() const {
  const MutexLock lock(&mutex_);
  return chunks_read_;
}

std::vector<std::string> FakeImportServer::request_ids() const {
  const MutexLock lock(&mutex_);
  return request_ids_;
}

std::vector<std::string> FakeImportServer::emails() const {
  const MutexLock lock(&mutex_);
  return emails_;
}

grpc::Status FakeImportServer::ImportUsers(grpc::ServerContext* context, Stream* stream) {
  grpc::Status status = Import(context, stream);
  const MutexLock lock(&mutex_);
  ++ended_;
  return status;
}

grpc::Status FakeImportServer::Import(grpc::ServerContext* context, Stream* stream) {
  std::optional<Break> plan;
  {
    const MutexLock lock(&mutex_);
    ++calls_;
    if (!breaks_.empty()) {
      plan = breaks_.front();
      breaks_.pop_front();
    }
  }
  ImportUsersRequest chunk;
  for (int read = 0; !plan.has_value() || read < plan->chunks_read; ++read) {
    if (!stream->Read(&chunk)) return grpc::Status::OK;
    const ImportUsersResponse response = Store(chunk);
    WaitUntilLetGo(context);
    if (!plan.has_value() || read < plan->chunks_answered) stream->Write(response);
  }
  return {plan->code, "told to break off"};
}

ImportUsersResponse FakeImportServer::Store(const ImportUsersRequest& chunk) {
  const MutexLock lock(&mutex_);
  ++chunks_read_;
  if (known_ids_.insert(chunk.request_id()).second) {
    request_ids_.push_back(chunk.request_id());
    for (const users::v1::User& user : chunk.users()) emails_.push_back(user.email());
  }
  ImportUsersResponse response;
  response.set_sequence(sequence_ == 0 ? chunk.sequence() : sequence_);
  response.set_created_count(chunk.users_size());
  return response;
}

// A synchronous handler learns of a cancellation only by asking.
void FakeImportServer::WaitUntilLetGo(grpc::ServerContext* context) {
  const MutexLock lock(&mutex_);
  const auto let_go = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !held_; };
  while (!mutex_.AwaitWithTimeout(Condition(&let_go), absl::Milliseconds(2)) &&
         !context->IsCancelled()) {
  }
}

}  // namespace userservice::testing
