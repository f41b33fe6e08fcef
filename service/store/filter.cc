#include "service/store/filter.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"
#include "service/store/filter_lexer.h"
#include "service/store/filter_literal.h"
#include "service/store/filter_node.h"

namespace userservice::store {
namespace {

using errors::AbslView;
using Kind = FilterToken::Kind;

constexpr size_t kFilterBytesMax = 2048;
constexpr size_t kDepthMax = 32;
constexpr size_t kComparisonsMax = 64;

// AIP-160's grammar by recursive descent, a function a rule. Recursion is by parentheses alone, and
// kDepthMax bounds it.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  absl::StatusOr<FilterNode> ParseAll();

 private:
  absl::StatusOr<FilterNode> ParseExpression();
  absl::StatusOr<FilterNode> ParseFactor();
  absl::StatusOr<FilterNode> ParseTerm();
  absl::StatusOr<FilterNode> ParseSimple();
  absl::StatusOr<FilterNode> ParseComposite();
  absl::StatusOr<FilterNode> ParseRestriction();
  absl::Status Unexpected(std::string_view expected) const;
  absl::Status StandsAlone(const FilterToken& word) const;
  absl::Status Advance();
  bool AtTerm() const;

  FilterLexer lexer_;
  FilterToken next_;
  size_t depth_ = 0;
  size_t comparisons_ = 0;
};

absl::Status Parser::Advance() {
  absl::StatusOr<FilterToken> token = lexer_.Next();
  if (token.ok()) next_ = *token;
  return token.status();
}

bool Parser::AtTerm() const {
  switch (next_.kind) {
    case Kind::kOpen:
    case Kind::kMinus:
    case Kind::kNot:
    case Kind::kWord:
    case Kind::kQuoted:
      return true;
    default:
      return false;
  }
}

absl::Status Parser::Unexpected(std::string_view expected) const {
  const std::string found =
      next_.kind == Kind::kEnd
          ? "the end"
          : absl::StrCat("'", errors::Excerpt(next_.text, errors::kWordBytesMax), "'");
  return errors::FilterInvalid(next_.column,
                               absl::StrCat("expected ", AbslView(expected), ", found ", found));
}

absl::StatusOr<FilterNode> Parser::ParseAll() {
  if (absl::Status status = Advance(); !status.ok()) return status;
  absl::StatusOr<FilterNode> node = ParseExpression();
  if (!node.ok()) return node;
  if (next_.kind == Kind::kClose) return errors::FilterInvalid(next_.column, "')' closes nothing");
  if (next_.kind != Kind::kEnd) return Unexpected("AND, OR or the end");
  return node;
}

// expression : sequence {AND sequence}; sequence : factor {factor}. Both mean AND.
absl::StatusOr<FilterNode> Parser::ParseExpression() {
  FilterNode::And all;
  do {
    if (!all.nodes.empty() && next_.kind == Kind::kAnd) {
      if (absl::Status status = Advance(); !status.ok()) return status;
    }
    absl::StatusOr<FilterNode> factor = ParseFactor();
    if (!factor.ok()) return factor;
    all.nodes.push_back(*std::move(factor));
  } while (next_.kind == Kind::kAnd || AtTerm());
  if (all.nodes.size() == 1) return std::move(all.nodes.front());
  return FilterNode(std::move(all));
}

// factor : term {OR term}
absl::StatusOr<FilterNode> Parser::ParseFactor() {
  FilterNode::Or any;
  while (true) {
    absl::StatusOr<FilterNode> term = ParseTerm();
    if (!term.ok()) return term;
    any.nodes.push_back(*std::move(term));
    if (next_.kind != Kind::kOr) break;
    if (absl::Status status = Advance(); !status.ok()) return status;
  }
  if (any.nodes.size() == 1) return std::move(any.nodes.front());
  return FilterNode(std::move(any));
}

// term : [NOT | MINUS] simple
absl::StatusOr<FilterNode> Parser::ParseTerm() {
  if (next_.kind != Kind::kNot && next_.kind != Kind::kMinus) return ParseSimple();
  if (absl::Status status = Advance(); !status.ok()) return status;
  absl::StatusOr<FilterNode> simple = ParseSimple();
  if (!simple.ok()) return simple;
  FilterNode::Not negation;
  negation.node.push_back(*std::move(simple));
  return FilterNode(std::move(negation));
}

// simple : restriction | composite
absl::StatusOr<FilterNode> Parser::ParseSimple() {
  if (next_.kind == Kind::kOpen) return ParseComposite();
  if (next_.kind == Kind::kWord) return ParseRestriction();
  if (next_.kind == Kind::kQuoted) return StandsAlone(next_);
  return Unexpected("a comparison");
}

// composite : "(" expression ")"
absl::StatusOr<FilterNode> Parser::ParseComposite() {
  const size_t open_column = next_.column;
  if (depth_ == kDepthMax) {
    return errors::FilterInvalid(
        open_column, absl::StrCat("parentheses nest deeper than ", kDepthMax, " levels"));
  }
  ++depth_;
  if (absl::Status status = Advance(); !status.ok()) return status;
  absl::StatusOr<FilterNode> inner = ParseExpression();
  if (!inner.ok()) return inner;
  if (next_.kind != Kind::kClose) {
    return Unexpected(absl::StrCat("AND, OR or the ')' of column ", open_column));
  }
  --depth_;
  if (absl::Status status = Advance(); !status.ok()) return status;
  return inner;
}

// restriction : field comparator value. AIP-160's search for a bare value has no field to look in
// here.
absl::StatusOr<FilterNode> Parser::ParseRestriction() {
  const FilterToken word = next_;
  if (absl::Status status = Advance(); !status.ok()) return status;
  if (next_.kind != Kind::kOperator) return StandsAlone(word);
  const FilterToken op = next_;
  const std::optional<UserField> field = UserFieldFromName(word.text);
  if (!field.has_value()) {
    return errors::FilterInvalid(
        word.column,
        absl::StrCat("unknown field '", errors::Excerpt(word.text, errors::kWordBytesMax),
                     "'; fields are ", AbslView(kUserFieldList)));
  }
  if (comparisons_ == kComparisonsMax) {
    return errors::FilterInvalid(word.column,
                                 absl::StrCat("more than ", kComparisonsMax, " comparisons"));
  }
  ++comparisons_;
  const absl::StatusOr<FilterLiteral> literal = lexer_.NextValue(op.text);
  if (!literal.ok()) return literal.status();
  absl::StatusOr<FilterComparison> comparison = MakeComparison(*field, op, *literal);
  if (!comparison.ok()) return comparison.status();
  if (absl::Status status = Advance(); !status.ok()) return status;
  return FilterNode(*std::move(comparison));
}

absl::Status Parser::StandsAlone(const FilterToken& word) const {
  const std::string shown = errors::Excerpt(word.text, errors::kWordBytesMax);
  if (UserFieldFromName(word.text).has_value()) {
    return Unexpected(absl::StrCat("an operator (= != < <= > >= :) after '", shown, "'"));
  }
  if (word.kind == Kind::kWord && next_.kind == Kind::kOpen &&
      next_.column == word.column + word.text.size()) {
    return errors::FilterInvalid(word.column,
                                 absl::StrCat("functions such as '", shown, "' are not supported"));
  }
  const std::string_view hint = word.text == "and" || word.text == "or" || word.text == "not"
                                    ? "AND, OR and NOT are written in upper case"
                                    : "compare a field with it, such as name:\"ann\"";
  return errors::FilterInvalid(word.column, absl::StrCat("search for a bare value, ", shown,
                                                         ", is not supported; ", AbslView(hint)));
}

// What no filter may hold anywhere: bytes that are not UTF-8, and control characters, which are
// only white space where AIP-160 says so.
absl::Status CheckCharacters(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = errors::CodePointBytes(text.substr(at));
    if (bytes == 0) return errors::FilterInvalid(at + 1, "a byte that is not UTF-8");
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool is_space = byte == '\t' || byte == '\n' || byte == '\r';
    if ((byte < 0x20 && !is_space) || byte == 0x7F)
      return errors::FilterInvalid(at + 1, "a control character");
    at += bytes;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Filter> Filter::Parse(std::string_view text) {
  if (text.size() > kFilterBytesMax) {
    return errors::FilterInvalid(
        kFilterBytesMax + 1,
        absl::StrCat("the filter is ", text.size(), " bytes long; the limit is ", kFilterBytesMax));
  }
  if (absl::Status status = CheckCharacters(text); !status.ok()) return status;
  Filter filter;
  filter.text_ = std::string(text);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return filter;
  absl::StatusOr<FilterNode> root = Parser(text).ParseAll();
  if (!root.ok()) return root.status();
  filter.root_ = std::make_shared<const FilterNode>(*std::move(root));
  return filter;
}

}  // namespace userservice::store
