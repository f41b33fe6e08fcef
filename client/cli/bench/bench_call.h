// BenchCall: one call of a load, over and over: its messages are kept, so that a call allocates
// nothing of its own.
//
//   call.Start(target);                                        // its tags come out of target.queue
//   if (tag.call->Proceed(tag.number, ok)) Record(tag.call->error(), tag.call->rows());
//
// What was asked is compared with what is answered: a wrong answer is an error.
// Threads: one, that of its queue.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/cli/bench/mix.h"
#include "client/cli/bench/random.h"
#include "client/cli/bench/workload.h"
#include "grpc/support/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::cli {

// Nanoseconds of the clock that all times of a load are told by.
int64_t MonotonicNs();
gpr_timespec ToTimespec(int64_t monotonic_ns);

// Where a thread's calls go, and what they are made from.
struct CallTarget {
  const Workload* workload = nullptr;
  grpc::CompletionQueue* queue = nullptr;
  Random* random = nullptr;
  uint64_t* emails = nullptr;  // how many this thread has made up
  users::v1::UserService::Stub* stub = nullptr;
  grpc::Channel* channel = nullptr;  // the stub's
  std::optional<int64_t> deadline_ns;
};

class BenchCall {
 public:
  struct Tag {
    BenchCall* call;
    int number;
  };

  virtual ~BenchCall() = default;
  BenchCall(const BenchCall&) = delete;
  BenchCall& operator=(const BenchCall&) = delete;

  // The call has ended, or never began.
  virtual void Start(const CallTarget& target) = 0;
  // The queue gave back a tag of this call. True once the call has ended, for good.
  virtual bool Proceed(int tag, bool ok) = 0;

  void Cancel() { context_->TryCancel(); }

  // Of the call that has ended. Empty, or "NOT_FOUND / USER_NOT_FOUND", or what is wrong with the
  // answer.
  std::string error() const;
  int64_t rows() const { return rows_; }

  BenchOperation operation = BenchOperation::kGet;
  int64_t due_ns = 0;  // when it began, or was to begin
  bool active = false;
  bool watches = false;  // runs beside the load

 protected:
  BenchCall() = default;

  grpc::ClientContext* NewContext(const CallTarget& target);
  void* tag(int number) { return &tags_[static_cast<size_t>(number)]; }

  std::optional<grpc::ClientContext> context_;
  grpc::Status status_;
  std::string_view wrong_;  // what is wrong with the answer, a constant
  int64_t rows_ = 0;

 private:
  std::array<Tag, 2> tags_ = {{{this, 0}, {this, 1}}};
};

std::unique_ptr<BenchCall> NewBenchCall(BenchOperation operation);
std::unique_ptr<BenchCall> NewExportCall();
std::unique_ptr<BenchCall> NewImportCall();

// A user that was never stored before: another e-mail each time, in no order.
void MakeUpUser(const CallTarget& target, users::v1::User& user);

// A change feed that is read until it is cancelled.
class WatchCall : public BenchCall {
 public:
  virtual int64_t messages() const = 0;
  virtual int64_t changes() const = 0;
};
std::unique_ptr<WatchCall> NewWatchCall();

}  // namespace userservice::cli
