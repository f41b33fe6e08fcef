// The calls of a load that are streams.
#include <algorithm>
#include <optional>

#include "client/cli/bench/bench_call.h"
#include "google/protobuf/io/coded_stream.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"

namespace userservice::cli {
namespace {

using users::v1::ExportUsersResponse;
using users::v1::ImportUsersRequest;
using users::v1::ImportUsersResponse;
using users::v1::WatchUsersResponse;

// Start, read until the stream ends, finish. One tag is out at a time.
template <class Base, class Response>
class ReadingCall : public Base {
 public:
  bool Proceed(int /*tag*/, bool ok) final {
    switch (state_) {
      case State::kStarting:
        break;
      case State::kReading:
        if (ok) Take(response_);
        break;
      case State::kFinishing:
        return true;
    }
    if (ok) {
      state_ = State::kReading;
      reader_->Read(&response_, this->tag(0));
    } else {
      state_ = State::kFinishing;
      reader_->Finish(&this->status_, this->tag(0));
    }
    return false;
  }

 protected:
  // Before a new context, since the reader is in memory of the old one.
  void EndReading() { reader_.reset(); }

  void StartReading(std::unique_ptr<grpc::ClientAsyncReader<Response>> reader) {
    state_ = State::kStarting;
    reader_ = std::move(reader);
    reader_->StartCall(this->tag(0));
  }

 private:
  enum class State { kStarting, kReading, kFinishing };

  virtual void Take(Response& response) = 0;

  State state_ = State::kStarting;
  Response response_;
  std::unique_ptr<grpc::ClientAsyncReader<Response>> reader_;
};

// A stream whose messages the load reads from their bytes: if it made messages of users of all that
// it is sent, it would measure itself.
template <class Request>
std::unique_ptr<grpc::ClientAsyncReader<grpc::ByteBuffer>> NewByteReader(
    const CallTarget& target, const char* method_path, const Request& request,
    grpc::ClientContext* context) {
  using Factory = grpc::internal::ClientAsyncReaderFactory<grpc::ByteBuffer>;
  const grpc::internal::RpcMethod method(method_path, grpc::internal::RpcMethod::SERVER_STREAMING);
  return std::unique_ptr<grpc::ClientAsyncReader<grpc::ByteBuffer>>(Factory::Create(
      target.channel, target.queue, method, context, request, /*start=*/false, nullptr));
}

// The user_id of the user that follows, which is first of its fields.
std::optional<int64_t> TakeUserId(google::protobuf::io::CodedInputStream& bytes) {
  constexpr uint32_t kUserId = users::v1::User::kUserIdFieldNumber << 3U;
  const auto limit = bytes.ReadLengthAndPushLimit();
  uint64_t user_id = 0;
  const bool is_user = bytes.ReadTag() == kUserId && bytes.ReadVarint64(&user_id) &&
                       bytes.Skip(bytes.BytesUntilLimit());
  bytes.PopLimit(limit);
  return is_user ? std::optional(static_cast<int64_t>(user_id)) : std::nullopt;
}

class ExportCall final : public ReadingCall<BenchCall, grpc::ByteBuffer> {
 public:
  void Start(const CallTarget& target) override {
    users::v1::ExportUsersRequest request;
    request.set_filter(target.workload->options.filter);
    last_user_id_ = 0;
    EndReading();
    StartReading(
        NewByteReader(target, "/users.v1.UserService/ExportUsers", request, NewContext(target)));
  }

 private:
  void Take(grpc::ByteBuffer& chunk) override {
    constexpr uint32_t kUsers = ExportUsersResponse::kUsersFieldNumber << 3U | 2U;
    constexpr uint32_t kResumeToken = ExportUsersResponse::kResumeTokenFieldNumber << 3U | 2U;
    grpc::ProtoBufferReader reader(&chunk);
    google::protobuf::io::CodedInputStream bytes(&reader);
    while (const uint32_t field = bytes.ReadTag()) {
      uint32_t length = 0;
      if (field == kUsers) {
        TakeUser(TakeUserId(bytes));
      } else if (field != kResumeToken || !bytes.ReadVarint32(&length) ||
                 !bytes.Skip(static_cast<int>(length))) {
        break;
      }
    }
    if (!bytes.ConsumedEntireMessage()) wrong_ = "no chunk of users";
  }

  void TakeUser(std::optional<int64_t> user_id) {
    if (user_id.value_or(0) <= last_user_id_) wrong_ = "users out of order";
    last_user_id_ = user_id.value_or(0);
    ++rows_;
  }

