#include "client/cli/import/chunks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/sha256.h"
#include "client/request_id.h"

namespace userservice::cli {
namespace {

// What the server takes.
constexpr int kChunkUsersMax = 1000;
// The server takes messages of 4 MiB. A record, of which the last may go past this, is far smaller.
constexpr size_t kChunkBytesMax = size_t{2} << 20;
// So that a file of nothing but bad lines does not fill the memory.
constexpr size_t kChunkRejectedMax = 1000;

}  // namespace

std::string ChunkRequestId(const std::string& import_id, int64_t number) {
  Sha256 hash;
  hash.Add(absl::StrCat(import_id, "/", number));
  return RequestIdOfBytes(hash.Digest().substr(0, 16));
}

ChunkReader::ChunkReader(std::unique_ptr<LineReader> lines, std::unique_ptr<RecordParser> records,
                         std::string import_id, int64_t number,
                         std::function<void(const std::string&)> notice)
    : lines_(std::move(lines)),
      records_(std::move(records)),
      import_id_(std::move(import_id)),
      number_(number),
      notice_(std::move(notice)) {}

absl::StatusOr<std::optional<Chunk>> ChunkReader::Next() {
  Chunk chunk;
  size_t bytes = 0;
  while (!at_end_ && bytes < kChunkBytesMax && chunk.request.users_size() < kChunkUsersMax &&
         chunk.rejected.size() < kChunkRejectedMax) {
    const absl::StatusOr<std::optional<Line>> line = lines_->Next();
    if (!line.ok()) return line.status();
    at_end_ = !line->has_value();
    std::optional<Record> record = at_end_ ? records_->End() : records_->Add(**line);
    if (const std::string notice = records_->TakeNotice(); !notice.empty()) notice_(notice);
    if (!record.has_value()) continue;
    bytes += record->user.ByteSizeLong();
    Add(*std::move(record), chunk);
  }
  if (chunk.request.users_size() == 0 && chunk.rejected.empty()) return std::optional<Chunk>();
  chunk.request.set_sequence(number_);
  chunk.request.set_request_id(ChunkRequestId(import_id_, number_));
  ++number_;
  chunk.end.offset = lines_->offset();
  chunk.end.line = lines_->line();
  chunk.end.hash = lines_->hash();
  return std::optional<Chunk>(std::move(chunk));
}

void ChunkReader::Add(Record record, Chunk& chunk) const {
  if (record.error.empty()) {
    *chunk.request.add_users() = std::move(record.user);
    chunk.lines.push_back(record.line);
    return;
  }
  RejectedLine& rejected = chunk.rejected.emplace_back();
  rejected.line = record.line;
  rejected.reason = std::move(record.error);
  rejected.user = std::move(record.user);
}

}  // namespace userservice::cli
