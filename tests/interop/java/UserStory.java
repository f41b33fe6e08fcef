// The story in Java: java UserStory HOST:PORT
import com.google.protobuf.FieldMask;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import users.v1.UserOuterClass.User;
import users.v1.UserServiceGrpc;
import users.v1.UserServiceGrpc.UserServiceBlockingStub;
import users.v1.UserServiceOuterClass.CreateUserRequest;
import users.v1.UserServiceOuterClass.DeleteUserRequest;
import users.v1.UserServiceOuterClass.ExportUsersRequest;
import users.v1.UserServiceOuterClass.GetUserRequest;
import users.v1.UserServiceOuterClass.ListUsersRequest;
import users.v1.UserServiceOuterClass.ListUsersResponse;
import users.v1.UserServiceOuterClass.UpdateUserRequest;
import users.v1.UserServiceOuterClass.WatchUsersRequest;
import users.v1.UserServiceOuterClass.WatchUsersResponse;

public final class UserStory {
  private final UserServiceBlockingStub users;

  private UserStory(UserServiceBlockingStub users) {
    this.users = users;
  }

  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel = ManagedChannelBuilder.forTarget(arguments[0]).usePlaintext().build();
    try {
      // One deadline for the whole story; without one a call may wait for ever.
      new UserStory(UserServiceGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS)).tell();
    } finally {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
  }

  private void tell() {
    User ann = create(User.newBuilder().setName("Ann").setEmail("ann@example.com").setAge(31).build());
    User bob = create(User.newBuilder().setName("Bob").setEmail("bob@example.com").setAge(25).build());
    check(ann.getName().equals("Ann") && !ann.getEtag().isEmpty(), ann);

    User again = User.newBuilder().setName("Another Ann").setEmail("ANN@example.com").build();
    fails(Status.Code.ALREADY_EXISTS, "EMAIL_TAKEN", () -> create(again));

    List<User> listed = list("age > 25");
    check(listed.equals(List.of(ann)), listed);

    // An update says which fields it writes. With the etag of what was read it can not undo another's change.
    UpdateUserRequest birthday = UpdateUserRequest.newBuilder()
        .setUser(ann.toBuilder().setAge(32))
        .setUpdateMask(FieldMask.newBuilder().addPaths("age"))
        .build();
    User older = users.updateUser(birthday);
    check(older.getAge() == 32 && !older.getEtag().equals(ann.getEtag()), older);
    fails(Status.Code.ABORTED, "ETAG_MISMATCH", () -> users.updateUser(birthday));

    List<User> exported = new ArrayList<>();
    users.exportUsers(ExportUsersRequest.getDefaultInstance())
        .forEachRemaining(chunk -> exported.addAll(chunk.getUsersList()));
    check(exported.equals(List.of(older, bob)), exported);

    long revision = users.listUsers(ListUsersRequest.getDefaultInstance()).getRevision();
    users.deleteUser(DeleteUserRequest.newBuilder().setUserId(ann.getUserId()).build());

    // A watch from the revision of a list on misses no change after it. It has no end but the client's.
    WatchUsersResponse message =
        users.watchUsers(WatchUsersRequest.newBuilder().setAfterRevision(revision).build()).next();
    check(message.getChangesCount() == 1 && message.getChanges(0).getRemovedUserId() == ann.getUserId(), message);

    fails(Status.Code.NOT_FOUND, "USER_NOT_FOUND",
        () -> users.getUser(GetUserRequest.newBuilder().setUserId(ann.getUserId()).build()));
  }

  private User create(User user) {
    return users.createUser(CreateUserRequest.newBuilder().setUser(user).build());
  }

  /** Every page: the list ends where no token of a next page comes, and a page may be empty before. */
  private List<User> list(String filter) {
    List<User> found = new ArrayList<>();
    ListUsersRequest.Builder request = ListUsersRequest.newBuilder().setFilter(filter);
    ListUsersResponse page;
    do {
      page = users.listUsers(request.build());
      found.addAll(page.getUsersList());
      request.setPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());
    return found;
  }

  private static void check(boolean fact, Object found) {
    if (!fact) {
      throw new AssertionError(found);
    }
  }

  /** Expects an RPC error with this code and this reason. */
  private static void fails(Status.Code code, String reason, Runnable call) {
    try {
      call.run();
    } catch (StatusRuntimeException error) {
      ErrorInfo info = errorInfo(error);
      check(error.getStatus().getCode() == code && info.getDomain().equals("users.v1")
          && info.getReason().equals(reason), error);
      return;
    }
    throw new AssertionError(reason + " was expected");
  }

  /** What a program decides by, out of the google.rpc.Status in the error's trailer. */
  private static ErrorInfo errorInfo(StatusRuntimeException error) {
    return StatusProto.fromThrowable(error).getDetailsList().stream()
        .filter(detail -> detail.is(ErrorInfo.class))
        .map(detail -> {
          try {
            return detail.unpack(ErrorInfo.class);
          } catch (InvalidProtocolBufferException broken) {
            throw new AssertionError(broken);
          }
        })
        .findFirst().orElseThrow(() -> new AssertionError("no ErrorInfo", error));
  }
}
