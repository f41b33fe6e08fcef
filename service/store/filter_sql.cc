#include "service/store/filter_sql.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/store/field_sql.h"
#include "service/store/filter_node.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

std::string_view SqlOperator(FilterOperator op) {
  switch (op) {
    case FilterOperator::kNotEqual:
      return " != ?";
    case FilterOperator::kLess:
      return " < ?";
    case FilterOperator::kLessOrEqual:
      return " <= ?";
    case FilterOperator::kGreater:
      return " > ?";
    case FilterOperator::kGreaterOrEqual:
      return " >= ?";
    case FilterOperator::kEqual:
    case FilterOperator::kHas:
      break;
  }
  return " = ?";
}

// The pattern in GLOB's language, where '*', '?' and '[' are themselves inside brackets only. GLOB,
// unlike LIKE, tells case apart.
std::string GlobOf(const TextPattern& pattern) {
  std::string glob;
  for (size_t i = 0; i < pattern.pieces.size(); ++i) {
    if (i > 0) glob += '*';
    for (const char c : pattern.pieces[i]) {
      if (c == '*' || c == '?' || c == '[') {
        absl::StrAppend(&glob, "[", std::string(1, c), "]");
      } else {
        glob += c;
      }
    }
  }
  return glob;
}

// The SQL of one node.
struct Piece {
  SqlCondition condition;
  bool is_or = false;
  size_t depth = 0;  // of parentheses, without those of comparisons
};

void WriteComparison(SqlCondition& out, const FilterComparison& comparison,
                     const AnyValue& /*value*/) {
  absl::StrAppend(&out.sql, ValueSql(comparison.field), " IS NOT NULL");
}

void WriteComparison(SqlCondition& out, const FilterComparison& comparison, int64_t value) {
  out.sql += ValueSql(comparison.field);
  out.sql += SqlOperator(comparison.op);
  out.parameters.emplace_back(value);
}

// A time between two microseconds equals no stored one, and stands after the earlier and before the
// later.
void WriteComparison(SqlCondition& out, const FilterComparison& comparison, absl::Time value) {
  const absl::Time micros = absl::FromUnixMicros(absl::ToUnixMicros(value));
  FilterOperator op = comparison.op;
  if (micros != value) {
    if (op == FilterOperator::kEqual) {
      out.sql += "FALSE";
      return;
    }
    if (op == FilterOperator::kNotEqual) return WriteComparison(out, comparison, AnyValue());
    if (op == FilterOperator::kLess) op = FilterOperator::kLessOrEqual;
    if (op == FilterOperator::kGreaterOrEqual) op = FilterOperator::kGreater;
  }
  out.sql += ValueSql(comparison.field);
  out.sql += SqlOperator(op);
  out.parameters.emplace_back(FormatStoredTime(micros));
}

void WriteComparison(SqlCondition& out, const FilterComparison& comparison,
                     const std::string& value) {
  const std::string& column = ValueSql(comparison.field);
  if (comparison.op == FilterOperator::kHas) {
    absl::StrAppend(&out.sql, "instr(lower(", column, "), ?) > 0");
  } else {
    out.sql += column;
    out.sql += SqlOperator(comparison.op);
  }
  out.parameters.emplace_back(value);
}

void WriteComparison(SqlCondition& out, const FilterComparison& comparison,
                     const TextPattern& value) {
  const std::string& column = ValueSql(comparison.field);
  out.sql += comparison.field == UserField::kEmail ? absl::StrCat("lower(", column, ")") : column;
  out.sql += comparison.op == FilterOperator::kNotEqual ? " NOT GLOB ?" : " GLOB ?";
  out.parameters.emplace_back(GlobOf(value));
}

Piece Write(const FilterNode& node, bool negated);

// What nests deepest comes first: SQL's AND and OR commute.
Piece WriteJoined(const std::vector<FilterNode>& nodes, bool is_or, bool negated) {
  std::vector<Piece> pieces;
  pieces.reserve(nodes.size());
  for (const FilterNode& node : nodes) {
    Piece& piece = pieces.emplace_back(Write(node, negated));
    if (is_or || !piece.is_or) continue;
    piece.condition.sql = absl::StrCat("(", piece.condition.sql, ")");
    ++piece.depth;
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.depth > b.depth; });
  Piece joined;
  joined.is_or = is_or;
  joined.depth = pieces.front().depth;
  for (Piece& piece : pieces) {
    if (!joined.condition.sql.empty()) joined.condition.sql += is_or ? " OR " : " AND ";
    joined.condition.Append(std::move(piece.condition));
  }
  return joined;
}

Piece WriteNode(const FilterNode::And& all, bool negated) {
  return WriteJoined(all.nodes, /*is_or=*/negated, negated);
}
Piece WriteNode(const FilterNode::Or& any, bool negated) {
  return WriteJoined(any.nodes, /*is_or=*/!negated, negated);
}
Piece WriteNode(const FilterNode::Not& negation, bool negated) {
  return Write(negation.node.front(), !negated);
}
Piece WriteNode(const FilterComparison& comparison, bool negated) {
  Piece piece;
  piece.condition.sql += '(';
  std::visit([&](const auto& value) { WriteComparison(piece.condition, comparison, value); },
             comparison.value);
  piece.condition.sql += negated ? ") IS NOT TRUE" : ")";
  return piece;
}

// An absent value makes SQL's comparisons NULL, which AND, OR and WHERE take for false just as
// filters do; only under NOT would NULL stay NULL. So a NOT goes down to the comparisons (De
// Morgan), where it is IS NOT TRUE.
// SQLite's parser has a stack of 100 entries. A parenthesis that opens before anything else takes
// one, and one behind "a AND" three; without NOT only an OR inside an AND needs any. That leaves
// room for every filter that can be parsed (filter_depth_test).
Piece Write(const FilterNode& node, bool negated) {
  return std::visit([&](const auto& kind) { return WriteNode(kind, negated); }, node.node);
}

}  // namespace

SqlCondition FilterSql(const Filter& filter) {
  if (filter.root() == nullptr) return SqlCondition{"TRUE", {}};
  Piece piece = Write(*filter.root(), /*negated=*/false);
  // So that an AND can follow.
  if (piece.is_or) piece.condition.sql = absl::StrCat("(", piece.condition.sql, ")");
  return std::move(piece.condition);
}

}  // namespace userservice::store
