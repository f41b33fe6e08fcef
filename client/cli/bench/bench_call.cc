#include "client/cli/bench/bench_call.h"

#include <ctime>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/status.h"

namespace userservice::cli {
namespace {

using users::v1::UserService;

constexpr int64_t kNsPerSecond = 1'000'000'000;

int64_t RandomUserId(const CallTarget& target) {
  return target.workload->UserIdAt(target.random->Below(target.workload->options.users));
}

// What each operation asks, and whether that is what was answered: empty, or what is wrong.
struct GetOperation {
  using Request = users::v1::GetUserRequest;
  using Response = users::v1::User;
  static constexpr auto kPrepare = &UserService::Stub::PrepareAsyncGetUser;
  static void Fill(const CallTarget& target, Request& request) {
    request.set_user_id(RandomUserId(target));
  }
  static std::string_view Compare(const Request& request, const Response& user) {
    return user.user_id() == request.user_id() && !user.email().empty() ? "" : "another user";
  }
  static int64_t Rows(const Response& /*user*/) { return 1; }
};

struct LookupOperation {
  using Request = users::v1::LookupUserRequest;
  using Response = users::v1::User;
  static constexpr auto kPrepare = &UserService::Stub::PrepareAsyncLookupUser;
  static void Fill(const CallTarget& target, Request& request) {
    const std::vector<std::string>& emails = target.workload->emails;
    const int64_t chosen = target.random->Below(static_cast<int64_t>(emails.size()));
    request.set_email(emails[static_cast<size_t>(chosen)]);
  }
  static std::string_view Compare(const Request& request, const Response& user) {
    return user.email() == request.email() ? "" : "another user";
  }
  static int64_t Rows(const Response& /*user*/) { return 1; }
};

struct BatchGetOperation {
  using Request = users::v1::BatchGetUsersRequest;
  using Response = users::v1::BatchGetUsersResponse;
  static constexpr auto kPrepare = &UserService::Stub::PrepareAsyncBatchGetUsers;
  static void Fill(const CallTarget& target, Request& request) {
    request.clear_user_ids();
    for (int i = 0; i < target.workload->options.batch_size; ++i)
      request.add_user_ids(RandomUserId(target));
  }
  static std::string_view Compare(const Request& request, const Response& response) {
    if (request.user_ids_size() != response.users_size()) return "another number of users";
    for (int i = 0; i < response.users_size(); ++i) {
      if (response.users(i).user_id() != request.user_ids(i)) return "another user";
    }
    return "";
  }
  static int64_t Rows(const Response& response) { return response.users_size(); }
};

struct ListOperation {
  using Request = users::v1::ListUsersRequest;
  using Response = users::v1::ListUsersResponse;
  static constexpr auto kPrepare = &UserService::Stub::PrepareAsyncListUsers;
  static void Fill(const CallTarget& target, Request& request) {
    const std::vector<std::string>& tokens = target.workload->page_tokens;
    const int64_t chosen = target.random->Below(static_cast<int64_t>(tokens.size()));
    request.set_page_token(tokens[static_cast<size_t>(chosen)]);
    request.set_page_size(target.workload->options.page_size);
    request.set_filter(target.workload->options.filter);
  }
  // A page in the middle may be short where a filter left something out.
  static std::string_view Compare(const Request& request, const Response& response) {
    const bool may_be_short = response.next_page_token().empty() || !request.filter().empty();
    if (response.users_size() < request.page_size() && !may_be_short) return "a short page";
    if (response.users_size() > request.page_size()) return "too long a page";
    for (int i = 1; i < response.users_size(); ++i) {
      if (response.users(i - 1).user_id() >= response.users(i).user_id())
        return "users out of order";
    }
    return "";
  }
  static int64_t Rows(const Response& response) { return response.users_size(); }
};

struct CountOperation {
  using Request = users::v1::CountUsersRequest;
  using Response = users::v1::CountUsersResponse;
  static constexpr auto kPrepare = &UserService::Stub::PrepareAsyncCountUsers;
  static void Fill(const CallTarget& target, Request& request) {
    request.set_filter(target.workload->options.filter);
  }
  static std::string_view Compare(const Request& /*request*/, const Response& /*response*/) {
    return "";
  }
  static int64_t Rows(const Response& response) { return response.count(); }
};

struct CreateOperation {
  using Request = users::v1::CreateUserRequest;
  using Response = users::v1::User;
  static constexpr auto kPrepare = &UserService::Stub::PrepareAsyncCreateUser;
  static void Fill(const CallTarget& target, Request& request) {
    MakeUpUser(target, *request.mutable_user());
  }
  static std::string_view Compare(const Request& request, const Response& user) {
    return user.email() == request.user().email() && user.user_id() > 0 ? "" : "another user";
  }
  static int64_t Rows(const Response& /*user*/) { return 1; }
};

struct UpdateOperation {
  using Request = users::v1::UpdateUserRequest;
  using Response = users::v1::User;
  static constexpr auto kPrepare = &UserService::Stub::PrepareAsyncUpdateUser;
  static void Fill(const CallTarget& target, Request& request) {
    request.mutable_user()->set_user_id(RandomUserId(target));
    request.mutable_user()->set_name(absl::StrCat("Renamed ", target.random->Below(1'000'000)));
    if (request.update_mask().paths_size() == 0) request.mutable_update_mask()->add_paths("name");
  }
  static std::string_view Compare(const Request& request, const Response& user) {
    if (user.user_id() != request.user().user_id()) return "another user";
    return user.name() == request.user().name() ? "" : "another name";
  }
  static int64_t Rows(const Response& /*user*/) { return 1; }
};

template <class Operation>
class UnaryBenchCall final : public BenchCall {
 public:
  void Start(const CallTarget& target) override {
    Operation::Fill(target, request_);
    reader_.reset();  // before its context, whose memory it is in
    reader_ = (target.stub->*Operation::kPrepare)(NewContext(target), request_, target.queue);
    reader_->StartCall();
    reader_->Finish(&response_, &status_, tag(0));
  }