  int64_t last_user_id_ = 0;
};

// What the load looks at in a message of the change feed.
struct WatchedChanges {
  int64_t changes = 0;
  int64_t revision = 0;
};

std::optional<WatchedChanges> ScanChanges(grpc::ByteBuffer& message) {
  constexpr uint32_t kChanges = WatchUsersResponse::kChangesFieldNumber << 3U | 2U;
  constexpr uint32_t kRevision = WatchUsersResponse::kRevisionFieldNumber << 3U;
  constexpr uint32_t kSynced = WatchUsersResponse::kSyncedFieldNumber << 3U;
  grpc::ProtoBufferReader reader(&message);
  google::protobuf::io::CodedInputStream bytes(&reader);
  WatchedChanges found;
  while (const uint32_t field = bytes.ReadTag()) {
    uint64_t value = 0;
    if (!bytes.ReadVarint64(&value)) return std::nullopt;
    if (field == kChanges) {
      ++found.changes;
      if (!bytes.Skip(static_cast<int>(value))) return std::nullopt;
    } else if (field == kRevision) {
      found.revision = static_cast<int64_t>(value);
    } else if (field != kSynced) {
      return std::nullopt;
    }
  }
  return bytes.ConsumedEntireMessage() ? std::optional(found) : std::nullopt;
}

class WatchCallImpl final : public ReadingCall<WatchCall, grpc::ByteBuffer> {
 public:
  void Start(const CallTarget& target) override {
    users::v1::WatchUsersRequest request;
    request.set_filter(target.workload->options.filter);
    StartReading(
        NewByteReader(target, "/users.v1.UserService/WatchUsers", request, NewContext(target)));
  }

  int64_t messages() const override { return messages_; }
  int64_t changes() const override { return changes_; }

 private:
  void Take(grpc::ByteBuffer& response) override {
    const std::optional<WatchedChanges> found = ScanChanges(response);
    if (!found.has_value()) {
      wrong_ = "no message of changes";
      return;
    }
    ++messages_;
    changes_ += found->changes;
    if (found->revision < revision_) wrong_ = "revisions out of order";
    revision_ = found->revision;
  }

  int64_t messages_ = 0;
  int64_t changes_ = 0;
  int64_t revision_ = 0;
};

// One import of options.import_users, in chunks of which a few are on their way at once. Its tags:
// one for starting, writing and finishing, which follow one another, and one for reading.
class ImportCall final : public BenchCall {
 public:
  void Start(const CallTarget& target) override {
    target_ = target;
    users_left_ = target.workload->options.import_users;
    chunks_written_ = chunks_answered_ = 0;
    writes_over_ = reads_over_ = false;
    state_ = State::kStarting;
    stream_.reset();  // before its context, whose memory it is in
    stream_ = target.stub->PrepareAsyncImportUsers(NewContext(target), target.queue);
    stream_->StartCall(tag(kWrite));
  }

  bool Proceed(int tag, bool ok) override {
    if (tag == kRead) {
      TakeAnswer(ok);
    } else if (state_ == State::kFinishing) {
      return true;
    } else {
      Written(ok);
    }
    if (state_ == State::kIdle && !writes_over_) WriteNext();
    if (state_ == State::kIdle && writes_over_ && reads_over_) Finish();
    return false;
  }

 private:
  enum TagNumber { kWrite, kRead };
  enum class State { kStarting, kIdle, kWriting, kEndingWrites, kFinishing };

  static constexpr int kChunkUsers = 1000;
  static constexpr int64_t kChunksUnanswered = 4;

  void Written(bool ok) {
    if (state_ == State::kStarting) {
      if (ok) {
        stream_->Read(&response_, tag(kRead));
      } else {
        reads_over_ = true;
      }
    }
    if (!ok || state_ == State::kEndingWrites) writes_over_ = true;
    state_ = State::kIdle;
  }

  void TakeAnswer(bool ok) {
    if (!ok) {
      reads_over_ = true;
      return;
    }
    ++chunks_answered_;
    if (response_.failures_size() > 0) wrong_ = "users were not stored";
    if (response_.sequence() != chunks_answered_) wrong_ = "another chunk's answer";
    rows_ += response_.created_count();
    stream_->Read(&response_, tag(kRead));
  }

  // Nothing while too much is unanswered: the next answer tries again.
  void WriteNext() {
    if (reads_over_) {
      writes_over_ = true;
    } else if (users_left_ == 0) {
      state_ = State::kEndingWrites;
      stream_->WritesDone(tag(kWrite));
    } else if (chunks_written_ - chunks_answered_ < kChunksUnanswered) {
      const int users = std::min(users_left_, kChunkUsers);
      users_left_ -= users;
      request_.clear_users();
      for (int i = 0; i < users; ++i) MakeUpUser(target_, *request_.add_users());
      request_.set_sequence(++chunks_written_);
      state_ = State::kWriting;
      stream_->Write(request_, tag(kWrite));
    }
  }

  void Finish() {
    state_ = State::kFinishing;
    if (chunks_answered_ != chunks_written_) wrong_ = "fewer answers than chunks";
    stream_->Finish(&status_, tag(kWrite));
  }

  CallTarget target_;
  State state_ = State::kStarting;
  int users_left_ = 0;
  int64_t chunks_written_ = 0;
  int64_t chunks_answered_ = 0;
  bool writes_over_ = false;
  bool reads_over_ = false;
  ImportUsersRequest request_;
  ImportUsersResponse response_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<ImportUsersRequest, ImportUsersResponse>> stream_;
};

}  // namespace

std::unique_ptr<BenchCall> NewExportCall() { return std::make_unique<ExportCall>(); }
std::unique_ptr<BenchCall> NewImportCall() { return std::make_unique<ImportCall>(); }
std::unique_ptr<WatchCall> NewWatchCall() { return std::make_unique<WatchCallImpl>(); }

}  // namespace userservice::cli
