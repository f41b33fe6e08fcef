// Filters: AIP-160.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::CountUsersRequest;
using users::v1::ListUsersRequest;
using users::v1::User;

constexpr char kFilterInvalid[] = "INVALID_ARGUMENT / FILTER_INVALID";

using Names = std::vector<std::string>;

struct FilterCase {
  std::string filter;
  Names names;  // of the users that match, in order of their numbers
};

// Ann 20, Bob 30, carl without an age, Dora 40.
void CreateFour(Probe& probe) {
  probe.Create("Ann", "ann", 20);
  probe.Create("Bob", "bob", 30);
  probe.Create("carl", "carl");
  probe.Create("Dora*", "dora", 40);
}

void ExpectNames(Probe& probe, const std::vector<FilterCase>& cases) {
  for (const FilterCase& one : cases) {
    ListUsersRequest request;
    request.set_filter(probe.OwnWhere(one.filter));
    probe.Equal("who matches " + one.filter, NamesOf(probe.ListAll(request)), one.names);
  }
}

void ExpectRefused(Probe& probe, const std::string& filter, const std::string& which) {
  CountUsersRequest request;
  request.set_filter(filter);
  const RpcError error = probe.Refused(&Stub::CountUsers, request, kFilterInvalid, which);
  probe.Equal("the fields named" + which, error.fields(), {"filter"});
}

void Comparisons(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"age = 30", {"Bob"}},
                      {"age != 30", {"Ann", "Dora*"}},
                      {"age < 30", {"Ann"}},
                      {"age <= 30", {"Ann", "Bob"}},
                      {"age > 30", {"Dora*"}},
                      {"age >= 30", {"Bob", "Dora*"}},
                      {"age=30", {"Bob"}}});
}

void OrBindsTighter(Probe& probe) {
  CreateFour(probe);
  // (age = 20 OR age = 30) AND (name = "Bob" OR name = "carl")
  ExpectNames(probe, {{"age = 20 OR age = 30 AND name = \"Bob\" OR name = \"carl\"", {"Bob"}},
                      {"age = 20 OR (age = 30 AND name = \"Bob\")", {"Ann", "Bob"}}});
}

void Negation(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"NOT age > 20", {"Ann", "carl"}},
                      {"-age > 20", {"Ann", "carl"}},
                      {"NOT (age = 20 OR age = 40)", {"Bob", "carl"}},
                      {"NOT name = \"Ann\" AND NOT name = \"Bob\"", {"carl", "Dora*"}}});
}

void AbsentValues(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"age != 99", {"Ann", "Bob", "Dora*"}},
                      {"age >= 0", {"Ann", "Bob", "Dora*"}},
                      {"NOT age = 20", {"Bob", "carl", "Dora*"}},
                      {"NOT age != 99", {"carl"}}});
}

void Presence(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"age:*", {"Ann", "Bob", "Dora*"}}, {"NOT age:*", {"carl"}}});
}

void Containment(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"name:\"NN\"", {"Ann"}}, {"name:\"CAR\"", {"carl"}}, {"name:\"x\"", {}}});
}

void Wildcards(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"name = \"A*\"", {"Ann"}},
                      {"name = \"*b\"", {"Bob"}},
                      {"name = \"*ar*\"", {"carl"}},
                      {"name = \"A*n\"", {"Ann"}},
                      {"name = \"a*\"", {}}});
}

void Escapes(Probe& probe) {
  CreateFour(probe);
  probe.Create("back\\slash", "slash");
  ExpectNames(probe, {{"name = \"Dora\\*\"", {"Dora*"}},
                      {"name = \"Ann\\*\"", {}},
                      {"name = \"back\\\\slash\"", {"back\\slash"}}});
}

void EmailLiterals(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"email = \"ANN@" + absl::AsciiStrToUpper(probe.domain()) + "\"", {"Ann"}},
                      {"email = \"BO*\"", {"Bob"}}});
}

void CodePointOrder(Probe& probe) {
  CreateFour(probe);
  probe.Create("\xC3\x84", "umlaut");
  ExpectNames(probe, {{"name > \"Z\"", {"carl", "\xC3\x84"}}, {"name < \"B\"", {"Ann"}}});
}

void Times(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  const absl::Time created = absl::FromUnixSeconds(ann.create_time().seconds());
  const auto rfc3339 = [](absl::Time time) {
    return absl::FormatTime("\"%Y-%m-%dT%H:%M:%SZ\"", time, absl::UTCTimeZone());
  };
  const std::string before = rfc3339(created - absl::Seconds(2));
  const std::string after = rfc3339(created + absl::Seconds(2));
  const std::string shifted =
      absl::FormatTime("\"%Y-%m-%dT%H:%M:%S+02:00\"", created + absl::Hours(2) - absl::Seconds(2),
                       absl::UTCTimeZone());
  ExpectNames(probe, {{"create_time > " + before, {"Ann"}},
                      {"create_time > " + after, {}},
                      {"create_time > " + shifted, {"Ann"}},
                      {"update_time < " + after, {"Ann"}}});
}

