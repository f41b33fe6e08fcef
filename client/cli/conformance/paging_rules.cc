// ListUsers page by page: AIP-158.
#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::ListUsersRequest;
using users::v1::ListUsersResponse;
using users::v1::User;

constexpr char kTokenInvalid[] = "INVALID_ARGUMENT / PAGE_TOKEN_INVALID";

ListUsersRequest OwnPages(const Probe& probe, int page_size) {
  ListUsersRequest request;
  request.set_filter(probe.Own());
  request.set_page_size(page_size);
  return request;
}

void PageSizeOfZero(Probe& probe) {
  probe.CreateMany(51);
  const auto page = probe.Ok(&Stub::ListUsers, OwnPages(probe, 0));
  probe.Equal("users in the first page of 51", page.users_size(), 50);
  probe.True("it has a next_page_token", !page.next_page_token().empty());
}

void PageSizeAboveTheLimit(Probe& probe) {
  probe.CreateMany(1001);
  const auto page = probe.Ok(&Stub::ListUsers, OwnPages(probe, 5000));
  probe.Equal("users in the first page of 1,001", page.users_size(), 1000);
  probe.True("it has a next_page_token", !page.next_page_token().empty());
}

void NegativePageSize(Probe& probe) {
  ListUsersRequest request;
  request.set_page_size(-1);
  const RpcError error =
      probe.Refused(&Stub::ListUsers, request, "INVALID_ARGUMENT / FIELD_INVALID");
  probe.Equal("the fields named", error.fields(), {"page_size"});
}

void PagesAreComplete(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(7);
  const std::vector<User> listed = probe.ListAll(OwnPages(probe, 2));
  probe.Equal("the users of all pages, in order", IdsOf(listed), IdsOf(users));
}

void PagesKeepToTheirSize(Probe& probe) {
  probe.CreateMany(7);
  ListUsersRequest request = OwnPages(probe, 3);
  const auto first = probe.Ok(&Stub::ListUsers, request);
  probe.True("the first page has at most 3 users", first.users_size() <= 3);
  request.set_page_token(first.next_page_token());
  request.set_page_size(1);  // AIP-158: it may change from page to page
  const auto second = probe.Ok(&Stub::ListUsers, request);
  probe.True("the second page, asked for with 1, has at most 1 user", second.users_size() <= 1);
}

void LastPageHasNoToken(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(3);
  const auto page = probe.Ok(&Stub::ListUsers, OwnPages(probe, 10));
  probe.Equal("the users of the only page", IdsIn(page.users()), IdsOf(users));
  probe.Equal("its next_page_token", page.next_page_token(), "");
}

void DeletionsDoNotShiftPages(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(6);
  if (users.size() != 6) return;
  ListUsersRequest request = OwnPages(probe, 2);
  const auto first = probe.Ok(&Stub::ListUsers, request);
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(users[0].user_id());
  probe.Ok(&Stub::DeleteUser, remove);
  request.set_page_token(first.next_page_token());
  std::vector<User> listed(first.users().begin(), first.users().end());
  if (!request.page_token().empty()) {
    const std::vector<User> rest = probe.ListAll(request);
    listed.insert(listed.end(), rest.begin(), rest.end());
  }
  probe.Equal("the users of all pages", IdsOf(listed), IdsOf(users));
}

// A token that leads on from the first page of `request`.
std::string TokenOf(Probe& probe, const ListUsersRequest& request) {
  const std::string token = probe.Ok(&Stub::ListUsers, request).next_page_token();
  if (token.empty()) probe.Note("the token of a page that is not the last", "some text", "none");
  return token;
}

void TokensAreUrlSafe(Probe& probe) {
  probe.CreateMany(3);
  const std::string token = TokenOf(probe, OwnPages(probe, 1));
  const bool is_safe = std::all_of(token.begin(), token.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '=' ||
           c == '.' || c == '~';
  });
  if (!is_safe) probe.Note("the characters of a token", "those of base64url", Shown(token));
}

