// Checkpoint: how far an import has come, in a small file beside the one that is imported.
//
// It is written before the first chunk is sent, replaced as chunks are answered, and removed when
// all is imported. Chunks that were stored after it was written are sent again, with the same
// request ids, and answered as they were the first time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/import/chunks.h"
#include "client/cli/import/records.h"

namespace userservice::cli {

// So many rejected lines are listed at the end.
constexpr size_t kListedMax = 20;

struct Checkpoint {
  Checkpoint() = default;
  std::string import_id;  // the request ids are made of it
  std::string server;
  std::string rejected_path;  // none if empty
  InputFormat format = InputFormat::kCsv;
  int64_t file_bytes = 0;
  int64_t chunks = 0;  // that were answered
  Position end;        // of the last of them
  int64_t created = 0;
  int64_t rejected = 0;
  int64_t rejected_file_bytes = 0;
  std::vector<RejectedLine> listed;  // the first kListedMax of the rejected; their users are empty
};

std::string CheckpointText(const Checkpoint& checkpoint);
absl::StatusOr<Checkpoint> ParseCheckpoint(const std::string& text);

// Whether an import that is `wanted` may go on from an earlier one: into the same server, of a file
// of the same format and size, with its rejected lines in the same place. The hash is for whoever
// reads the file. FAILED_PRECONDITION says why not.
absl::Status MayGoOn(const Checkpoint& earlier, const Checkpoint& wanted);

}  // namespace userservice::cli
