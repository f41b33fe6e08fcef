#include "service/store/filter_sql.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
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

std::string ColumnSql(UserField field) {
  switch (field) {
    case UserField::kUserId:
      return "user_id";
    case UserField::kName:
      return "name";
    case UserField::kEmail:
      return "email";
    case UserField::kAge:
      return "age";
    case UserField::kCreateTime:
      return StoredTimeSql("created_at");
    case UserField::kUpdateTime:
      return StoredTimeSql("updated_at");
  }
  return "NULL";
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

// Writes the tree as SQL. An absent value makes SQL's comparisons NULL, which AND, OR and WHERE
// take for false just as filters do; only under NOT would NULL stay NULL, so NOT is written IS NOT
// TRUE.
class Writer {
 public:
  void Write(const FilterNode& node) {
    std::visit([this](const auto& kind) { WriteKind(kind); }, node.node);
  }
  SqlCondition Take() && { return std::move(out_); }

 private:
  void WriteKind(const FilterNode::And& all) { WriteJoined(all.nodes, " AND "); }
  void WriteKind(const FilterNode::Or& any) { WriteJoined(any.nodes, " OR "); }
  void WriteKind(const FilterNode::Not& negation) {
    Text("(");
    Write(negation.node.front());
    Text(" IS NOT TRUE)");
  }
  void WriteKind(const FilterComparison& comparison) {
    Text("(");
    std::visit([&](const auto& value) { WriteComparison(comparison, value); }, comparison.value);
    Text(")");
  }

  void WriteComparison(const FilterComparison& comparison, const AnyValue& /*value*/) {
    Text(ColumnSql(comparison.field));
    Text(" IS NOT NULL");
  }
  void WriteComparison(const FilterComparison& comparison, int64_t value) {
    Text(ColumnSql(comparison.field));
    Text(SqlOperator(comparison.op));
    out_.parameters.emplace_back(value);
  }
  void WriteComparison(const FilterComparison& comparison, absl::Time value);
  void WriteComparison(const FilterComparison& comparison, const std::string& value);
  void WriteComparison(const FilterComparison& comparison, const TextPattern& value);

  void WriteJoined(const std::vector<FilterNode>& nodes, std::string_view connective) {
    Text("(");
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (i > 0) Text(connective);
      Write(nodes[i]);
    }
    Text(")");
  }
  void Text(std::string_view sql) { out_.sql += sql; }

  SqlCondition out_;
};

// A time between two microseconds equals no stored one, and stands after the earlier and before the
// later.
void Writer::WriteComparison(const FilterComparison& comparison, absl::Time value) {
  const std::string column = ColumnSql(comparison.field);
  const absl::Time micros = absl::FromUnixMicros(absl::ToUnixMicros(value));
  FilterOperator op = comparison.op;
  if (micros != value) {
    if (op == FilterOperator::kEqual) return Text("FALSE");
    if (op == FilterOperator::kNotEqual) return Text(column + " IS NOT NULL");
    if (op == FilterOperator::kLess) op = FilterOperator::kLessOrEqual;
    if (op == FilterOperator::kGreaterOrEqual) op = FilterOperator::kGreater;
  }
  Text(column);
  Text(SqlOperator(op));
  out_.parameters.emplace_back(FormatStoredTime(micros));
}

void Writer::WriteComparison(const FilterComparison& comparison, const std::string& value) {
  const std::string column = ColumnSql(comparison.field);
  if (comparison.op == FilterOperator::kHas) {
    Text(absl::StrCat("instr(lower(", column, "), ?) > 0"));
  } else {
    Text(column);
    Text(SqlOperator(comparison.op));
    // NOCASE compares as lower() of both sides would, and is the collation of the index.
    if (comparison.field == UserField::kEmail) Text(" COLLATE NOCASE");
  }
  out_.parameters.emplace_back(value);
}

void Writer::WriteComparison(const FilterComparison& comparison, const TextPattern& value) {
  const std::string column = ColumnSql(comparison.field);
  Text(comparison.field == UserField::kEmail ? absl::StrCat("lower(", column, ")") : column);
  Text(comparison.op == FilterOperator::kNotEqual ? " NOT GLOB ?" : " GLOB ?");
  out_.parameters.emplace_back(GlobOf(value));
}

}  // namespace

SqlCondition FilterSql(const Filter& filter) {
  Writer writer;
  if (filter.root() == nullptr) return SqlCondition{"TRUE", {}};
  writer.Write(*filter.root());
  return std::move(writer).Take();
}

}  // namespace userservice::store
