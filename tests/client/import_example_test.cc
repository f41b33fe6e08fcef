// The usage that import_stream.h shows, compiled and run.
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "async/block_on.h"
#include "client/user_client.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_import_server.h"

namespace userservice {
namespace example {

using users::v1::ImportUsersRequest;

// Stores every chunk of `chunks`; gives how many users were stored.
Task<absl::StatusOr<int64_t>> Import(UserClient& client,
                                     const std::vector<ImportUsersRequest>& chunks) {
  int64_t created = 0;
  ImportStream import = client.ImportUsers();
  for (const ImportUsersRequest& chunk : chunks) {
    const auto earlier = co_await import.Write(chunk);
    if (!earlier.ok()) co_return earlier.status();
    if (earlier->has_value()) created += (*earlier)->created_count();
  }
  for (;;) {
    const auto outcome = co_await import.Next();
    if (!outcome.ok()) co_return outcome.status();
    if (!outcome->has_value()) break;  // the end: every chunk is durable
    created += (*outcome)->created_count();
  }
  co_return created;
}

}  // namespace example

namespace {

using users::v1::ImportUsersRequest;

std::string FileText(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(absl::StrCat(SOURCE_DIR, "/", path)).rdbuf();
  return text.str();
}

TEST(ImportExample, IsTheOneThatTheHeaderShows) {
  const std::string source = FileText("tests/client/import_example_test.cc");
  const size_t begin = source.find("// Stores every chunk");
  const std::string code = source.substr(begin, source.find("\n}\n", begin) + 2 - begin);
  ASSERT_TRUE(absl::StrContains(code, "co_return created;"));
  const std::string comment =
      absl::StrCat("//   ", absl::StrReplaceAll(code, {{"\n", "\n//   "}}), "\n");
  EXPECT_TRUE(absl::StrContains(FileText("client/import_stream.h"), comment)) << comment;
}

TEST(ImportExample, StoresEveryChunk) {
  testing::FakeImportServer server;
  const auto client = UserClient::Connect(server.address());
  std::vector<ImportUsersRequest> chunks(5);
  for (ImportUsersRequest& chunk : chunks) chunk.add_users();
  EXPECT_EQ(*BlockOn(example::Import(*client, chunks)), 5);
}

}  // namespace
}  // namespace userservice
