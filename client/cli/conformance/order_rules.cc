// order_by: AIP-132.
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::ListUsersRequest;

constexpr char kOrderByInvalid[] = "INVALID_ARGUMENT / ORDER_BY_INVALID";

// Two of an age, one without, so that there are ties and an absent value.
void CreateFive(Probe& probe) {
  probe.Create("b1", "b1", 30);
  probe.Create("b2", "b2", 30);
  probe.Create("none", "none");
  probe.Create("a", "a", 20);
  probe.Create("c", "c", 40);
}

void ExpectOrder(Probe& probe, const std::string& order_by, const std::vector<std::string>& names,
                 int page_size = 50) {
  ListUsersRequest request;
  request.set_filter(probe.Own());
  request.set_order_by(order_by);
  request.set_page_size(page_size);
  probe.Equal("who comes in the order " + Shown(order_by), NamesOf(probe.ListAll(request)), names);
}

void ByNumber(Probe& probe) {
  CreateFive(probe);
  ExpectOrder(probe, "", {"b1", "b2", "none", "a", "c"});
  ExpectOrder(probe, "user_id desc", {"c", "a", "none", "b2", "b1"});
}

void AbsentFirst(Probe& probe) {
  CreateFive(probe);
  ExpectOrder(probe, "age", {"none", "a", "b1", "b2", "c"});
  ExpectOrder(probe, "age desc", {"c", "b2", "b1", "a", "none"});
}

void Ties(Probe& probe) {
  CreateFive(probe);
  ExpectOrder(probe, "age desc, user_id", {"c", "b1", "b2", "a", "none"});
}

void SeveralKeys(Probe& probe) {
  probe.Create("x", "x1", 1);
  probe.Create("y", "y1", 1);
  probe.Create("x", "x2", 2);
  ListUsersRequest request;
  request.set_filter(probe.Own());
  request.set_order_by("name desc, age desc");
  std::vector<std::string> locals;
  for (const auto& user : probe.ListAll(request))
    locals.push_back(user.email().substr(0, user.email().find('@')));
  probe.Equal("who comes by name, then by age", locals, {"y1", "x2", "x1"});
}

void AcrossPages(Probe& probe) {
  CreateFive(probe);
  for (const int page_size : {1, 2, 3}) {
    ExpectOrder(probe, "age", {"none", "a", "b1", "b2", "c"}, page_size);
    ExpectOrder(probe, "age desc", {"c", "b2", "b1", "a", "none"}, page_size);
  }
}

void Strings(Probe& probe) {
  probe.Create("b", "b");
  probe.Create("\xC3\x84", "umlaut");
  probe.Create("B", "upper");
  probe.Create("a", "a");
  ExpectOrder(probe, "name", {"B", "a", "b", "\xC3\x84"});
}

void EveryField(Probe& probe) {
  probe.CreateMany(2);
  for (const std::string field :
       {"user_id", "name", "email", "age", "create_time", "update_time"}) {
    ExpectOrder(probe, field, {"User 1", "User 2"}, 1);
  }
}

void BadOrders(Probe& probe) {
  for (const std::string order_by :
       {"shoe_size", "age up", "age,,name", ",", "age desc desc", "age; DROP TABLE users"}) {
    ListUsersRequest request;
    request.set_order_by(order_by);
    const RpcError error = probe.Refused(&Stub::ListUsers, request, kOrderByInvalid,
                                         " with the order " + Shown(order_by));
    probe.Equal("the fields named", error.fields(), {"order_by"});
  }
}

}  // namespace

Group OrderRules() {
  return {"orders",
          {
              {"a list is in order of user_id unless it is asked for another", ByNumber},
              {"users without a value come first in ascending order", AbsentFirst},
              {"user_id breaks ties in the direction of the last key", Ties},
              {"a later key decides where the earlier ones are equal", SeveralKeys},
              {"pages keep to the order, ties and absent values included", AcrossPages},
              {"names order by code point", Strings},
              {"every field orders", EveryField},
              {"an order that can not be read is refused", BadOrders},
          }};
}

}  // namespace userservice::cli::conformance
