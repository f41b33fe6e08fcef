// userctl delete.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/csv.h"

namespace userservice::cli {
namespace {

using users::v1::DeleteUserRequest;

Task<absl::Status> Delete(UserClient& client, DeleteUserRequest request, OutputFormat format) {
  absl::Status status = co_await client.DeleteUser(request);
  if (!status.ok()) co_return status;
  switch (format) {
    case OutputFormat::kTable:
      std::cout << (request.validate_only() ? "could delete user " : "deleted user ")
                << request.user_id() << '\n';
      break;
    case OutputFormat::kJson:
      std::cout << "{}\n";
      break;
    case OutputFormat::kCsv:
      WriteCsvRow(std::cout, {"user_id"});
      WriteCsvRow(std::cout, {absl::StrCat(request.user_id())});
      break;
  }
  co_return status;
}

struct DeleteArguments {
  int64_t user_id = 0;
  std::string etag;
  bool allow_missing = false;
  std::string request_id;
  bool validate_only = false;
};

int RunDelete(const DeleteArguments& arguments, const Globals& globals,
              const std::stop_token& stop) {
  DeleteUserRequest request;
  request.set_user_id(arguments.user_id);
  request.set_etag(arguments.etag);
  request.set_allow_missing(arguments.allow_missing);
  request.set_request_id(arguments.request_id.empty() ? NewRequestId() : arguments.request_id);
  request.set_validate_only(arguments.validate_only);
  const Rpcs rpcs = [&](UserClient& client) { return Delete(client, request, globals.output); };
  return RunRpcs(globals, stop, rpcs, request.request_id());
}

}  // namespace

void AddDeleteCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command =
      app.add_subcommand("delete", "Deletes a user and erases its personal data");
  const auto arguments = std::make_shared<DeleteArguments>();
  command->add_option("ID", arguments->user_id, "The user's number")
      ->required()
      ->check(Decimal())
      ->type_name("");
  command->add_option("--etag", arguments->etag, "Delete the user only if it still has this etag");
  command->add_flag("--allow-missing", arguments->allow_missing,
                    "A user that does not exist is a success");
  command
      ->add_option("--request-id", arguments->request_id,
                   "Repeats an earlier delete safely; a new one if not given")
      ->type_name("UUID4");
  command->add_flag("--validate-only", arguments->validate_only,
                    "Check everything, delete nothing");
  command->footer("Example:\n  userctl delete 7 --allow-missing");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunDelete(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
