// userctl get, userctl lookup.
#include <memory>

#include "client/cli/command.h"
#include "client/cli/single_user.h"

namespace userservice::cli {

void AddGetCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand("get", "Shows one user, by number");
  const auto user_id = std::make_shared<int64_t>(0);
  command->add_option("ID", *user_id, "The user's number")
      ->required()
      ->check(Decimal())
      ->type_name("");
  command->footer("Example:\n  userctl get 1");
  command->callback([&chosen, user_id] {
    chosen = [user_id](const Globals& globals, const std::stop_token& stop) {
      const Rpcs rpcs = [&](UserClient& client) {
        return PrintUserOf(client.GetUser(*user_id), globals.output);
      };
      return RunRpcs(globals, stop, rpcs);
    };
  });
}

void AddLookupCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand("lookup", "Shows one user, by e-mail address");
  const auto email = std::make_shared<std::string>();
  command->add_option("EMAIL", *email, "The user's e-mail address, in any case")
      ->required()
      ->type_name("");
  command->footer("Example:\n  userctl lookup alice@example.com");
  command->callback([&chosen, email] {
    chosen = [email](const Globals& globals, const std::stop_token& stop) {
      users::v1::LookupUserRequest request;
      request.set_email(*email);
      const Rpcs rpcs = [&](UserClient& client) {
        return PrintUserOf(client.LookupUser(request), globals.output);
      };
      return RunRpcs(globals, stop, rpcs);
    };
  });
}

}  // namespace userservice::cli
