#include "client/cli/import/csv_rows.h"

#include <csv.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/text_width.h"

namespace userservice::cli {

void CsvRows::Free::operator()(csv_parser* parser) const {
  csv_free(parser);
  delete parser;
}

CsvRows::CsvRows() : row_(std::make_unique<Row>()) { Restart(); }
CsvRows::~CsvRows() = default;
CsvRows::CsvRows(CsvRows&& other) noexcept = default;
CsvRows& CsvRows::operator=(CsvRows&& other) noexcept = default;

void CsvRows::Restart() {
  parser_.reset(new csv_parser());
  csv_init(parser_.get(), CSV_STRICT | CSV_STRICT_FINI);
  *row_ = Row();
  first_line_ = 0;
  bytes_ = 0;
}

void CsvRows::OnField(void* text, size_t bytes, void* row) {
  auto& fields = static_cast<Row*>(row)->fields;
  fields.emplace_back(text == nullptr ? "" : static_cast<const char*>(text),
                      text == nullptr ? 0 : bytes);
}

void CsvRows::OnRow(int, void* row) { static_cast<Row*>(row)->is_complete = true; }

CsvRow CsvRows::Take(std::string error) {
  CsvRow taken;
  taken.line = first_line_;
  taken.error = std::move(error);
  taken.fields = std::exchange(row_->fields, {});
  row_->is_complete = false;
  first_line_ = 0;
  bytes_ = 0;
  return taken;
}

std::optional<CsvRow> CsvRows::Add(const Line& line) {
  if (first_line_ == 0) first_line_ = line.number;
  bytes_ += line.text.size();
  if (line.is_cut || bytes_ > kRecordBytesMax) {
    CsvRow row =
        Take(absl::StrCat("more than ", WithThousands(kRecordBytesMax), " bytes",
                          line.number == first_line_ ? std::string()
                                                     : absl::StrCat(", up to line ", line.number,
                                                                    ": is a quote not closed?")));
    Restart();
    return row;
  }
  const size_t parsed =
      csv_parse(parser_.get(), line.text.data(), line.text.size(), OnField, OnRow, row_.get());
  if (parsed != line.text.size()) {
    CsvRow row = Take("a quote inside a field, or text after one that is closed");
    Restart();
    return row;
  }
  if (row_->is_complete) return Take("");
  // Nothing of a row yet: it was an empty line.
  if (row_->fields.empty() && line.text.find_first_not_of("\r\n\t ") == std::string_view::npos &&
      line.number == first_line_) {
    first_line_ = 0;
    bytes_ = 0;
  }
  return {};
}

std::optional<CsvRow> CsvRows::End() {
  if (first_line_ == 0) return {};
  const bool is_closed = csv_fini(parser_.get(), OnField, OnRow, row_.get()) == 0;
  std::optional<CsvRow> row;
  if (!is_closed) {
    row = Take("the file ends inside a quoted field");
  } else if (row_->is_complete) {
    row = Take("");
  }
  Restart();
  return row;
}

}  // namespace userservice::cli
