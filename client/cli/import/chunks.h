// Chunks: the users of a file in the pieces in which they are imported.
//
// The same file gives the same chunks from the same place, with the same request ids: what makes an
// import that was interrupted go on without storing anybody twice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/import/lines.h"
#include "client/cli/import/records.h"
#include "users/v1/user_service.pb.h"

namespace userservice::cli {

// A line that was not imported.
struct RejectedLine {
  int64_t line = 0;
  std::string reason;
  users::v1::User user;  // as far as it could be read
};

// How far a file has been read, or imported.
struct Position {
  int64_t offset = 0;
  int64_t line = 0;
  std::string hash;  // of what is before it
};

struct Chunk {
  Chunk() = default;
  users::v1::ImportUsersRequest request;
  std::vector<int64_t> lines;          // of each user of the request
  std::vector<RejectedLine> rejected;  // that did not come into it
  Position end;
};

class ChunkReader {
 public:
  // `notice` is told what is left out of the file. The first chunk has the number `number`.
  ChunkReader(std::unique_ptr<LineReader> lines, std::unique_ptr<RecordParser> records,
              std::string import_id, int64_t number,
              std::function<void(const std::string&)> notice);

  // The next chunk, which may have no user but rejected lines; or nothing at the end.
  absl::StatusOr<std::optional<Chunk>> Next();

 private:
  void Add(Record record, Chunk& chunk) const;

  const std::unique_ptr<LineReader> lines_;
  const std::unique_ptr<RecordParser> records_;
  const std::string import_id_;
  int64_t number_;
  const std::function<void(const std::string&)> notice_;
  bool at_end_ = false;
};

// The request id of a chunk: a version 4 UUID made of a hash of these two, the same each time.
std::string ChunkRequestId(const std::string& import_id, int64_t number);

}  // namespace userservice::cli
