// LineReader: a file or a pipe, line by line, in bounded memory, knowing at each line how far it
// has come and the hash of all of it: where an import can go on, and whether the file is still the
// same.
//
// A line ends with LF, CR LF or CR. A byte order mark at the beginning is left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/files.h"
#include "client/cli/sha256.h"

namespace userservice::cli {

// Of a line, and of a CSV record of several lines. A user with the longest name and address that
// there may be takes less than 1 KiB.
constexpr size_t kRecordBytesMax = size_t{64} << 10;

struct Line {
  std::string_view text;  // with its line end; valid until the next line is read
  int64_t number = 0;     // from 1
  bool is_cut = false;    // it is longer; this is its beginning
};

class LineReader {
 public:
  // `stop` ends a wait for a pipe.
  LineReader(File file, std::stop_token stop);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line, or nothing at the end. CANCELLED when stopped.
  absl::StatusOr<std::optional<Line>> Next();

  // Reads on to there, where line `line` has just ended. OUT_OF_RANGE if the file ends before.
  absl::Status SkipTo(int64_t offset, int64_t line);

  // Of the last line that was read: its end, its number, the hash of everything up to it.
  int64_t offset() const { return offset_; }
  int64_t line() const { return line_; }
  std::string hash() const { return hash_.Digest(); }

 private:
  struct Wakeup {
    int fd;
    void operator()() const;
  };

  // More bytes behind those that are there; sets at_end_ when there are none.
  absl::Status Fill();
  absl::Status WaitUntilReadable();
  // Where the line that begins at begin_ ends, if its end is here.
  std::optional<size_t> LineEnd(size_t from) const;
  void Consume(size_t bytes);
  absl::Status SkipByteOrderMark();
  absl::StatusOr<std::optional<Line>> CutLine();

  const File file_;
  const std::stop_token stop_;
  const int wakeup_;                                   // an eventfd that is written when stopped
  std::optional<std::stop_callback<Wakeup>> on_stop_;  // ends before the eventfd is closed
  std::string buffer_;
  size_t begin_ = 0;  // of what is not consumed in buffer_
  bool at_end_ = false;
  bool begun_ = false;
  std::string cut_;
  int64_t offset_ = 0;
  int64_t line_ = 0;
  Sha256 hash_;
};

}  // namespace userservice::cli
