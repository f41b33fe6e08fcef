#include "service/store/sample_users.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "service/sqlite/query_scope.h"

namespace userservice::store {
namespace {

using sqlite::Connection;
using sqlite::QueryScope;

// The time is the transaction's to the reader: SQLite gives milliseconds, the table holds
// microseconds.
constexpr char kInsertSampleUser[] =
    "INSERT INTO users (name, email, age, created_at, updated_at, revision) "
    "VALUES (?1, ?2, ?3, ?4, ?4, ?5)";

struct SampleUser {
  std::string_view name;
  std::string_view email;
  int age;
};

constexpr std::array<SampleUser, 5> kSampleUsers = {{
    {"Alice Johnson", "alice@example.com", 25},
    {"Bob Smith", "bob@example.com", 30},
    {"Carol Davis", "carol@example.com", 40},
    {"David Lee", "david@example.com", 45},
    {"Eve Martin", "eve@example.com", 50},
}};

constexpr std::array<std::string_view, 32> kGivenNames = {
    "Aiko",  "Amara", "Anders", "Beatriz", "Carlos", "Chiara", "Daniel", "Elena",
    "Farid", "Grace", "Hannah", "Igor",    "Ines",   "Jamal",  "Jun",    "Katya",
    "Lars",  "Leila", "Maria",  "Mateo",   "Nadia",  "Noah",   "Olga",   "Omar",
    "Priya", "Ravi",  "Sofia",  "Tariq",   "Uma",    "Victor", "Wei",    "Zoe"};

constexpr std::array<std::string_view, 32> kFamilyNames = {
    "Almeida", "Andersson", "Bauer",  "Brown", "Chen",   "Costa",  "Dubois",   "Evans",
    "Fischer", "Garcia",    "Haddad", "Ito",   "Jansen", "Kaur",   "Kim",      "Kowalski",
    "Lopez",   "Moreau",    "Nguyen", "Novak", "Okafor", "Patel",  "Petrov",   "Rossi",
    "Sato",    "Schmidt",   "Silva",  "Singh", "Tanaka", "Wagner", "Williams", "Yilmaz"};

constexpr int64_t kWithoutAgeEvery = 17;
constexpr int64_t kAges = 101;

absl::StatusOr<std::string> Now(Connection& connection) {
  QueryScope now(connection, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'");
  const absl::StatusOr<bool> row = now.Step();
  if (!row.ok()) return row.status();
  return std::string(now.Text(0));
}

absl::Status InsertUser(Connection& connection, std::string_view name, std::string_view email,
                        std::optional<int64_t> age, std::string_view time, int64_t revision) {
  QueryScope insert(connection, kInsertSampleUser);
  return insert.Bind(name, email, age, time, revision).Run();
}

// Given name, a middle number that makes it one of its kind past the first thousand, family name.
std::string NameOfUser(int64_t number) {
  constexpr auto kGiven = static_cast<int64_t>(kGivenNames.size());
  constexpr auto kFamily = static_cast<int64_t>(kFamilyNames.size());
  const int64_t index = number - 1;
  const std::string given(kGivenNames[static_cast<size_t>(index % kGiven)]);
  const std::string family(kFamilyNames[static_cast<size_t>(index / kGiven % kFamily)]);
  int64_t round = index / (kGiven * kFamily);
  std::string initials;
  for (; round > 0; round /= 26) {
    absl::StrAppend(&initials, " ", std::string(1, static_cast<char>('A' + round % 26)), ".");
  }
  return absl::StrCat(given, initials, " ", family);
}

}  // namespace

absl::Status InsertSampleUsers(Connection& connection) {
  const absl::StatusOr<std::string> now = Now(connection);
  if (!now.ok()) return now.status();
  int64_t revision = 0;
  for (const SampleUser& user : kSampleUsers) {
    absl::Status inserted =
        InsertUser(connection, user.name, user.email, user.age, *now, ++revision);
    if (!inserted.ok()) return inserted;
  }
  return absl::OkStatus();
}

absl::Status GenerateUsers(Connection& connection, int64_t count) {
  const absl::StatusOr<std::string> now = Now(connection);
  if (!now.ok()) return now.status();
  for (int64_t number = 1; number <= count; ++number) {
    std::optional<int64_t> age;
    // 37 and 101 have no common divisor, so neighbours differ and every age comes up as often as
    // any other.
    if (number % kWithoutAgeEvery != 0) age = number * 37 % kAges;
    absl::Status inserted =
        InsertUser(connection, NameOfUser(number), absl::StrCat("user", number, "@example.com"),
                   age, *now, number);
    if (!inserted.ok()) return inserted;
  }
  return absl::OkStatus();
}

}  // namespace userservice::store
