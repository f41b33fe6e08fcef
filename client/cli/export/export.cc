// userctl export.
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "absl/time/clock.h"
#include "async/block_on.h"
#include "client/cli/command.h"
#include "client/cli/export/export_file.h"
#include "client/cli/export/exporter.h"
#include "client/cli/progress.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

using users::v1::ExportUsersRequest;
using users::v1::ExportUsersResponse;

struct ExportArguments {
  std::string path = "-";  // standard output
  ExportUsersRequest request;
};

// Only a file leaves the terminal free for it, and only a count tells how much there is to come.
std::unique_ptr<ProgressLine> ProgressOf(UserClient& client, const std::string& label,
                                         const std::string& filter, int64_t users_before,
                                         const std::stop_token& stop) {
  if (!ShowsProgress()) return nullptr;
  users::v1::CountUsersRequest request;
  request.set_filter(filter);
  const auto count = BlockOn(client.CountUsers(request), stop);
  ProgressMeter meter(label, count.ok() ? count->count() : 0, users_before, users_before,
                      absl::Now());
  return std::make_unique<ProgressLine>(std::move(meter));
}

void SayBroken(ProgressLine* progress, int64_t users) {
  if (progress != nullptr) progress->Clear();
  std::cerr << "userctl: broken off after " << UserCount(users) << ", going on\n";
}

bool IsRegularFile(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

int RunToStdout(ExportUsersRequest request, const Globals& globals, const std::stop_token& stop) {
  const auto client = UserClient::Connect(globals.server, ClientOptionsFrom(globals));
  UserRows rows(std::cout, globals.output);
  std::unique_ptr<ProgressLine> progress;
  if (IsRegularFile(STDOUT_FILENO) && request.resume_token().empty())
    progress = ProgressOf(*client, "export", request.filter(), 0, stop);
  ExportSink sink;
  sink.take = [&](const ExportUsersResponse& chunk) {
    for (const users::v1::User& user : chunk.users()) rows.Add(user);
    rows.Flush();
    if (progress != nullptr) progress->Show(rows.count(), rows.count());
    // Nobody reads any more, or the disk is full: Conclude tells which.
    return std::cout.good() ? absl::OkStatus() : absl::AbortedError("no output");
  };
  sink.broken = [&] { SayBroken(progress.get(), rows.count()); };
  absl::Status status = ExportAll(*client, request, sink, stop);
  progress.reset();
  if (status.ok()) rows.Flush();
  if (!std::cout.good()) status = absl::OkStatus();
  const int exit = Conclude(globals, stop, status);
  if (!std::cout.good()) return exit;
  if (exit == kExitOk || rows.count() > 0) {
    std::cerr << UserCount(rows.count()) << (exit == kExitOk ? "\n" : " before that\n");
  }
  if (exit != kExitOk && !request.resume_token().empty()) {
    std::cerr << "to go on, add --resume-token=" << request.resume_token() << '\n';
  }
  return exit;
}

// What a file is written in, given what was asked for; nothing if that says nothing.
std::optional<OutputFormat> FileFormat(const std::string& path, OutputFormat asked) {
  return asked == OutputFormat::kTable ? FormatByName(path) : asked;
}

absl::Status ExportTo(ExportFile& file, UserClient& client, const ExportUsersRequest& wanted,
                      const std::string& label, const std::stop_token& stop) {
  ExportUsersRequest request = wanted;
  request.set_resume_token(file.state().resume_token);
  std::ostringstream text;
  UserRows rows(text, file.state().format, file.state().users,
                /*has_title=*/file.state().bytes > 0);
  const std::unique_ptr<ProgressLine> progress =
      ProgressOf(client, label, request.filter(), rows.count(), stop);
  ExportSink sink;
  sink.take = [&](const ExportUsersResponse& chunk) {
    for (const users::v1::User& user : chunk.users()) rows.Add(user);
    rows.Flush();
    absl::Status appended = file.Append(text.str(), chunk.resume_token(), rows.count());
    text.str("");
    if (progress != nullptr) progress->Show(rows.count(), rows.count());
    return appended;
  };
  sink.broken = [&] { SayBroken(progress.get(), rows.count()); };
  const absl::Status status = ExportAll(client, request, sink, stop);
  // Not after a write that failed: how much of it is there is not known.
  if (status.ok()) return file.Finish();
  if (!IsFileError(status) && file.state().users > 0) file.Save().IgnoreError();
  file.GiveUp();
  return status;
}

int RunToFile(const ExportArguments& arguments, const Globals& globals,
              const std::stop_token& stop) {
  const std::optional<OutputFormat> format = FileFormat(arguments.path, globals.output);
  if (!format.has_value()) {
    return ConcludeUnusable(
        "export", absl::InvalidArgumentError("say --output=csv or --output=json: the file's name "
                                             "does not tell what to write"));
  }
  if (!arguments.request.resume_token().empty()) {
    return ConcludeUnusable("export", absl::InvalidArgumentError(
                                          "--resume-token is for standard output: a file goes on "
                                          "by itself"));
  }
  ExportState wanted;
  wanted.server = globals.server;
  wanted.filter = arguments.request.filter();
  wanted.format = *format;
  absl::StatusOr<ExportFile> file = ExportFile::Open(arguments.path, wanted);
  if (!file.ok()) return ConcludeUnusable("export", file.status());
  if (file->state().users > 0) {
    std::cerr << "userctl: going on after " << UserCount(file->state().users) << " ("
              << file->state_path() << ")\n";
  }
  const auto client = UserClient::Connect(globals.server, ClientOptionsFrom(globals));
  const std::string label = arguments.path.substr(arguments.path.rfind('/') + 1);
  const absl::Status status = ExportTo(*file, *client, arguments.request, label, stop);
  const int exit = ConcludeWithFiles(globals, status.ok() ? std::stop_token() : stop, status);
  if (exit == kExitOk) {
    std::cerr << UserCount(file->state().users) << '\n';
  } else if (file->can_go_on()) {
    std::cerr << UserCount(file->state().users) << " before that\n"
              << "the same command goes on from there (" << file->partial_path() << ", "
              << file->state_path() << ")\n";
  }
  return exit;
}

}  // namespace

void AddExportCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand(
      "export", "Streams every matching user, by number; with --output=json a line each");
  const auto arguments = std::make_shared<ExportArguments>();
  command
      ->add_option("FILE", arguments->path,
                   "Where to; standard output if not given, or -. A file is there once it is "
                   "whole: until then FILE.partial and FILE.export-state are")
      ->type_name("");
  command->add_option_function<std::string>(
      "--filter", [arguments](const std::string& filter) { arguments->request.set_filter(filter); },
      "Which users (AIP-160); all if not given");
  command
      ->add_option_function<std::string>(
          "--resume-token",
          [arguments](const std::string& token) { arguments->request.set_resume_token(token); },
          "Go on where a broken export to standard output ended")
      ->type_name("TOKEN");
  command->footer(
      "A broken connection does not end it. When an export to a file is interrupted or killed, the "
      "same\ncommand goes on where it was. userctl import takes back what it writes.\n\n"
      "Example:\n  userctl export users.csv");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      if (arguments->path == "-") return RunToStdout(arguments->request, globals, stop);
      return RunToFile(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
