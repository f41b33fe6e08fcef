#include "client/options.h"

namespace userservice {

const CallOptions& CallOptions::Default() {
  static const CallOptions options;
  return options;
}

}  // namespace userservice
