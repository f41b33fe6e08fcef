#include "client/cli/conformance/shown.h"

#include "absl/strings/str_cat.h"
#include "client/cli/text_width.h"

namespace userservice::cli::conformance {
namespace {

constexpr size_t kTextBytesMax = 120;
constexpr size_t kEntriesMax = 12;

template <class Values, class Show>
std::string List(const Values& values, const Show& show) {
  std::string list = "[";
  size_t shown = 0;
  for (const auto& value : values) {
    if (shown == kEntriesMax) {
      absl::StrAppend(&list, ", ... ", values.size(), " in all");
      break;
    }
    absl::StrAppend(&list, shown == 0 ? "" : ", ", show(value));
    ++shown;
  }
  return list + "]";
}

}  // namespace

std::string Shown(bool value) { return value ? "yes" : "no"; }
std::string Shown(int value) { return absl::StrCat(value); }
std::string Shown(int64_t value) { return absl::StrCat(value); }
std::string Shown(const char* value) { return Shown(std::string(value)); }

std::string Shown(const std::string& value) {
  if (value.size() <= kTextBytesMax) return absl::StrCat("\"", Printable(value), "\"");
  // A character that the cut falls into is shown as one that can not be read.
  return absl::StrCat("\"", Printable(value.substr(0, kTextBytesMax)), "...\" (", value.size(),
                      " bytes)");
}

std::string Shown(const std::vector<int64_t>& values) {
  return List(values, [](int64_t value) { return Shown(value); });
}

std::string Shown(const std::vector<std::string>& values) {
  return List(values, [](const std::string& value) { return Shown(value); });
}

}  // namespace userservice::cli::conformance
