// userctl import.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "async/block_on.h"
#include "client/cli/command.h"
#include "client/cli/csv.h"
#include "client/cli/import/importer.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

std::string LineCount(int64_t lines) {
  return WithThousands(lines) + (lines == 1 ? " line" : " lines");
}

void PrintOutcome(std::ostream& out, OutputFormat format, const Checkpoint& done) {
  switch (format) {
    case OutputFormat::kTable:
      out << UserCount(done.created) << " imported";
      if (done.rejected > 0) out << ", " << LineCount(done.rejected) << " rejected";
      out << '\n';
      return;
    case OutputFormat::kJson:
      out << "{\"created_count\": " << done.created << ", \"rejected_count\": " << done.rejected
          << "}\n";
      return;
    case OutputFormat::kCsv:
      WriteCsvRow(out, {"created_count", "rejected_count"});
      WriteCsvRow(out, {absl::StrCat(done.created), absl::StrCat(done.rejected)});
      return;
  }
}

void PrintHowToGoOn(const Importer& importer, const absl::Status& status) {
  const Checkpoint& done = importer.done();
  std::cerr << UserCount(done.created) << " imported before that, up to line "
            << WithThousands(done.end.line) << '\n';
  if (ReasonOf(status) == "REQUEST_ID_REUSED") {
    std::cerr << "the file has changed since it was sent: remove " << importer.state_path()
              << " to import it from its beginning\n";
  } else if (importer.is_resumable()) {
    std::cerr << "the same command goes on from there (" << importer.state_path() << ")\n";
  } else {
    std::cerr << "what came through a pipe can not be read again: some lines after that may be "
                 "imported, too\n";
  }
}

int RunImport(const ImportArguments& arguments, const Globals& globals,
              const std::stop_token& stop) {
  Importer importer(arguments, globals, stop);
  const absl::Status opened = importer.Open();
  if (stop.stop_requested()) return Conclude(globals, stop, opened);
  if (!opened.ok()) return ConcludeUnusable("import", opened);
  const auto client = UserClient::Connect(globals.server, ClientOptionsFrom(globals));
  // A server that is not there is found before anything is left behind.
  const absl::StatusOr<bool> serving = BlockOn(client->Check(), stop);
  if (absl::IsUnavailable(serving.status()) || stop.stop_requested())
    return Conclude(globals, stop, serving.status());
  const absl::Status status = importer.Run(*client);
  const Checkpoint& done = importer.done();
  if (status.ok()) PrintOutcome(std::cout, globals.output, done);
  const int exit = ConcludeWithFiles(globals, status.ok() ? std::stop_token() : stop, status);
  if (!status.ok()) PrintHowToGoOn(importer, status);
  if (done.rejected > 0) {
    std::cerr << "userctl: " << LineCount(done.rejected) << " rejected:\n";
    PrintRejected(std::cerr, done.listed, done.rejected, arguments.rejected_path);
  }
  return exit == kExitOk && done.rejected > 0 ? kExitError : exit;
}

}  // namespace

void AddImportCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand(
      "import",
      "Stores the users of a CSV or JSON lines file, each once however often it is broken off");
  const auto arguments = std::make_shared<ImportArguments>();
  command
      ->add_option("FILE", arguments->path,
                   "CSV with the columns name, email and age, or a user in JSON a line, as export "
                   "writes them; - is standard input")
      ->required()
      ->type_name("");
  command
      ->add_option_function<std::string>(
          "--format",
          [arguments](const std::string& name) {
            arguments->format = name == "csv" ? InputFormat::kCsv : InputFormat::kJsonLines;
          },
          "What FILE is: csv or jsonl; by its name if not given")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"csv", "jsonl"}).description(""));
  command
      ->add_option("--state", arguments->state_path,
                   "Where an import that is broken off is remembered, so that the same command "
                   "goes on; FILE.import-state if not given")
      ->type_name("FILE");
  command
      ->add_option("--rejected", arguments->rejected_path,
                   "Write every line that was rejected there, as CSV with the reason")
      ->type_name("FILE");
  command->footer(
      "Exits with 1 if a line was rejected. A broken connection does not end it; when it is "
      "interrupted or\nkilled, the same command goes on where it was, and stores nobody twice. "
      "Standard input can not be\nread again, so that an import from it can not go on.\n\n"
      "Example:\n  userctl import people.csv --rejected rejected.csv");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunImport(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
