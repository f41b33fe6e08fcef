// userctl update.
#include <memory>
#include <optional>

#include "client/cli/command.h"
#include "client/cli/single_user.h"

namespace userservice::cli {
namespace {

struct UpdateArguments {
  int64_t user_id = 0;
  std::optional<std::string> name;
  std::optional<std::string> email;
  std::optional<int32_t> age;
  bool clear_age = false;
  std::string etag;
  std::string request_id;
  bool validate_only = false;
};

int RunUpdate(const UpdateArguments& arguments, const Globals& globals,
              const std::stop_token& stop) {
  users::v1::UpdateUserRequest request;
  users::v1::User& user = *request.mutable_user();
  google::protobuf::FieldMask& mask = *request.mutable_update_mask();
  user.set_user_id(arguments.user_id);
  user.set_etag(arguments.etag);
  if (arguments.name.has_value()) {
    user.set_name(*arguments.name);
    mask.add_paths("name");
  }
  if (arguments.email.has_value()) {
    user.set_email(*arguments.email);
    mask.add_paths("email");
  }
  if (arguments.age.has_value()) user.set_age(*arguments.age);
  if (arguments.age.has_value() || arguments.clear_age) mask.add_paths("age");
  request.set_request_id(arguments.request_id.empty() ? NewRequestId() : arguments.request_id);
  request.set_validate_only(arguments.validate_only);
  const Rpcs rpcs = [&](UserClient& client) {
    return PrintUserOf(client.UpdateUser(request), globals.output);
  };
  return RunRpcs(globals, stop, rpcs, request.request_id());
}

}  // namespace

void AddUpdateCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command =
      app.add_subcommand("update", "Changes the fields that are given, and shows the user");
  const auto arguments = std::make_shared<UpdateArguments>();
  command->add_option("ID", arguments->user_id, "The user's number")
      ->required()
      ->check(Decimal())
      ->type_name("");
  command->add_option("--name", arguments->name, "A new name");
  command->add_option("--email", arguments->email, "A new e-mail address");
  CLI::Option* const age = command->add_option("--age", arguments->age, "A new age in years")
                               ->type_name("YEARS")
                               ->check(Decimal());
  command->add_flag("--clear-age", arguments->clear_age, "Make the age unknown")->excludes(age);
  command->add_option("--etag", arguments->etag, "Change the user only if it still has this etag");
  command
      ->add_option("--request-id", arguments->request_id,
                   "Repeats an earlier update safely; a new one if not given")
      ->type_name("UUID4");
  command->add_flag("--validate-only", arguments->validate_only, "Check everything, store nothing");
  command->footer("Example:\n  userctl update 1 --email ada@example.org --clear-age");
  command->callback([&chosen, arguments] {
    if (!arguments->name && !arguments->email && !arguments->age && !arguments->clear_age) {
      throw CLI::ValidationError("update",
                                 "nothing to change: give --name, --email, --age or --clear-age");
    }
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunUpdate(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
