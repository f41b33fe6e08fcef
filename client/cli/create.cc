// userctl create.
#include <memory>
#include <optional>

#include "client/cli/command.h"
#include "client/cli/single_user.h"

namespace userservice::cli {
namespace {

struct CreateArguments {
  std::string name;
  std::string email;
  std::optional<int32_t> age;
  std::string request_id;
  bool validate_only = false;
};

int RunCreate(const CreateArguments& arguments, const Globals& globals,
              const std::stop_token& stop) {
  users::v1::CreateUserRequest request;
  request.mutable_user()->set_name(arguments.name);
  request.mutable_user()->set_email(arguments.email);
  if (arguments.age.has_value()) request.mutable_user()->set_age(*arguments.age);
  request.set_request_id(arguments.request_id.empty() ? NewRequestId() : arguments.request_id);
  request.set_validate_only(arguments.validate_only);
  const Rpcs rpcs = [&](UserClient& client) {
    return PrintUserOf(client.CreateUser(request), globals.output);
  };
  return RunRpcs(globals, stop, rpcs, request.request_id());
}

}  // namespace

void AddCreateCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand("create", "Stores a new user and shows it");
  const auto arguments = std::make_shared<CreateArguments>();
  command->add_option("--name", arguments->name, "The person's name, 1 to 100 characters")
      ->required();
  command->add_option("--email", arguments->email, "The e-mail address, which no other user has")
      ->required();
  command->add_option("--age", arguments->age, "The age in years, 0 to 150")
      ->type_name("YEARS")
      ->check(Decimal());
  command
      ->add_option("--request-id", arguments->request_id,
                   "Repeats an earlier create safely; a new one if not given")
      ->type_name("UUID4");
  command->add_flag("--validate-only", arguments->validate_only, "Check everything, store nothing");
  command->footer(
      "Example:\n  userctl create --name 'Ada Lovelace' --email ada@example.com --age 36");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunCreate(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
