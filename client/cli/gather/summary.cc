#include "client/cli/gather/summary.h"

#include <algorithm>

namespace userservice::cli {
namespace {

struct KindNames {
  Kind kind;
  const char* name;
  const char* title;
};

constexpr KindNames kKinds[] = {
    {Kind::kList, "list", "lists of users"},
    {Kind::kCount, "count", "counts of a decade of age"},
    {Kind::kGet, "get", "reads of one user"},
};

}  // namespace

double KindTimes::speed_up() const {
  return absl::FDivDuration(sequential, std::max(gathered, absl::Nanoseconds(1)));
}

Summary Summarize(const std::vector<PlannedCall>& plan, const MeasuredRun& sequential,
                  const MeasuredRun& gathered) {
  Summary summary;
  for (const KindNames& names : kKinds) {
    const auto is_of_kind = [&](const PlannedCall& call) { return call.kind == names.kind; };
    const auto calls = static_cast<size_t>(std::count_if(plan.begin(), plan.end(), is_of_kind));
    if (calls == 0) continue;
    summary.kinds.push_back({names.name, names.title, calls, SpanOf(sequential, plan, names.kind),
                             SpanOf(gathered, plan, names.kind)});
  }
  summary.all = {"all", "all together", plan.size(), sequential.total, gathered.total};
  for (size_t i = 0; i < plan.size(); ++i) {
    if (!SameAnswer(sequential.answers[i], gathered.answers[i]))
      summary.differences.push_back(plan[i].label);
  }
  return summary;
}

std::string NameOf(Kind kind) {
  for (const KindNames& names : kKinds) {
    if (names.kind == kind) return names.name;
  }
  return "";
}

}  // namespace userservice::cli
