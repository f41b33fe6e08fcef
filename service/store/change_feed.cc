#include "service/store/change_feed.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "service/sqlite/query_limits.h"
#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

// Shorter ones are put together: each costs the thread a wake-up.
constexpr absl::Duration kRestMin = absl::Milliseconds(1);

// A round, so that ticks and what is new come in time.
constexpr absl::Duration kRoundMax = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<ChangeFeed>> ChangeFeed::Open(const std::string& path,
                                                             Broadcast& committed, LogGate& gate,
                                                             const ChangeFeedOptions& options) {
  const sqlite::ConnectionOptions read_only(path, sqlite::OpenMode::kReadOnly);
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
      sqlite::Connection::Open(read_only);
  if (!connection.ok()) return StorageError(connection.status());
  return std::unique_ptr<ChangeFeed>(
      new ChangeFeed(*std::move(connection), committed, gate, options));
}

ChangeFeed::ChangeFeed(std::unique_ptr<sqlite::Connection> connection, Broadcast& committed,
                       LogGate& gate, const ChangeFeedOptions& options)
    : connection_(std::move(connection)),
      committed_(committed),
      gate_(gate),
      options_(options),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "feed");
}

ChangeFeed::~ChangeFeed() {
  {
    const MutexLock lock(&mutex_);
    closed_ = true;
  }
  stop_source_.request_stop();
  thread_.join();
}

Broadcast& ChangeFeed::Add() {
  const MutexLock lock(&mutex_);
  if (stats_.followers++ == 0) StartOver();
  return news_[followers_ever_++ % news_.size()];
}

void ChangeFeed::Remove() {
  const MutexLock lock(&mutex_);
  if (--stats_.followers == 0) StartOver();
}

ChangeFeed::View ChangeFeed::Look(int64_t revision) const {
  const MutexLock lock(&mutex_);
  View view;
  view.newest = newest_;
  view.ticks = ticks_;
  const auto next =
      std::lower_bound(ring_.begin(), ring_.end(), revision,
                       [](const Message& message, int64_t after) { return message.after < after; });
  if (next != ring_.end() && next->after == revision) {
    view.message = next->bytes;
    view.message_revision = next->revision;
  }
  return view;
}

void ChangeFeed::CountOwnRead() {
  const MutexLock lock(&mutex_);
  ++stats_.own_reads;
}

ChangeFeed::Stats ChangeFeed::stats() const {
  const MutexLock lock(&mutex_);
  return stats_;
}

void ChangeFeed::Run() {
  absl::Time next_tick = absl::Now() + options_.progress_interval;
  while (AwaitFollower()) {
    const int64_t newest = Look(0).newest;
    const bool is_new = committed_.BlockUntil(newest + 1, next_tick, stop_);
    const size_t bytes = is_new && is_followed() ? ReadAfter(newest) : 0;
    if (absl::Now() >= next_tick) {
      Tick();
      next_tick = absl::Now() + options_.progress_interval;
    }
    Tell(bytes);
  }
}

// Calls of other kinds, and the writes that go on, find room between one part of the followers and
// the next.
void ChangeFeed::Tell(size_t bytes) {
  const auto kib = static_cast<int64_t>(bytes / 1024);
  const absl::Duration each = options_.rest_per_follower + kib * options_.rest_per_kib;
  const auto followers = static_cast<int64_t>(stats().followers);
  const absl::Duration round = std::min(followers * each, kRoundMax);
  absl::Duration rest;
  for (Broadcast& news : news_) {
    news.Publish(news.value() + 1);
    rest += round / static_cast<int64_t>(news_.size());
    if (rest >= kRestMin) Rest(std::exchange(rest, absl::ZeroDuration()));
  }
}

void ChangeFeed::Rest(absl::Duration duration) {
  const auto is_closed = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return closed_; };
  const MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(Condition(&is_closed), duration);
}

// False: the feed ends.
bool ChangeFeed::AwaitFollower() {
  const auto has_follower = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || stats_.followers > 0;
  };
  const MutexLock lock(&mutex_, Condition(&has_follower));
  return !closed_;
}

bool ChangeFeed::is_followed() const {
  const MutexLock lock(&mutex_);
  return !closed_ && stats_.followers > 0;
}

// Of a message that all can be told of within a round.
size_t ChangeFeed::RoundBytesMax() const {
  const auto followers = static_cast<int64_t>(std::max<size_t>(stats().followers, 1));
  const int64_t kib = kRoundMax / followers / options_.rest_per_kib;
  return static_cast<size_t>(std::clamp<int64_t>(kib, 1, 1024)) * 1024;
}

absl::StatusOr<ChangePage> ChangeFeed::ReadPage(int64_t after) {
  // What is committed, and no more: a read may see what is durable and not announced yet.
  ChangeQuery query;
  query.up_to_revision = committed_.value();
  query.page_bytes = std::min(query.page_bytes, RoundBytesMax());
  const LogGate::Scan scan(&gate_);
  return ReadChanges(*connection_, sqlite::QueryLimits(absl::InfiniteFuture(), &stop_),
                     ChangePosition::AfterRevision(after), query);
}

size_t ChangeFeed::ReadAfter(int64_t after) {
  absl::StatusOr<ChangePage> page = ReadPage(after);
  Message message;
  if (page.ok()) {
    page->message.set_synced(true);
    message.after = after;
    message.revision = page->next.revision;
    message.bytes = std::make_shared<const std::string>(page->message.SerializeAsString());
  }
  const MutexLock lock(&mutex_);
  ++stats_.table_reads;
  if (newest_ != after) return 0;  // meanwhile it started over, for others than it was read for
  if (!page.ok()) {
    StartOver();
    return 0;
  }
  const size_t bytes = message.bytes->size();
  ++stats_.messages;
  newest_ = message.revision;
  message.tick = ticks_;
  stats_.ring_bytes += bytes;
  ring_.push_back(std::move(message));
  while (ring_.size() > 1 && stats_.ring_bytes > options_.ring_bytes_max) DropOldest();
  return bytes;
}

void ChangeFeed::Tick() {
  const MutexLock lock(&mutex_);
  while (!ring_.empty() && ring_.front().tick < ticks_) DropOldest();
  ++ticks_;
}

void ChangeFeed::DropOldest() {
  stats_.ring_bytes -= ring_.front().bytes->size();
  ring_.pop_front();
}

void ChangeFeed::StartOver() {
  while (!ring_.empty()) DropOldest();
  newest_ = std::max(newest_, committed_.value());
}

}  // namespace userservice::store
