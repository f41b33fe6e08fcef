// Where a page of changes ends, and what it leaves to the next one.
#include "service/store/change_scan.h"

#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

using users::v1::WatchUsersResponse;

class ChangeScanTest : public UserStoreTest {
 protected:
  // Revisions 1 to 5: three users at once, a fourth, two renamed at once, one deleted, a fifth.
  ChangeScanTest() {
    EXPECT_TRUE(CreateAll({MakeUser("A", "a@example.com", 10), MakeUser("B", "b@example.com", 20),
                           MakeUser("C", "c@example.com", 30)})
                    .ok());
    EXPECT_TRUE(Create(MakeUser("D", "d@example.com", 40)).ok());
    EXPECT_TRUE(UpdateAll({Renamed(1), Renamed(2)}).ok());
    EXPECT_TRUE(Delete(3).ok());
    EXPECT_TRUE(Create(MakeUser("E", "e@example.com", 50)).ok());
  }
  static UserUpdate Renamed(int64_t user_id) {
    UserUpdate update;
    update.values.set_user_id(user_id);
    update.values.set_name("Renamed");
    update.set_name = true;
    return update;
  }
  static ChangeQuery QueryUpTo(int64_t revision, const std::string& filter = "") {
    ChangeQuery query;
    query.up_to_revision = revision;
    query.filter = *Filter::Parse(filter);
    return query;
  }
  ChangePage Read(const ChangePosition& position, const ChangeQuery& query) {
    const auto connection = database_.Connect();
    absl::StatusOr<ChangePage> page =
        ReadChanges(*connection, sqlite::QueryLimits(), position, query);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : ChangePage();
  }
  // "revision:user_id", with a minus for a removal.
  static std::vector<std::string> Changes(const WatchUsersResponse& message) {
    std::vector<std::string> changes;
    for (const auto& change : message.changes()) {
      const int64_t id = change.has_user() ? change.user().user_id() : -change.removed_user_id();
      changes.push_back(absl::StrCat(change.revision(), ":", id));
    }
    return changes;
  }
};

using Strings = std::vector<std::string>;

TEST_F(ChangeScanTest, UsersStandAtTheirLastChangeAndTombstonesBetweenThem) {
  const ChangePage page = Read(ChangePosition::AfterRevision(0), QueryUpTo(5));
  EXPECT_EQ(Changes(page.message), (Strings{"2:4", "3:1", "3:2", "4:-3", "5:5"}));
  EXPECT_EQ(page.message.revision(), 5);
  EXPECT_EQ(page.next, ChangePosition::AfterRevision(5));
}

TEST_F(ChangeScanTest, APageEndsBetweenTwoRevisionsHoweverSmallItIs) {
  ChangeQuery query = QueryUpTo(5);
  query.page_bytes = 1;
  ChangePosition position = ChangePosition::AfterRevision(0);
  std::vector<Strings> pages;
  while (position.revision < 5) {
    const ChangePage page = Read(position, query);
    pages.push_back(Changes(page.message));
    ASSERT_GT(page.next.revision, position.revision);
    position = page.next;
  }
  EXPECT_EQ(pages, (std::vector<Strings>{{"2:4"}, {"3:1", "3:2"}, {"4:-3"}, {"5:5"}}));
}

TEST_F(ChangeScanTest, APageReadsNoFurtherThanItIsTold) {
  const ChangePage page = Read(ChangePosition::AfterRevision(0), QueryUpTo(3));
  EXPECT_EQ(Changes(page.message), (Strings{"2:4", "3:1", "3:2"}));
  EXPECT_EQ(page.next, ChangePosition::AfterRevision(3));
  EXPECT_EQ(Changes(Read(page.next, QueryUpTo(5)).message), (Strings{"4:-3", "5:5"}));
  EXPECT_EQ(Read(ChangePosition::AfterRevision(0), QueryUpTo(1)).next.revision, 1)
      << "all of revision 1 has changed since";
}

TEST_F(ChangeScanTest, WhoMatchesNotIsRemovedUnlessTheReaderHasJustBegun) {
  EXPECT_EQ(Changes(Read(ChangePosition::AfterRevision(0), QueryUpTo(5, "age > 30")).message),
            (Strings{"2:4", "3:-1", "3:-2", "4:-3", "5:5"}));
  ChangePosition begun = ChangePosition::BeforeAll(3);
  begun = Read(begun, QueryUpTo(5, "age > 30")).next;  // no row has revision 0
  EXPECT_EQ(Changes(Read(begun, QueryUpTo(5, "age > 30")).message),
            (Strings{"2:4", "4:-3", "5:5"}));
}

TEST_F(ChangeScanTest, RowsThatAreLookedAtEndAPageToo) {
  ChangeQuery query = QueryUpTo(5, "age > 1000");
  query.page_rows = 2;
  ChangePosition position = ChangePosition::BeforeAll(5);
  position = Read(position, query).next;
  const ChangePage page = Read(position, query);
  EXPECT_EQ(page.message.changes_size(), 0);
  EXPECT_EQ(page.message.revision(), 3) << "whose two rows belong together";
  EXPECT_EQ(Read(page.next, query).message.revision(), 5);
}

}  // namespace
}  // namespace userservice::store
