#include <iostream>

#include "async/block_on.h"
#include "async/gather.h"
#include "client/user_client.h"

using namespace userservice;

Task<absl::Status> ShowTwo(UserClient& client) {
  // Both RPCs are in flight at once; if one fails, the other is cancelled.
  auto both = co_await Gather(client.GetUser(1), client.GetUser(2));
  if (!both.ok()) co_return both.status();
  const auto& [first, second] = *both;
  std::cout << first.name() << " and " << second.name() << "\n";
  co_return absl::OkStatus();
}

int main(int argc, char** argv) {
  auto client = UserClient::Connect(argc > 1 ? argv[1] : "127.0.0.1:50051");
  const absl::Status status = BlockOn(ShowTwo(*client));
  if (!status.ok()) std::cerr << status << " " << ReasonOf(status) << "\n";
  return status.ok() ? 0 : 1;
}
