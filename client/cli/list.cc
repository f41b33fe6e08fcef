// userctl list.
#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>

#include "absl/strings/numbers.h"
#include "client/cli/command.h"

namespace userservice::cli {
namespace {

using users::v1::ListUsersRequest;
using users::v1::ListUsersResponse;

constexpr int kPageSizeMax = 1000;

struct ListArguments {
  std::string filter;
  std::string order_by;
  int64_t limit = 50;
  bool all = false;
  int page_size = kPageSizeMax;
  std::string page_token;
};

std::string CheckPositive(const std::string& number) {
  int64_t value = 0;
  return absl::SimpleAtoi(number, &value) && value > 0 ? "" : "must be 1 or more";
}

// Follows the pages until `limit` users were seen. A page may be short, or empty, and not be the
// last.
Task<absl::Status> List(UserClient& client, ListArguments arguments, OutputFormat format) {
  UserRows rows(std::cout, format);
  ListUsersResponse merged;  // for JSON: one document
  ListUsersRequest request;
  request.set_filter(arguments.filter);
  request.set_order_by(arguments.order_by);
  request.set_page_token(arguments.page_token);
  for (int64_t left = arguments.all ? std::numeric_limits<int64_t>::max() : arguments.limit;
       left > 0;) {
    request.set_page_size(static_cast<int32_t>(std::min<int64_t>(arguments.page_size, left)));
    absl::StatusOr<ListUsersResponse> page = co_await client.ListUsers(request);
    if (!page.ok()) co_return page.status();
    left -= page->users_size();
    request.set_page_token(page->next_page_token());
    if (format == OutputFormat::kJson) {
      merged.MergeFrom(*page);
      merged.set_next_page_token(page->next_page_token());
    } else {
      for (const users::v1::User& user : page->users()) rows.Add(user);
      rows.Flush();
    }
    if (page->next_page_token().empty() || !std::cout.good()) break;
  }
  if (format == OutputFormat::kJson) std::cout << ToJson(merged, /*indented=*/true);
  if (format == OutputFormat::kTable) {
    std::cout << UserCount(rows.count());
    std::cout << (request.page_token().empty() ? "\n"
                                               : "; there are more: --all, or a larger --limit\n");
  }
  co_return absl::OkStatus();
}

}  // namespace

void AddListCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command =
      app.add_subcommand("list", "Lists the users that match a filter, page after page");
  const auto arguments = std::make_shared<ListArguments>();
  command->add_option("--filter", arguments->filter, "Which users (AIP-160); all if not given");
  command->add_option("--order-by", arguments->order_by,
                      "The order, like 'age desc, name'; by number if not given");
  CLI::Option* const limit =
      command->add_option("--limit", arguments->limit, "At most so many users")
          ->check(Decimal())
          ->check(CLI::Validator(CheckPositive, ""))
          ->type_name("N")
          ->capture_default_str();
  command->add_flag("--all", arguments->all, "Every user, however many")->excludes(limit);
  command->add_option("--page-size", arguments->page_size, "Users in one RPC, at most 1000")
      ->check(Decimal())
      ->check(CLI::Range(1, kPageSizeMax).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--page-token", arguments->page_token, "Go on where an earlier list ended")
      ->type_name("TOKEN");
  command->footer("Example:\n  userctl list --filter 'age > 25' --order-by 'age desc' --limit 10");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      const Rpcs rpcs = [&](UserClient& client) {
        return List(client, *arguments, globals.output);
      };
      return RunRpcs(globals, stop, rpcs);
    };
  });
}

}  // namespace userservice::cli