void ChangedToken(Probe& probe) {
  probe.CreateMany(3);
  ListUsersRequest request = OwnPages(probe, 1);
  const std::string token = TokenOf(probe, request);
  for (const size_t at : {size_t{0}, token.size() / 2, token.size() - 1}) {
    if (at >= token.size()) continue;
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    request.set_page_token(changed);
    const RpcError error = probe.Refused(&Stub::ListUsers, request, kTokenInvalid,
                                         absl::StrCat(" with byte ", at, " of its token changed"));
    probe.Equal("the fields named", error.fields(), {"page_token"});
  }
}

void ForeignText(Probe& probe) {
  for (const std::string token : {"x", "0", "AAAAAAAAAAAAAAAAAAAAAAAA", "' OR 1=1 --"}) {
    ListUsersRequest request;
    request.set_page_token(token);
    probe.Refused(&Stub::ListUsers, request, kTokenInvalid, " with the token " + Shown(token));
  }
}

void TokenOfAnotherFilter(Probe& probe) {
  probe.CreateMany(3);
  ListUsersRequest request = OwnPages(probe, 1);
  request.set_page_token(TokenOf(probe, request));
  request.set_filter(probe.OwnWhere("age > 0"));
  probe.Refused(&Stub::ListUsers, request, kTokenInvalid);
}

void TokenOfAnotherOrder(Probe& probe) {
  probe.CreateMany(3);
  ListUsersRequest request = OwnPages(probe, 1);
  request.set_page_token(TokenOf(probe, request));
  request.set_order_by("age desc");
  probe.Refused(&Stub::ListUsers, request, kTokenInvalid);
}

void TokenOfAnotherMethod(Probe& probe) {
  probe.CreateMany(3);
  users::v1::ExportUsersRequest request;
  request.set_filter(probe.Own());
  request.set_resume_token(TokenOf(probe, OwnPages(probe, 1)));
  CallScope call(probe.timeout(), probe.stop());
  const auto reader = probe.stub().ExportUsers(&call.context(), request);
  for (users::v1::ExportUsersResponse chunk; reader->Read(&chunk);) {
  }
  const RpcError error(reader->Finish());
  probe.Equal("the end of ExportUsers", error.outcome(), kTokenInvalid);
  probe.Equal("the fields named", error.fields(), {"resume_token"});
}

void RevisionOfAPage(Probe& probe) {
  const User user = probe.Create("Ann", "ann");
  const auto page = probe.Ok(&Stub::ListUsers, OwnPages(probe, 10));
  users::v1::CountUsersRequest count;
  count.set_filter(probe.Own());
  const auto counted = probe.Ok(&Stub::CountUsers, count);
  probe.True("it is at least that of a write before", page.revision() >= probe.RevisionOf(user));
  probe.True("that of a later count is no smaller", counted.revision() >= page.revision());
}

}  // namespace

Group PagingRules() {
  return {
      "paging",
      {
          {"a page_size of 0 gives 50 users", PageSizeOfZero},
          {"a page_size above 1,000 gives 1,000 users", PageSizeAboveTheLimit},
          {"a negative page_size is refused", NegativePageSize},
          {"no page is longer than its page_size, which may change", PagesKeepToTheirSize},
          {"the pages of a list hold every user once, in order", PagesAreComplete},
          {"the last page has no next_page_token", LastPageHasNoToken},
          {"a user deleted between two pages costs no other its place", DeletionsDoNotShiftPages},
          {"a page carries the revision that it was read at", RevisionOfAPage},
          {"a token is safe in a URL", TokensAreUrlSafe},
          {"a token with a changed byte is refused", ChangedToken},
          {"text that is no token is refused", ForeignText},
          {"a token is refused with another filter", TokenOfAnotherFilter},
          {"a token is refused with another order", TokenOfAnotherOrder},
          {"a page token is refused as a resume token", TokenOfAnotherMethod},
      }};
}

}  // namespace userservice::cli::conformance
