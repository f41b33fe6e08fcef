// Many who watch, who come and go, who do not read: each ends with a replica that is the table, the
// table is read once for all of them, and none makes the server's memory grow.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "service/store/sqlite_user_store.h"
#include "tests/e2e/user_service_client.h"
#include "tests/support/eventually.h"
#include "tests/support/local_app.h"
#include "tests/support/replica.h"
#include "tests/support/sanitized.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

using google::protobuf::Empty;
using users::v1::User;
using users::v1::WatchUsersRequest;
using users::v1::WatchUsersResponse;

int64_t NewestRevision(UserServiceClient& users) {
  users::v1::CountUsersResponse response;
  EXPECT_EQ(Outcome(users.Call(&Stub::CountUsers, users::v1::CountUsersRequest(), &response)),
            "OK");
  return response.revision();
}

// Writes of every kind to the users that there are and to new ones.
class RandomWriter {
 public:
  RandomWriter(const std::string& address, unsigned seed)
      : users_(OwnConnection(address)), seed_(seed), random_(seed) {}

  void WriteOnce() {
    switch (random_() % 8) {
      case 0:
      case 1:
        return (void)Try<users::v1::CreateUserRequest, User>(&Stub::CreateUser, NewUser());
      case 2:
      case 3:
        return (void)Try<users::v1::UpdateUserRequest, User>(&Stub::UpdateUser, Change());
      case 4:
        return (void)Try<users::v1::DeleteUserRequest, Empty>(&Stub::DeleteUser, Removal());
      case 5:
        return Batch(&users::v1::BatchCreateUsersRequest::add_requests, &RandomWriter::NewUser,
                     &Stub::BatchCreateUsers);
      case 6:
        return Batch(&users::v1::BatchUpdateUsersRequest::add_requests, &RandomWriter::Change,
                     &Stub::BatchUpdateUsers);
      default:
        return Batch(&users::v1::BatchDeleteUsersRequest::add_requests, &RandomWriter::Removal,
                     &Stub::BatchDeleteUsers);
    }
  }

 private:
  template <class Req, class Resp>
  grpc::Status Try(grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Resp*),
                   const Req& request) {
    return users_.Try<Req, Resp>(method, request);
  }
  template <class Item, class Req, class Resp>
  void Batch(Item* (Req::*add)(), Item (RandomWriter::*make)(),
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Resp*)) {
    Req request;
    for (unsigned i = random_() % 50 + 1; i > 0; --i) *(request.*add)() = (this->*make)();
    (void)Try<Req, Resp>(method, request);
  }

  int64_t SomeId() { return static_cast<int64_t>(random_() % 2000 + 1); }
  users::v1::CreateUserRequest NewUser() {
    users::v1::CreateUserRequest request;
    request.mutable_user()->set_name("New");
    request.mutable_user()->set_email(absl::StrCat("new-", seed_, "-", ++made_, "@example.com"));
    request.mutable_user()->set_age(static_cast<int32_t>(random_() % 100));
    return request;
  }
  users::v1::UpdateUserRequest Change() {
    users::v1::UpdateUserRequest request;
    request.mutable_user()->set_user_id(SomeId());
    request.mutable_user()->set_age(static_cast<int32_t>(random_() % 100));
    return request;
  }
  users::v1::DeleteUserRequest Removal() {
    users::v1::DeleteUserRequest request;
    request.set_user_id(SomeId());
    request.set_allow_missing(true);
    return request;
  }

  UserServiceClient users_;
  const unsigned seed_;
  std::minstd_rand random_;
  int made_ = 0;
};

// Watches, breaks off and resumes, until `newest` is known and its replica has come to it.
class RandomWatcher {
 public:
  RandomWatcher(const std::string& address, const std::string& filter, unsigned seed)
      : users_(OwnConnection(address)), filter_(filter), random_(seed) {}

  void Run(const std::atomic<int64_t>& newest) {
    const auto is_done = [&] {
      return newest.load() > 0 && replica_.synced() && replica_.revision() >= newest.load();
    };
    while (!is_done()) {
      // Without a bookmark it begins anew.
      if (replica_.revision() == 0) replica_ = Replica();
      replica_.Resume();
      WatchUsersRequest request;
      request.set_after_revision(replica_.revision());
      request.set_filter(filter_);
      grpc::ClientContext context;
      SetDeadline(context);
      const auto reader = users_.stub().WatchUsers(&context, request);
      WatchUsersResponse message;
      for (unsigned left = random_() % 30 + 1; left > 0 && !is_done(); --left) {
        if (!reader->Read(&message)) break;
        replica_.Apply(message);
      }
      context.TryCancel();
      while (reader->Read(&message)) {  // what was on its way; the replica goes without it
      }
      EXPECT_EQ(Outcome(reader->Finish()), "CANCELLED");
      ++streams_;
    }
  }

