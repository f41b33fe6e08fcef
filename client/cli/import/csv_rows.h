// CsvRows: lines of CSV into rows of fields, by libcsv.
//
// RFC 4180, strictly: a quote inside a field that does not begin with one, or text behind a closing
// quote, is an error of that row, and the next line begins a new one. A field in quotes may hold
// line ends. White space around a field without quotes does not belong to it. Empty lines are
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/import/lines.h"

struct csv_parser;  // NOLINT(readability-identifier-naming): of <csv.h>

namespace userservice::cli {

struct CsvRow {
  CsvRow() = default;
  int64_t line = 0;  // where it begins
  std::vector<std::string> fields;
  std::string error;  // empty if `fields` are the row's
};

class CsvRows {
 public:
  CsvRows();
  ~CsvRows();
  CsvRows(CsvRows&& other) noexcept;
  CsvRows& operator=(CsvRows&& other) noexcept;

  // The row that ends with this line, if one does.
  std::optional<CsvRow> Add(const Line& line);
  // After the last line: the row that has no line end.
  std::optional<CsvRow> End();

 private:
  // What libcsv is given to call back with.
  struct Row {
    std::vector<std::string> fields;
    bool is_complete = false;
  };
  struct Free {
    void operator()(csv_parser* parser) const;
  };

  static void OnField(void* text, size_t bytes, void* row);
  static void OnRow(int end, void* row);
  void Restart();
  CsvRow Take(std::string error);

  std::unique_ptr<csv_parser, Free> parser_;
  std::unique_ptr<Row> row_;
  int64_t first_line_ = 0;  // of the row that is not complete; 0 if there is none
  size_t bytes_ = 0;        // of it
};

}  // namespace userservice::cli
