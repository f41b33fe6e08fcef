// ChangeFeed: reads each change of the table once, for all who watch it from the same place on.
//
//   ChangeFeed::Follower follower(feed);                // while there is one, the feed works
//   const int64_t heard = follower.news().value();
//   ChangeFeed::View view = feed.Look(revision);
//   if (view.message == nullptr) co_await follower.news().WaitFor(heard + 1);
//
// Woken by the writer's commits, a thread with a read-only connection reads what is new and encodes
// it, one message for all. The messages of late stay in a ring. One holds what came after the one
// before: (after, revision]. Who has come to its `after` shares it; who has not, since it began in
// between, fell behind the ring, or has a filter, reads the table up to newest() itself
// (change_scan.h), and shares again from there.
// Memory: the ring's bytes at most, and what was dropped from it and is still being sent. Messages
//   older than a tick go too, as users in them may have been erased since; without a follower the
//   ring is empty, and the thread rests.
// Pace: a message goes to some followers after others, over as long as rest_per_follower and
//   rest_per_kib say, and the next is read after that: of all that was committed meanwhile, up to a
//   page. So a thousand followers take a small part of the time of the thread that sends, and do
//   not hold up the writes; where these are more than they can be told of in time, they lag.
// Ticks: news for all, each progress_interval, so that an idle stream can tell how far it is.
// Errors: if a read fails the ring begins anew behind the gap. Who follows then reads the table
//   itself, and learns of the error if it lasts.
// Threads: any; the destructor from one that no follower runs on. Lifetime: `committed` and the
// gate outlive it, and it all its followers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/broadcast.h"
#include "async/mutex.h"
#include "service/sqlite/connection.h"
#include "service/store/change_scan.h"
#include "service/store/log_gate.h"
#include "service/store/user_store.h"

namespace userservice::store {

struct ChangeFeedOptions {
  ChangeFeedOptions() = default;

  size_t ring_bytes_max = 16 << 20;  // the newest message is kept whatever its size
  absl::Duration progress_interval = absl::Seconds(10);
  absl::Duration rest_per_follower = absl::Microseconds(50);  // of a message,
  absl::Duration rest_per_kib = absl::Microseconds(40);       // and of each KiB of it for each
};

class ChangeFeed {
 public:
  static absl::StatusOr<std::unique_ptr<ChangeFeed>> Open(const std::string& path,
                                                          Broadcast& committed, LogGate& gate,
                                                          const ChangeFeedOptions& options);
  ~ChangeFeed();
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  class Follower {
   public:
    explicit Follower(ChangeFeed& feed) : feed_(feed), news_(feed.Add()) {}
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;
    ~Follower() { feed_.Remove(); }

    // Grows with each message and each tick.
    Broadcast& news() { return news_; }

   private:
    ChangeFeed& feed_;
    Broadcast& news_;
  };

  // What there is for who has come to a revision.
  struct View {
    EncodedChanges message;  // the next, up to message_revision; null: not in the ring
    int64_t message_revision = 0;
    int64_t newest = 0;  // the newest revision that was read
    int64_t ticks = 0;
  };
  View Look(int64_t revision) const;

  // A follower reads a page of the table itself.
  void CountOwnRead();

  struct Stats {
    int64_t table_reads = 0;  // by the feed, for all
    int64_t own_reads = 0;    // by followers who could not share
    int64_t messages = 0;
    size_t ring_bytes = 0;
    size_t followers = 0;
  };
  Stats stats() const;

 private:
  struct Message {
    int64_t after = 0;
    int64_t revision = 0;
    int64_t tick = 0;  // when it was read
    EncodedChanges bytes;
  };

  ChangeFeed(std::unique_ptr<sqlite::Connection> connection, Broadcast& committed, LogGate& gate,
             const ChangeFeedOptions& options);

  // What is told to some of the followers at once: to one in so many.
  static constexpr size_t kNewsCount = 64;

  Broadcast& Add();
  void Remove();

  // The thread's.
  void Run();
  bool AwaitFollower();
  bool is_followed() const;
  size_t RoundBytesMax() const;
  absl::StatusOr<ChangePage> ReadPage(int64_t after);
  // The bytes of the message.
  size_t ReadAfter(int64_t after);
  void Tell(size_t bytes);
  void Rest(absl::Duration duration);
  void Tick();
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartOver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<sqlite::Connection> connection_;
  Broadcast& committed_;
  LogGate& gate_;
  const ChangeFeedOptions options_;
  std::array<Broadcast, kNewsCount> news_;
  std::stop_source stop_source_;
  const std::stop_token stop_ = stop_source_.get_token();

  mutable Mutex mutex_;
  std::deque<Message> ring_ ABSL_GUARDED_BY(mutex_);
  int64_t newest_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t ticks_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t followers_ever_ ABSL_GUARDED_BY(mutex_) = 0;
  Stats stats_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace userservice::store