  void ExpectTable() {
    users::v1::ListUsersRequest list;
    list.set_filter(filter_);
    list.set_page_size(1000);
    EXPECT_EQ(replica_.users(), AsReplica(users_.ListAll(list))) << "filter " << filter_;
  }
  int streams() const { return streams_; }

 private:
  UserServiceClient users_;
  const std::string filter_;
  std::minstd_rand random_;
  Replica replica_;
  int streams_ = 0;
};

TEST(WatchTest, ReplicasOfThoseWhoComeAndGoAtRandomAreTheTable) {
  Config config;
  config.generate_users = 2000;
  config.watch_buffer_bytes_max = 20'000;  // little, so that many fall behind it
  config.watch_progress_ms = 10;
  const LocalApp app(config);
  constexpr int kWrites = Scaled(1500, 300);
  std::atomic<int64_t> newest = 0;
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<RandomWatcher>> watchers;
  for (unsigned i = 0; i < 6; ++i) {
    const std::string filter = i % 3 == 2 ? "age >= 50" : "";
    watchers.push_back(std::make_unique<RandomWatcher>(app.address(), filter, i + 1));
    threads.emplace_back([&newest, watcher = watchers.back().get()] { watcher->Run(newest); });
  }
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < 3; ++i) {
    writers.emplace_back([&app, i] {
      RandomWriter writer(app.address(), i + 1);
      for (int n = 0; n < kWrites / 3; ++n) writer.WriteOnce();
    });
  }
  for (std::thread& writer : writers) writer.join();
  UserServiceClient users(app.Connect());
  newest = NewestRevision(users);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(newest.load(), 2000 + kWrites / 3);
  for (const auto& watcher : watchers) {
    watcher->ExpectTable();
    EXPECT_GT(watcher->streams(), 3);
  }
  EXPECT_TRUE(app.IsIdle());
}

