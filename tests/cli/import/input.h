// What the tests of userctl import read: a text as a file, and what a reader makes of it.
#pragma once

#include <fcntl.h>

#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/files.h"
#include "client/cli/import/lines.h"
#include "client/cli/import/records.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_directory.h"

namespace userservice::cli {

class Input {
 public:
  explicit Input(std::string_view text) : path_(directory_.File("input")) {
    std::ofstream(path_, std::ios::binary) << text;
  }

  const std::string& path() const { return path_; }
  std::unique_ptr<LineReader> Lines() const {
    return std::make_unique<LineReader>(*File::Open(path_, O_RDONLY), std::stop_token());
  }

 private:
  TemporaryDirectory directory_;
  std::string path_;
};

// Every record of the text.
inline std::vector<Record> RecordsOf(InputFormat format, std::string_view text) {
  const Input input(text);
  const std::unique_ptr<LineReader> lines = input.Lines();
  const auto parser = MakeRecordParser(format, *lines);
  EXPECT_TRUE(parser.ok()) << parser.status();
  std::vector<Record> records;
  for (bool more = parser.ok(); more;) {
    const auto line = lines->Next();
    EXPECT_TRUE(line.ok()) << line.status();
    more = line.ok() && line->has_value();
    auto record = more ? (*parser)->Add(**line) : (*parser)->End();
    if (record.has_value()) records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace userservice::cli
