#include "client/cli/state_text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace userservice::cli {

absl::StatusOr<StateText> StateText::Parse(const std::string& title, const std::string& text) {
  StateText state(title);
  bool is_first = true;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (std::exchange(is_first, false)) {
      if (line != title) break;
      continue;
    }
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    std::string value;
    if (!absl::CUnescape(parts.second, &value))
      return absl::FailedPreconditionError(absl::StrCat("bad value of ", parts.first));
    state.Add(parts.first, value);
  }
  if (state.values_.empty())
    return absl::FailedPreconditionError(absl::StrCat("it does not begin with '", title, "'"));
  return state;
}

std::string StateText::ToText() const {
  std::string text = absl::StrCat(title_, "\n");
  for (const auto& [key, value] : values_)
    absl::StrAppend(&text, key, " ", absl::CEscape(value), "\n");
  return text;
}

absl::StatusOr<std::string> StateText::Get(const std::string& key) const {
  for (const auto& [name, value] : values_) {
    if (name == key) return value;
  }
  return absl::FailedPreconditionError(absl::StrCat(key, " is missing"));
}

absl::StatusOr<int64_t> StateText::GetNumber(const std::string& key) const {
  const absl::StatusOr<std::string> text = Get(key);
  if (!text.ok()) return text.status();
  int64_t number = 0;
  if (!absl::SimpleAtoi(*text, &number) || number < 0)
    return absl::FailedPreconditionError(absl::StrCat(key, " is not a number"));
  return number;
}

std::vector<std::string> StateText::GetAll(const std::string& key) const {
  std::vector<std::string> all;
  for (const auto& [name, value] : values_) {
    if (name == key) all.push_back(value);
  }
  return all;
}

}  // namespace userservice::cli