void UserIds(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(3);
  if (users.size() != 3) return;
  ExpectNames(probe, {{absl::StrCat("user_id = ", users[1].user_id()), {"User 2"}},
                      {absl::StrCat("user_id > ", users[1].user_id()), {"User 3"}}});
}

void EmptyFilter(Probe& probe) {
  probe.CreateMany(3);
  CountUsersRequest request;
  request.set_filter(probe.Own());
  const int64_t own = probe.Ok(&Stub::CountUsers, request).count();
  probe.Equal("the users of this rule", own, 3);
  request.clear_filter();
  probe.True("an empty filter counts at least those",
             probe.Ok(&Stub::CountUsers, request).count() >= own);
  ListUsersRequest list;
  list.set_page_size(3);
  probe.Equal("users in a page without a filter", probe.Ok(&Stub::ListUsers, list).users_size(), 3);
}

void CountsAreExact(Probe& probe) {
  probe.CreateMany(120);
  CountUsersRequest request;
  request.set_filter(probe.OwnWhere("age > 50"));
  probe.Equal("users of ages 51 to 120", probe.Ok(&Stub::CountUsers, request).count(), 70);
}

void LiteralsAreData(Probe& probe) {
  CreateFour(probe);
  ExpectNames(probe, {{"name = \"' OR 1=1 --\"", {}},
                      {"name = \"Ann' OR 'a'='a\"", {}},
                      {"name:\"%\"", {}},
                      {"name:\"_\"", {}}});
}

void BadFilters(Probe& probe) {
  for (const std::string filter :
       {"age >", "> 3", "shoe_size = 4", "age > x", "age > 25 AND", "(age = 1", "age = 1)",
        "name = \"open", "age = 1; DROP TABLE users", "create_time > \"yesterday\"", "age ~ 3"}) {
    ExpectRefused(probe, filter, " with the filter " + Shown(filter));
  }
}

void ColumnOfTheFault(Probe& probe) {
  CountUsersRequest request;
  request.set_filter("age = 1 AND shoe_size = 4");
  const RpcError error = probe.Refused(&Stub::CountUsers, request, kFilterInvalid);
  probe.Equal("the column in the metadata", error.metadata("column"), "13");
}

void LimitOfBytes(Probe& probe) {
  constexpr size_t kBytesMax = 2048;
  const User ann = probe.Create("Ann", "ann");
  std::string filter = absl::StrCat("user_id = ", ann.user_id());
  filter.resize(kBytesMax, ' ');
  CountUsersRequest request;
  request.set_filter(filter);
  probe.Equal("who matches 2,048 bytes", probe.Ok(&Stub::CountUsers, request).count(), 1);
  ExpectRefused(probe, filter + " ", " of 2,049 bytes");
}

void LimitOfDepth(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  const auto nested = [&](size_t depth) {
    return absl::StrCat(std::string(depth, '('), "user_id = ", ann.user_id(),
                        std::string(depth, ')'));
  };
  CountUsersRequest request;
  request.set_filter(nested(30));
  probe.Equal("who matches 30 levels", probe.Ok(&Stub::CountUsers, request).count(), 1);
  ExpectRefused(probe, nested(33), " of 33 levels");
}

void LimitOfComparisons(Probe& probe) {
  const User ann = probe.Create("Ann", "ann", 20);
  const auto with = [&](int comparisons) {
    std::string filter = absl::StrCat("user_id = ", ann.user_id(), " AND (age = 20");
    for (int i = 2; i < comparisons; ++i) filter += " OR age = 1";
    return filter + ")";
  };
  CountUsersRequest request;
  request.set_filter(with(64));
  probe.Equal("who matches 64 comparisons", probe.Ok(&Stub::CountUsers, request).count(), 1);
  ExpectRefused(probe, with(65), " of 65 comparisons");
}

}  // namespace

Group FilterRules() {
  return {
      "filters",
      {
          {"an empty filter matches every user", EmptyFilter},
          {"= != < <= > >= compare", Comparisons},
          {"OR binds tighter than AND", OrBindsTighter},
          {"NOT and - negate", Negation},
          {"a comparison with an absent value is false, != too, and NOT of it true", AbsentValues},
          {":* asks for presence", Presence},
          {": asks for containment without regard to ASCII case", Containment},
          {"* stands for anything in string equality", Wildcards},
          {"a backslash takes * and itself literally", Escapes},
          {"literals for email are lowered first", EmailLiterals},
          {"strings order by code point", CodePointOrder},
          {"RFC 3339 timestamps compare", Times},
          {"user_id compares", UserIds},
          {"a count is exact", CountsAreExact},
          {"a literal is data, to SQL too", LiteralsAreData},
          {"a filter that can not be read is refused", BadFilters},
          {"the metadata say at which column a filter is at fault", ColumnOfTheFault},
          {"a filter has at most 2,048 bytes", LimitOfBytes},
          {"a filter has at most 32 levels", LimitOfDepth},
          {"a filter has at most 64 comparisons", LimitOfComparisons},
      }};
}

}  // namespace userservice::cli::conformance
