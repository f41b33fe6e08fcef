// QueryLimits: what stops a statement that runs too long, and where its time is added up.
//
//   absl::Duration sql_time;
//   QueryScope rows(*lease, kSelectUser, QueryLimits(context.deadline, &stop_token, &sql_time));
//
// Lifetime: what the pointers point at outlives the scope that was given them.
#pragma once

#include <stop_token>

#include "absl/time/time.h"

namespace userservice::sqlite {

struct QueryLimits {
  QueryLimits() = default;
  explicit QueryLimits(absl::Time statement_deadline, const std::stop_token* stop_token = nullptr,
                       absl::Duration* sql_time_total = nullptr)
      : deadline(statement_deadline), stop(stop_token), sql_time(sql_time_total) {}

  absl::Time deadline = absl::InfiniteFuture();
  const std::stop_token* stop = nullptr;  // null: never stopped
  absl::Duration* sql_time =
      nullptr;  // null: not measured; else the time inside SQLite is added to it
};

}  // namespace userservice::sqlite
