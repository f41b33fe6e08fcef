#include "client/cli/bench/workload.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/status.h"
#include "grpcpp/client_context.h"

namespace userservice::cli {
namespace {

using users::v1::UserService;

constexpr int kPageSizeLimit = 1000;
constexpr int64_t kEmails = 1000;
constexpr size_t kUserIdsMax = 100'000;

class BlockingCalls {
 public:
  BlockingCalls(UserService::Stub& stub, absl::Duration timeout) : stub_(stub), timeout_(timeout) {}

  template <class Request, class Response>
  absl::Status Call(grpc::Status (UserService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    return StatusFromGrpc((stub_.*method)(&context, request, response));
  }

 private:
  UserService::Stub& stub_;
  const absl::Duration timeout_;
};

absl::Status CountAllUsers(BlockingCalls& calls, int64_t& users) {
  users::v1::CountUsersResponse response;
  absl::Status status =
      calls.Call(&UserService::Stub::CountUsers, users::v1::CountUsersRequest(), &response);
  users = response.count();
  return status;
}

absl::Status FindLastUserId(BlockingCalls& calls, int64_t& user_id) {
  users::v1::ListUsersRequest request;
  request.set_order_by("user_id desc");
  request.set_page_size(1);
  users::v1::ListUsersResponse response;
  absl::Status status = calls.Call(&UserService::Stub::ListUsers, request, &response);
  if (response.users_size() > 0) user_id = response.users(0).user_id();
  return status;
}

absl::Status ListUserIds(BlockingCalls& calls, std::vector<int64_t>& user_ids) {
  users::v1::ListUsersRequest request;
  request.set_page_size(kPageSizeLimit);
  do {
    users::v1::ListUsersResponse response;
    absl::Status status = calls.Call(&UserService::Stub::ListUsers, request, &response);
    if (!status.ok()) return status;
    for (const users::v1::User& user : response.users()) user_ids.push_back(user.user_id());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && user_ids.size() < kUserIdsMax);
  return absl::OkStatus();
}

// Where nobody was ever deleted they are 1 to their number. Else they are listed, 100,000 at most.
absl::Status FindUsers(BlockingCalls& calls, Workload& workload) {
  int64_t& users = workload.options.users;
  int64_t last_user_id = 0;
  absl::Status status = CountAllUsers(calls, users);
  if (status.ok()) status = FindLastUserId(calls, last_user_id);
  if (status.ok() && users != last_user_id) {
    status = ListUserIds(calls, workload.user_ids);
    users = static_cast<int64_t>(workload.user_ids.size());
  }
  if (status.ok() && users == 0)
    return absl::FailedPreconditionError("the server has no users to ask for");
  return status;
}

absl::Status FindEmails(BlockingCalls& calls, Workload& workload) {
  users::v1::BatchGetUsersRequest request;
  const int64_t users = workload.options.users;
  const int64_t count = std::min(kEmails, users);
  for (int64_t i = 0; i < count; ++i) request.add_user_ids(workload.UserIdAt(i * users / count));
  users::v1::BatchGetUsersResponse response;
  absl::Status status = calls.Call(&UserService::Stub::BatchGetUsers, request, &response);
  for (const users::v1::User& user : response.users()) workload.emails.push_back(user.email());
  return status;
}

// Walks to the first page with the largest steps, since a token does not depend on the page size,
// and then page by page to the last one, or to the end of the list.
absl::Status FindPages(BlockingCalls& calls, Workload& workload) {
  const WorkloadOptions& options = workload.options;
  int64_t rows_before = (options.first_page - 1) * options.page_size;
  int64_t pages = options.last_page - options.first_page + 1;
  users::v1::ListUsersRequest request;
  request.set_filter(options.filter);
  for (;;) {
    if (rows_before == 0) {
      workload.page_tokens.push_back(request.page_token());
      if (--pages == 0) return absl::OkStatus();
    }
    const int64_t step =
        rows_before == 0 ? options.page_size : std::min<int64_t>(rows_before, kPageSizeLimit);
    request.set_page_size(static_cast<int>(step));
    users::v1::ListUsersResponse response;
    absl::Status status = calls.Call(&UserService::Stub::ListUsers, request, &response);
    if (!status.ok()) return status;
    rows_before = std::max<int64_t>(0, rows_before - step);
    if (response.next_page_token().empty()) break;
    request.set_page_token(response.next_page_token());
  }
  if (!workload.page_tokens.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the list has no page ", options.first_page, " of ", options.page_size));
}

bool NamesUsers(const Mix& mix) {
  return mix.Has(BenchOperation::kGet) || mix.Has(BenchOperation::kBatchGet) ||
         mix.Has(BenchOperation::kUpdate) || mix.Has(BenchOperation::kLookup);
}

}  // namespace

absl::StatusOr<Workload> PrepareWorkload(UserService::Stub& stub, const Mix& mix,
                                         const WorkloadOptions& options, absl::Duration timeout) {
  Workload workload(options);
  std::random_device device;
  workload.email_seed = (uint64_t{device()} << 32U) | device();
  BlockingCalls calls(stub, timeout);
  if (NamesUsers(mix) && options.users == 0) {
    if (absl::Status status = FindUsers(calls, workload); !status.ok()) return status;
  }
  if (mix.Has(BenchOperation::kLookup)) {
    if (absl::Status status = FindEmails(calls, workload); !status.ok()) return status;
  }
  if (mix.Has(BenchOperation::kList)) {
    if (absl::Status status = FindPages(calls, workload); !status.ok()) return status;
  }
  return workload;
}

}  // namespace userservice::cli
