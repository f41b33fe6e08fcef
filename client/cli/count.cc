// userctl count.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/csv.h"

namespace userservice::cli {
namespace {

using users::v1::CountUsersRequest;

Task<absl::Status> Count(UserClient& client, CountUsersRequest request, OutputFormat format) {
  const auto response = co_await client.CountUsers(request);
  if (!response.ok()) co_return response.status();
  switch (format) {
    case OutputFormat::kTable:
      std::cout << UserCount(response->count()) << '\n';
      break;
    case OutputFormat::kJson:
      std::cout << ToJson(*response, /*indented=*/true);
      break;
    case OutputFormat::kCsv:
      WriteCsvRow(std::cout, {"count", "revision"});
      WriteCsvRow(std::cout, {absl::StrCat(response->count()), absl::StrCat(response->revision())});
      break;
  }
  co_return absl::OkStatus();
}

}  // namespace

void AddCountCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command =
      app.add_subcommand("count", "Counts the users that match a filter, exactly");
  const auto filter = std::make_shared<std::string>();
  command->add_option("--filter", *filter, "Which users (AIP-160); all if not given");
  command->footer("Example:\n  userctl count --filter 'age > 25 AND NOT email:\"example.com\"'");
  command->callback([&chosen, filter] {
    chosen = [filter](const Globals& globals, const std::stop_token& stop) {
      CountUsersRequest request;
      request.set_filter(*filter);
      const Rpcs rpcs = [&](UserClient& client) { return Count(client, request, globals.output); };
      return RunRpcs(globals, stop, rpcs);
    };
  });
}

}  // namespace userservice::cli
