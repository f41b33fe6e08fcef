#include "client/cli/import/lines.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace userservice::cli {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

void LineReader::Wakeup::operator()() const { eventfd_write(fd, 1); }

LineReader::LineReader(File file, std::stop_token stop)
    : file_(std::move(file)), stop_(std::move(stop)), wakeup_(eventfd(0, EFD_CLOEXEC)) {
  on_stop_.emplace(stop_, Wakeup{wakeup_});
}

LineReader::~LineReader() {
  on_stop_.reset();
  close(wakeup_);
}

absl::StatusOr<std::optional<Line>> LineReader::Next() {
  if (const absl::Status mark = SkipByteOrderMark(); !mark.ok()) return mark;
  size_t searched = 0;
  for (;;) {
    const std::optional<size_t> end = LineEnd(begin_ + searched);
    const size_t there = buffer_.size() - begin_;
    if (end.has_value() ? *end - begin_ > kRecordBytesMax : there > kRecordBytesMax)
      return CutLine();
    if (end.has_value() || at_end_) {
      Line line;
      line.text = std::string_view(buffer_).substr(begin_, end.value_or(buffer_.size()) - begin_);
      if (line.text.empty()) return std::optional<Line>();
      Consume(line.text.size());
      line.number = ++line_;
      return std::optional<Line>(line);
    }
    searched = there;
    // A CR may be the first half of a line end.
    if (there > 0 && buffer_.back() == '\r') --searched;
    if (const absl::Status filled = Fill(); !filled.ok()) return filled;
  }
}

std::optional<size_t> LineReader::LineEnd(size_t from) const {
  const size_t end = buffer_.find_first_of("\r\n", from);
  if (end == std::string::npos) return {};
  if (buffer_[end] == '\n') return end + 1;
  if (end + 1 < buffer_.size()) return buffer_[end + 1] == '\n' ? end + 2 : end + 1;
  if (at_end_) return end + 1;
  return {};
}

// Keeps the beginning of the line, and reads over the rest.
absl::StatusOr<std::optional<Line>> LineReader::CutLine() {
  cut_ = buffer_.substr(begin_, kRecordBytesMax);
  for (;;) {
    const std::optional<size_t> end = LineEnd(begin_);
    if (end.has_value() || at_end_) {
      Consume(end.value_or(buffer_.size()) - begin_);
      break;
    }
    const bool may_be_half_an_end = buffer_.size() > begin_ && buffer_.back() == '\r';
    Consume(buffer_.size() - begin_ - (may_be_half_an_end ? 1 : 0));
    if (const absl::Status filled = Fill(); !filled.ok()) return filled;
  }
  Line line;
  line.text = cut_;
  line.number = ++line_;
  line.is_cut = true;
  return std::optional<Line>(line);
}

absl::Status LineReader::SkipTo(int64_t offset, int64_t line) {
  if (offset > 0) begun_ = true;  // the byte order mark is part of what is skipped
  while (offset_ < offset) {
    const auto wanted = static_cast<size_t>(offset - offset_);
    const size_t there = buffer_.size() - begin_;
    if (there > 0) {
      Consume(std::min(wanted, there));
    } else if (at_end_) {
      return absl::OutOfRangeError("it is shorter than it was");
    } else if (const absl::Status filled = Fill(); !filled.ok()) {
      return filled;
    }
  }
  line_ = line;
  return absl::OkStatus();
}

absl::Status LineReader::SkipByteOrderMark() {
  if (std::exchange(begun_, true)) return absl::OkStatus();
  while (buffer_.size() < kByteOrderMark.size() && !at_end_) {
    if (const absl::Status filled = Fill(); !filled.ok()) return filled;
  }
  if (std::string_view(buffer_).substr(0, kByteOrderMark.size()) == kByteOrderMark)
    Consume(kByteOrderMark.size());
  return absl::OkStatus();
}

void LineReader::Consume(size_t bytes) {
  hash_.Add(std::string_view(buffer_).substr(begin_, bytes));
  offset_ += static_cast<int64_t>(bytes);
  begin_ += bytes;
}

absl::Status LineReader::Fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  if (const absl::Status readable = WaitUntilReadable(); !readable.ok()) return readable;
  const size_t there = buffer_.size();
  buffer_.resize(there + kBlockBytes);
  const ssize_t bytes = read(file_.fd(), buffer_.data() + there, kBlockBytes);
  buffer_.resize(there + static_cast<size_t>(std::max<ssize_t>(bytes, 0)));
  if (bytes < 0 && errno != EINTR) return FileError("read", file_.path());
  at_end_ = bytes == 0;
  return absl::OkStatus();
}

absl::Status LineReader::WaitUntilReadable() {
  std::array<pollfd, 2> interests = {{{file_.fd(), POLLIN, 0}, {wakeup_, POLLIN, 0}}};
  while (poll(interests.data(), interests.size(), -1) < 0 && errno == EINTR) {
  }
  if (stop_.stop_requested()) return absl::CancelledError("stopped while reading");
  return absl::OkStatus();
}

}  // namespace userservice::cli
