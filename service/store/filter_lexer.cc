#include "service/store/filter_lexer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"

namespace userservice::store {
namespace {

using errors::AbslView;
using Kind = FilterToken::Kind;

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kWordEnd = " \t\r\n()=!<>:\"',";
constexpr std::string_view kValueEnd = " \t\r\n()=!<>\"',";

bool IsKeyword(std::string_view text) { return text == "AND" || text == "OR" || text == "NOT"; }

Kind KindOfWord(std::string_view word) {
  if (word == "AND") return Kind::kAnd;
  if (word == "OR") return Kind::kOr;
  return word == "NOT" ? Kind::kNot : Kind::kWord;
}

}  // namespace

void FilterLexer::SkipSpace() {
  at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size());
}

FilterToken FilterLexer::Take(Kind kind, size_t bytes) {
  FilterToken token;
  token.kind = kind;
  token.column = at_ + 1;
  token.text = text_.substr(at_, bytes);
  at_ += bytes;
  return token;
}

absl::StatusOr<FilterToken> FilterLexer::Next() {
  SkipSpace();
  if (at_ == text_.size()) return Take(Kind::kEnd, 0);
  switch (text_[at_]) {
    case '(':
      return Take(Kind::kOpen, 1);
    case ')':
      return Take(Kind::kClose, 1);
    case '-':
      return Take(Kind::kMinus, 1);
    case '=':
    case '!':
    case '<':
    case '>':
    case ':':
      return TakeOperator();
    case ',':
      return errors::FilterInvalid(at_ + 1,
                                   "',' has no meaning here; join comparisons with AND or OR");
    case '"':
    case '\'': {
      const size_t begin = at_;
      const absl::StatusOr<FilterLiteral> literal = TakeQuoted();
      if (!literal.ok()) return literal.status();
      at_ = begin;
      return Take(Kind::kQuoted, literal->raw.size());
    }
    default: {
      const size_t end = std::min(text_.find_first_of(kWordEnd, at_), text_.size());
      return Take(KindOfWord(text_.substr(at_, end - at_)), end - at_);
    }
  }
}

absl::StatusOr<FilterToken> FilterLexer::TakeOperator() {
  constexpr std::pair<std::string_view, FilterOperator> kOperators[] = {
      {"<=", FilterOperator::kLessOrEqual}, {">=", FilterOperator::kGreaterOrEqual},
      {"!=", FilterOperator::kNotEqual},    {"=", FilterOperator::kEqual},
      {"<", FilterOperator::kLess},         {">", FilterOperator::kGreater},
      {":", FilterOperator::kHas},
  };
  for (const auto& [text, op] : kOperators) {
    if (!text_.substr(at_).starts_with(text)) continue;
    FilterToken token = Take(Kind::kOperator, text.size());
    token.op = op;
    return token;
  }
  return errors::FilterInvalid(at_ + 1, "'!' alone is no operator; write != or NOT");
}

absl::StatusOr<FilterLiteral> FilterLexer::NextValue(std::string_view op) {
  SkipSpace();
  if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return TakeQuoted();
  FilterLiteral literal;
  literal.column = at_ + 1;
  literal.pieces.emplace_back();
  const size_t begin = at_;
  while (at_ < text_.size() && kValueEnd.find(text_[at_]) == std::string_view::npos) {
    if (text_[at_] == '\\') {
      if (absl::Status status = TakeEscape(literal); !status.ok()) return status;
    } else if (text_[at_] == '*') {
      literal.pieces.emplace_back();
      ++at_;
    } else {
      literal.pieces.back() += text_[at_++];
    }
  }
  literal.raw = text_.substr(begin, at_ - begin);
  if (literal.raw.empty()) {
    const bool composite = at_ < text_.size() && text_[at_] == '(';
    return errors::FilterInvalid(
        literal.column,
        absl::StrCat(
            "expected a value after '", AbslView(op), "'",
            composite ? "; repeat the field in each comparison inside the parentheses" : ""));
  }
  if (IsKeyword(literal.raw)) {
    return errors::FilterInvalid(
        literal.column, absl::StrCat("expected a value after '", AbslView(op), "'; put ",
                                     AbslView(literal.raw), " into quotes if it is meant as text"));
  }
  if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
    return errors::FilterInvalid(at_ + 1,
                                 "a quote inside a value; put the whole value into quotes");
  }
  return literal;
}

absl::StatusOr<FilterLiteral> FilterLexer::TakeQuoted() {
  FilterLiteral literal;
  literal.column = at_ + 1;
  literal.quoted = true;
  literal.pieces.emplace_back();
  const size_t begin = at_;
  const char quote = text_[at_++];
  while (at_ < text_.size() && text_[at_] != quote) {
    if (text_[at_] == '\\') {
      if (absl::Status status = TakeEscape(literal); !status.ok()) return status;
    } else if (text_[at_] == '*') {
      literal.pieces.emplace_back();
      ++at_;
    } else {
      literal.pieces.back() += text_[at_++];
    }
  }
  if (at_ == text_.size())
    return errors::FilterInvalid(literal.column, "the quote that opens here is never closed");
  ++at_;
  literal.raw = text_.substr(begin, at_ - begin);
  return literal;
}

absl::Status FilterLexer::TakeEscape(FilterLiteral& literal) {
  constexpr std::string_view kEscaped = "*\\\"'";
  const std::string_view escape = text_.substr(at_, 2);
  if (escape.size() < 2 || kEscaped.find(escape[1]) == std::string_view::npos) {
    return errors::FilterInvalid(
        at_ + 1, R"(a backslash escapes only *, \ and quotes; write \\ for a backslash)");
  }
  literal.pieces.back() += escape[1];
  at_ += 2;
  return absl::OkStatus();
}

}  // namespace userservice::store
