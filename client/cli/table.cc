#include "client/cli/table.h"

#include <algorithm>
#include <utility>

#include "client/cli/text_width.h"

namespace userservice::cli {

std::string Pad(std::string_view text, int width, Align align) {
  const std::string spaces(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
  return align == Align::kLeft ? std::string(text) + spaces : spaces + std::string(text);
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const Column& column : columns_) widths_.push_back(DisplayWidth(column.title));
}

void Table::AddRow(const std::vector<std::string>& cells) {
  std::vector<std::string>& row = rows_.emplace_back();
  for (size_t i = 0; i < columns_.size(); ++i) {
    row.push_back(Printable(cells[i]));
    widths_[i] = std::max(widths_[i], DisplayWidth(row.back()));
  }
}

void Table::Print(std::ostream& out) {
  if (rows_.empty()) return;
  if (!title_printed_) {
    std::vector<std::string> titles;
    titles.reserve(columns_.size());
    for (const Column& column : columns_) titles.push_back(column.title);
    PrintRow(out, titles);
    title_printed_ = true;
  }
  for (const std::vector<std::string>& row : rows_) PrintRow(out, row);
  rows_.clear();
}

void Table::PrintRow(std::ostream& out, const std::vector<std::string>& cells) const {
  std::string line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i != 0) line += "  ";
    line += Pad(cells[i], widths_[i], columns_[i].align);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << '\n';
}

}  // namespace userservice::cli
