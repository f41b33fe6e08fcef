// Table: aligned columns for people.
//
//   Table table({{"ID", Align::kRight}, {"NAME", Align::kLeft}});
//   table.AddRow({"1", "Ada"});
//   table.Print(std::cout);
//
// Print may be called again as more rows come: it prints those that are new, and the columns only
// ever grow.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace userservice::cli {

enum class Align { kLeft, kRight };

struct Column {
  Column(std::string column_title, Align column_align)
      : title(std::move(column_title)), align(column_align) {}
  std::string title;
  Align align;
};

// `text` and as many spaces as make it `width` columns wide.
std::string Pad(std::string_view text, int width, Align align);

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // One cell a column. Cells are made Printable.
  void AddRow(const std::vector<std::string>& cells);
  // The title first, the first time. Nothing if there are no rows.
  void Print(std::ostream& out);

 private:
  void PrintRow(std::ostream& out, const std::vector<std::string>& cells) const;

  const std::vector<Column> columns_;
  std::vector<int> widths_;
  std::vector<std::vector<std::string>> rows_;
  bool title_printed_ = false;
};

}  // namespace userservice::cli
