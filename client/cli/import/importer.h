// Importer: one run of `userctl import`, from a file or a pipe into the server.
//
// The calling thread reads and parses; the client's thread sends. A run that ends early, however it
// does, leaves a checkpoint from which the next one goes on; a pipe has none.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/command.h"
#include "client/cli/import/checkpoint.h"
#include "client/cli/import/chunks.h"
#include "client/cli/import/rejects.h"
#include "client/cli/progress.h"
#include "client/user_client.h"

namespace userservice::cli {

struct ImportArguments {
  std::string path;                   // "-" is standard input
  std::optional<InputFormat> format;  // by the file's name if not given
  std::string state_path;             // beside the file if empty
  std::string rejected_path;          // none if empty
};

class Importer {
 public:
  Importer(const ImportArguments& arguments, const Globals& globals, std::stop_token stop);

  // Opens the file and finds where to go on. Its error is one of usage: nothing was sent.
  absl::Status Open();
  // Imports what is left.
  absl::Status Run(UserClient& client);

  bool is_resumable() const { return is_resumable_; }
  const std::string& state_path() const { return state_path_; }
  // What was done so far, earlier runs included.
  const Checkpoint& done() const { return done_; }

 private:
  absl::Status OpenChunks(File file);
  // True if there is an earlier run's checkpoint.
  absl::StatusOr<bool> LoadCheckpoint();
  absl::Status SendAll(ImportStream& import);
  absl::Status Take(const ImportStream::Outcome& outcome);
  absl::Status Save();
  absl::Status SyncRejectedFile();
  void Say(const std::string& text);

  const ImportArguments arguments_;
  const Globals globals_;
  const std::stop_token stop_;
  bool is_resumable_ = false;
  std::string state_path_;
  Checkpoint done_;
  bool saved_ = false;  // there is a checkpoint
  absl::Time next_save_ = absl::InfinitePast();
  std::unique_ptr<ChunkReader> chunks_;
  std::deque<Chunk> in_flight_;
  std::optional<RejectedFile> rejected_file_;
  std::optional<ProgressLine> progress_;
  std::atomic<int> breaks_{0};  // counted on the client's thread
  int breaks_told_ = 0;
};

}  // namespace userservice::cli