// Reads everything, and keeps only what it needs to check the order.
class CountingWatcher final : public grpc::ClientReadReactor<WatchUsersResponse> {
 public:
  explicit CountingWatcher(users::v1::UserService::Stub& users) {
    SetDeadline(context_, absl::Seconds(200));
    users.async()->WatchUsers(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    int64_t last = revision_;
    for (const auto& change : message_.changes()) {
      in_order_ = in_order_ && change.revision() > revision_ && change.revision() >= last;
      last = change.revision();
    }
    changes_ += message_.changes_size();
    revision_ = message_.revision();
    StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    done_.Notify();
  }

  grpc::Status End() {
    context_.TryCancel();
    done_.WaitForNotification();
    return status_;
  }
  int64_t revision() const { return revision_; }
  int64_t changes() const { return changes_; }
  bool in_order() const { return in_order_; }

 private:
  grpc::ClientContext context_;
  const WatchUsersRequest request_;
  WatchUsersResponse message_;
  std::atomic<int64_t> revision_ = -1;
  std::atomic<int64_t> changes_ = 0;
  std::atomic<bool> in_order_ = true;
  grpc::Status status_;
  Notification done_;
};

users::v1::BatchUpdateUsersRequest RenameAll(int count, int round) {
  users::v1::BatchUpdateUsersRequest request;
  for (int id = 1; id <= count; ++id) {
    User* const user = request.add_requests()->mutable_user();
    user->set_user_id(id);
    user->set_name(absl::StrCat(round, std::string(90, 'n')));
  }
  return request;
}

TEST(WatchTest, AThousandWatchersShareOneReadOfTheTable) {
  constexpr size_t kWatchers = Scaled<size_t>(1000, 100);
  constexpr int kWrites = 50;
  Config config;
  config.generate_users = 1000;
  LocalApp app(config);
  const auto& store = dynamic_cast<const store::SqliteUserStore&>(app.app().store());
  UserServiceClient users(app.Connect());
  std::vector<std::unique_ptr<CountingWatcher>> watchers;
  for (size_t i = 0; i < kWatchers; ++i)
    watchers.push_back(std::make_unique<CountingWatcher>(users.stub()));
  const auto all_have = [&](int64_t revision) {
    return Eventually(
        [&] {
          return std::all_of(watchers.begin(), watchers.end(),
                             [&](const auto& watcher) { return watcher->revision() >= revision; });
        },
        absl::Seconds(100));
  };
  ASSERT_TRUE(all_have(1000));
  EXPECT_EQ(store.open_resources().watches, kWatchers);

  const store::ChangeFeed::Stats before = store.feed().stats();
  for (int i = 0; i < kWrites; ++i) users.Create("Ann", absl::StrCat("ann", i, "@example.com"));
  users::v1::BatchUpdateUsersResponse renamed;
  ASSERT_EQ(Outcome(users.Call(&Stub::BatchUpdateUsers, RenameAll(1000, 1), &renamed)), "OK");
  ASSERT_TRUE(all_have(1000 + kWrites + 1));
  const store::ChangeFeed::Stats after = store.feed().stats();
  EXPECT_LE(after.table_reads - before.table_reads, kWrites + 1);
  EXPECT_EQ(after.table_reads - before.table_reads, after.messages - before.messages);
  EXPECT_EQ(after.own_reads, before.own_reads);

  for (const auto& watcher : watchers) {
    EXPECT_TRUE(watcher->in_order());
    EXPECT_EQ(watcher->changes(), kWrites + 1000);
    EXPECT_EQ(watcher->End().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_TRUE(app.IsIdle());
  EXPECT_EQ(store.feed().stats().ring_bytes, 0u);
}

// A connection whose streams take 64 KiB ahead of what is read, and no more.
std::shared_ptr<grpc::Channel> ConnectWithSmallWindows(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 << 10);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

TEST(WatchTest, AThousandThatDoNotReadCostLittleAndThenCatchUp) {
  constexpr size_t kWatchers = Scaled<size_t>(1000, 100);
  constexpr int kRounds = Scaled(100, 10);
  constexpr size_t kMemoryBytesMax = size_t{96} << 20;
  const TemporaryDirectory directory;
  UserdProcess userd({"--database=" + directory.File("users.db"), "--generate_users=1000"});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  UserServiceClient users(OwnConnection(userd.address()));
  const size_t memory_before = userd.memory_bytes();

  struct Watch {
    std::shared_ptr<grpc::Channel> connection;
    std::unique_ptr<users::v1::UserService::Stub> stub;
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<WatchUsersResponse>> reader;
    Replica replica;
  };
  std::vector<std::unique_ptr<Watch>> watches;
  for (size_t i = 0; i < kWatchers; ++i) {
    auto& watch = *watches.emplace_back(std::make_unique<Watch>());
    watch.connection =
        i % 100 == 0 ? ConnectWithSmallWindows(userd.address()) : watches[i - 1]->connection;
    watch.stub = users::v1::UserService::NewStub(watch.connection);
    SetDeadline(watch.context, absl::Seconds(250));
    WatchUsersRequest request;
    request.set_after_revision(0);
    watch.reader = watch.stub->WatchUsers(&watch.context, request);
    WatchUsersResponse message;
    ASSERT_TRUE(watch.reader->Read(&message));
    watch.replica.Apply(message);
  }

  // 15 MB of changes, for each.
  size_t memory_most = 0;
  for (int round = 0; round < kRounds; ++round) {
    users::v1::BatchUpdateUsersResponse renamed;
    ASSERT_EQ(Outcome(users.Call(&Stub::BatchUpdateUsers, RenameAll(1000, round), &renamed)), "OK");
    memory_most = std::max(memory_most, userd.memory_bytes());
  }
  const size_t memory_grown = memory_most - std::min(memory_most, memory_before);
  std::printf("%zu KiB more for %zu watchers\n", memory_grown / 1024, kWatchers);
  if (!kSanitized) {  // whose shadow memory is counted, too
    EXPECT_LE(memory_grown, kMemoryBytesMax);
  }

  const int64_t newest = NewestRevision(users);
  for (size_t i = 0; i < kWatchers; ++i) {
    Watch& watch = *watches[i];
    if (i % 50 == 0) {
      WatchUsersResponse message;
      while (watch.replica.revision() < newest && watch.reader->Read(&message))
        watch.replica.Apply(message);
      EXPECT_EQ(watch.replica.revision(), newest);
      EXPECT_EQ(watch.replica.users(), AsReplica(users.ListAll(users::v1::ListUsersRequest())));
    }
    watch.context.TryCancel();
  }
}

}  // namespace
}  // namespace userservice
