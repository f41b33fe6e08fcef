#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "service/errors/errors.h"
#include "service/handlers/handlers.h"
#include "service/handlers/request.h"
#include "service/handlers/user_values.h"
#include "service/rpc/status.h"

namespace userservice::handlers {
namespace {

using users::v1::ImportUsersRequest;
using users::v1::ImportUsersResponse;

// The users of a chunk that can be stored, as far as their values tell.
struct Checked {
  Checked() = default;
  std::vector<User> users;
  std::vector<int> places;  // of `users` in the chunk
};

void AddFailure(int index, const absl::Status& status, rpc::Call& call,
                ImportUsersResponse& response) {
  ImportUsersResponse::Failure* const failure = response.add_failures();
  failure->set_index(index);
  *failure->mutable_status() = rpc::ToProtoStatus(status, call.id());
}

Checked CheckUsers(const ImportUsersRequest& chunk, rpc::Call& call,
                   ImportUsersResponse& response) {
  Checked checked;
  for (int i = 0; i < chunk.users_size(); ++i) {
    UserValues values;
    User user = NewUserOf(chunk.users(i), "", values);
    const absl::Status valid = values.status();
    if (!valid.ok()) {
      AddFailure(i, valid, call, response);
      continue;
    }
    checked.users.push_back(std::move(user));
    checked.places.push_back(i);
  }
  return checked;
}

// The options of the chunk's write. What a repeat must have in common with the first is everything
// but the place in its stream; and which users are valid, by whatever rules this version has, since
// the outcome is kept by their places among these.
absl::StatusOr<store::WriteOptions> OptionsOf(const ImportUsersRequest& chunk,
                                              const ImportUsersResponse& invalid,
                                              const store::UserStore& store) {
  const auto payload = [&] {
    ImportUsersRequest repeated;
    for (const User& sent : chunk.users()) {
      User* const user = repeated.add_users();
      user->set_name(sent.name());
      user->set_email(sent.email());
      if (sent.has_age()) user->set_age(sent.age());
    }
    for (const auto& failure : invalid.failures())
      repeated.mutable_users(failure.index())
          ->set_etag("invalid");  // nothing that a client can set
    return repeated.SerializeAsString();
  };
  return WriteOptionsOf("ImportUsers", chunk.request_id(), /*validate_only=*/false, payload, store);
}

Task<absl::StatusOr<ImportUsersResponse>> ImportChunk(rpc::Call& call,
                                                      const ImportUsersRequest& chunk,
                                                      store::UserStore& store) {
  if (chunk.users_size() > kBatchMax) {
    co_return errors::BatchTooLarge("users", static_cast<size_t>(chunk.users_size()), kBatchMax);
  }
  ImportUsersResponse response;
  response.set_sequence(chunk.sequence());
  const Checked checked = CheckUsers(chunk, call, response);
  const absl::StatusOr<store::WriteOptions> options = OptionsOf(chunk, response, store);
  if (!options.ok()) co_return options.status();
  // Without timing: a stream's chunks have no number, and its trailer little room.
  const store::CallContext context(call.deadline(), nullptr);
  const absl::StatusOr<store::UserImport> import =
      co_await store.ImportUsers(context, checked.users, *options);
  if (!import.ok()) co_return import.status();
  for (const int taken : import->taken) {
    const auto at = static_cast<size_t>(taken);
    AddFailure(checked.places[at], errors::EmailTaken(checked.users[at].email()), call, response);
  }
  std::sort(response.mutable_failures()->begin(), response.mutable_failures()->end(),
            [](const auto& a, const auto& b) { return a.index() < b.index(); });
  response.set_created_count(chunk.users_size() - response.failures_size());
  response.set_revision(import->revision);
  co_return response;
}

}  // namespace

// One chunk after another: while one is committed, the next ones wait in gRPC's flow-controlled
// buffer, and then with the client.
Task<absl::Status> ImportUsers(rpc::Call& call,
                               rpc::BidiStream<ImportUsersRequest, ImportUsersResponse>& stream,
                               store::UserStore& store) {
  for (int64_t last_sequence = std::numeric_limits<int64_t>::min();;) {
    ImportUsersRequest chunk;  // of this turn alone: an idle stream keeps none
    const rpc::ReadResult read = co_await stream.Read(chunk);
    if (read == rpc::ReadResult::kEnd) co_return absl::OkStatus();
    if (read == rpc::ReadResult::kBad) co_return errors::MessageUnreadable();
    if (read == rpc::ReadResult::kDraining) co_return errors::ShuttingDown();
    if (chunk.sequence() <= last_sequence) {
      const std::vector<errors::FieldViolation> repeated = {
          {"sequence", "must be larger than that of the chunk before"}};
      co_return errors::FieldsInvalid(repeated);
    }
    last_sequence = chunk.sequence();
    const absl::StatusOr<ImportUsersResponse> response = co_await ImportChunk(call, chunk, store);
    if (!response.ok()) co_return response.status();
    const bool written = co_await stream.Write(*response);
    if (!written) co_return errors::CallCancelled();
  }
}

}  // namespace userservice::handlers