  bool Proceed(int /*tag*/, bool /*ok*/) override {
    if (status_.ok()) {
      wrong_ = Operation::Compare(request_, response_);
      rows_ = Operation::Rows(response_);
    }
    return true;
  }

 private:
  typename Operation::Request request_;
  typename Operation::Response response_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<typename Operation::Response>> reader_;
};

}  // namespace

int64_t MonotonicNs() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

gpr_timespec ToTimespec(int64_t monotonic_ns) {
  gpr_timespec time = {};
  time.tv_sec = monotonic_ns / kNsPerSecond;
  time.tv_nsec = static_cast<int32_t>(monotonic_ns % kNsPerSecond);
  time.clock_type = GPR_CLOCK_MONOTONIC;
  return time;
}

std::string BenchCall::error() const {
  if (!status_.ok()) {
    const absl::Status status = StatusFromGrpc(status_);
    const std::string reason = ReasonOf(status);
    const std::string code = absl::StatusCodeToString(status.code());
    return reason.empty() ? code : absl::StrCat(code, " / ", reason);
  }
  return wrong_.empty() ? "" : absl::StrCat("wrong answer: ", std::string(wrong_));
}

grpc::ClientContext* BenchCall::NewContext(const CallTarget& target) {
  context_.emplace();
  if (target.deadline_ns.has_value()) context_->set_deadline(ToTimespec(*target.deadline_ns));
  wrong_ = {};
  rows_ = 0;
  return &*context_;
}

void MakeUpUser(const CallTarget& target, users::v1::User& user) {
  const uint64_t number = (*target.emails)++;
  user.set_name("Bench User");
  user.set_email(
      absl::StrCat(absl::Hex(Scramble(target.workload->email_seed ^ number)), "@bench.example"));
  user.set_age(static_cast<int32_t>(number % 101));
}

std::unique_ptr<BenchCall> NewBenchCall(BenchOperation operation) {
  switch (operation) {
    case BenchOperation::kGet:
      return std::make_unique<UnaryBenchCall<GetOperation>>();
    case BenchOperation::kLookup:
      return std::make_unique<UnaryBenchCall<LookupOperation>>();
    case BenchOperation::kBatchGet:
      return std::make_unique<UnaryBenchCall<BatchGetOperation>>();
    case BenchOperation::kList:
      return std::make_unique<UnaryBenchCall<ListOperation>>();
    case BenchOperation::kCount:
      return std::make_unique<UnaryBenchCall<CountOperation>>();
    case BenchOperation::kCreate:
      return std::make_unique<UnaryBenchCall<CreateOperation>>();
    case BenchOperation::kUpdate:
      return std::make_unique<UnaryBenchCall<UpdateOperation>>();
    case BenchOperation::kExport:
      return NewExportCall();
    case BenchOperation::kImport:
      return NewImportCall();
  }
  return nullptr;
}

}  // namespace userservice::cli
