#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {

std::vector<Group> AllGroups() {
  return {PagingRules(), ValueRules(),       FilterRules(), OrderRules(),    MaskRules(),
          EtagRules(),   IdempotencyRules(), BatchRules(),  ErrorRules(),    ExportRules(),
          ImportRules(), WatchRules(),       MethodRules(), DeadlineRules(), ServingRules()};
}

}  // namespace userservice::cli::conformance
