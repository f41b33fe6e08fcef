// Random filters, each with an evaluation that shares nothing with the parser or the SQL.
// Expressions are made as trees, written as text in random spelling, and evaluated as trees.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/store/random_rows.h"
#include "tests/store/users_table.h"

namespace userservice::store {

// A filter as text and as meaning.
struct Expression {
  std::string text;
  std::function<bool(const Row&)> matches;
};

// "*" in `tokens` stands for any text, every other token for its one byte.
inline bool MatchesWildcards(const std::vector<std::string>& tokens, size_t token,
                             const std::string& text, size_t at) {
  if (token == tokens.size()) return at == text.size();
  if (tokens[token].empty()) {
    for (size_t next = at; next <= text.size(); ++next) {
      if (MatchesWildcards(tokens, token + 1, text, next)) return true;
    }
    return false;
  }
  return text.compare(at, tokens[token].size(), tokens[token]) == 0 &&
         MatchesWildcards(tokens, token + 1, text, at + tokens[token].size());
}

class RandomFilters {
 public:
  explicit RandomFilters(RandomRows& random) : random_(random) {}

  Expression Any(int depth) {
    if (depth == 0 || random_.OneIn(3)) return Comparison();
    Expression left = Any(depth - 1);
    Expression right = Any(depth - 1);
    const std::string space = random_.OneOf<std::string>({" ", "  ", "\n", "\t "});
    Expression out;
    switch (random_.Below(4)) {
      case 0:  // every operand in parentheses: precedence is filter_test's
        out.text = Enclosed(left) + space + "AND" + space + Enclosed(right);
        out.matches = [left, right](const Row& row) {
          return left.matches(row) && right.matches(row);
        };
        return out;
      case 1:
        out.text = Enclosed(left) + space + Enclosed(right);
        out.matches = [left, right](const Row& row) {
          return left.matches(row) && right.matches(row);
        };
        return out;
      case 2:
        out.text = Enclosed(left) + space + "OR" + space + Enclosed(right);
        out.matches = [left, right](const Row& row) {
          return left.matches(row) || right.matches(row);
        };
        return out;
      default:
        out.text = (random_.OneIn(2) ? "-" : "NOT" + space) + Enclosed(left);
        out.matches = [left](const Row& row) { return !left.matches(row); };
        return out;
    }
  }

 private:
  static std::string Enclosed(const Expression& expression) { return "(" + expression.text + ")"; }

  Expression Comparison() {
    switch (random_.Below(7)) {
      case 0:
        return Integer(
            "user_id", [](const Row& row) { return std::optional<int64_t>(row.user_id); },
            1 + random_.Below(20));
      case 1:
        return Integer("age", [](const Row& row) { return row.age; }, 19 + random_.Below(7));
      case 2:
        return Time("create_time", [](const Row& row) { return row.created.time; });
      case 3:
        return Time("update_time", [](const Row& row) { return row.updated.time; });
      case 4:
        return Text("email", [](const Row& row) { return AsciiLower(row.email); }, true);
      default:
        return Text("name", [](const Row& row) { return row.name; }, false);
    }
  }

  std::string Space() { return random_.OneIn(2) ? " " : ""; }

  // field op literal; a comparison with nothing is false.
  template <class T, class Get>
  Expression Ordered(const std::string& field, const std::string& literal, Get get, T value) {
    const std::string op = random_.OneOf<std::string>({"=", "!=", "<", "<=", ">", ">="});
    Expression out;
    out.text = field + Space() + op + Space() + literal;
    out.matches = [get, op, value](const Row& row) {
      const std::optional<T> have = get(row);
      if (!have.has_value()) return false;
      if (op == "=") return *have == value;
      if (op == "!=") return *have != value;
      if (op == "<") return *have < value;
      if (op == "<=") return *have <= value;
      return op == ">" ? *have > value : *have >= value;
    };
    return out;
  }

  template <class Get>
  Expression Present(const std::string& field, Get get) {
    Expression out;
    out.text = field + ":" + Space() + "*";
    out.matches = [get](const Row& row) { return get(row).has_value(); };
    return out;
  }

  template <class Get>
  Expression Integer(const std::string& field, Get get, size_t value) {
    if (random_.OneIn(5)) return Present(field, get);
    return Ordered<int64_t>(field, std::to_string(value), get, static_cast<int64_t>(value));
  }

  template <class Get>
  Expression Time(const std::string& field, Get get) {
    if (random_.OneIn(5)) return Present(field, get);
    const absl::Time value =
        random_.Instant() + (random_.OneIn(4) ? absl::Nanoseconds(500) : absl::ZeroDuration());
    const absl::TimeZone zone = absl::FixedTimeZone(random_.OneIn(2) ? 0 : 3600 * 5 + 1800);
    const std::string literal = absl::FormatTime(absl::RFC3339_full, value, zone);
    return Ordered<absl::Time>(field, random_.OneIn(2) ? literal : "\"" + literal + "\"", get,
                               value);
  }

  // In quotes, with escapes.
  std::string Quoted(const std::vector<std::string>& tokens, bool star_is_escaped) {
    const std::string quote = random_.OneIn(2) ? "\"" : "'";
    std::string out = quote;
    for (const std::string& token : tokens) {
      const bool escape = token == "\\" || token == quote || (token == "*" && star_is_escaped);
      out += token.empty() ? "*" : (escape ? "\\" : "") + token;
    }
    return out + quote;
  }

  template <class Get>
  Expression Text(const std::string& field, Get get, bool lower) {
    const auto fold = [](std::string text, bool folds) {
      return folds ? AsciiLower(std::move(text)) : text;
    };
    std::vector<std::string> bytes;
    for (const char c : lower
                            ? random_.OneOf<std::string>({"ann1", "B_B", "c%", "@EXAMPLE.com", "z"})
                            : random_.Name()) {
      bytes.emplace_back(1, c);
    }
    std::string value;
    for (const std::string& byte : bytes) value += byte;
    Expression out;
    switch (random_.Below(4)) {
      case 0:
        return Ordered<std::string>(
            field, Quoted(bytes, true),
            [get](const Row& row) { return std::optional<std::string>(get(row)); },
            fold(value, lower));
      case 1:
        out.text = field + Space() + ":" + Space() + Quoted(bytes, true);
        out.matches = [get, value](const Row& row) {
          return AsciiLower(get(row)).find(AsciiLower(value)) != std::string::npos;
        };
        return out;
      default:
        break;
    }
    std::vector<std::string> tokens =
        bytes;  // an empty token is the wildcard, never inside a code point
    for (size_t n = 1 + random_.Below(3); n > 0; --n) {
      size_t at = random_.Below(tokens.size() + 1);
      while (at < tokens.size() && !tokens[at].empty() &&
             (static_cast<unsigned char>(tokens[at][0]) & 0xC0U) == 0x80U)
        ++at;
      tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(at), "");
    }
    const bool equal = random_.OneIn(2);
    out.text = field + (equal ? "=" : " != ") + Quoted(tokens, true);
    for (std::string& token : tokens) token = fold(token, lower);
    out.matches = [get, tokens, equal](const Row& row) {
      return MatchesWildcards(tokens, 0, get(row), 0) == equal;
    };
    return out;
  }

  RandomRows& random_;
};

}  // namespace userservice::store
