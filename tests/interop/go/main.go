// The story in Go: user_story HOST:PORT
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/golang/protobuf/proto"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	usersv1 "users/v1"
)

// check ends the program, and with it the story, unless the fact is true.
func check(fact bool, format string, values ...interface{}) {
	if !fact {
		log.Fatalf(format, values...)
	}
}

func must(err error) {
	check(err == nil, "%v", err)
}

// fails expects an error with this code and this reason. A program decides by the reason, which is in the ErrorInfo
// among the error's details; the library has them from the google.rpc.Status in the trailer.
func fails(err error, code codes.Code, reason string) {
	answer := status.Convert(err)
	check(answer.Code() == code, "%s was expected, not: %v", reason, err)
	for _, detail := range answer.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			check(info.Domain == "users.v1" && info.Reason == reason, "%s was expected, not: %v", reason, info)
			return
		}
	}
	log.Fatalf("no ErrorInfo in %v", err)
}

// list has every page: the list ends where no token of a next page comes, and a page may be empty before.
func list(ctx context.Context, users usersv1.UserServiceClient, filter string) (found []*usersv1.User) {
	request := &usersv1.ListUsersRequest{Filter: filter}
	for {
		page, err := users.ListUsers(ctx, request)
		must(err)
		found = append(found, page.Users...)
		if page.NextPageToken == "" {
			return found
		}
		request.PageToken = page.NextPageToken
	}
}

// export reads a server stream to its end.
func export(ctx context.Context, users usersv1.UserServiceClient) (found []*usersv1.User) {
	stream, err := users.ExportUsers(ctx, &usersv1.ExportUsersRequest{})
	must(err)
	for {
		chunk, err := stream.Recv()
		if err == io.EOF {
			return found
		}
		must(err)
		found = append(found, chunk.Users...)
	}
}

func same(found []*usersv1.User, expected ...*usersv1.User) bool {
	return proto.Equal(&usersv1.ListUsersResponse{Users: found}, &usersv1.ListUsersResponse{Users: expected})
}

func story(ctx context.Context, users usersv1.UserServiceClient) {
	ann, err := users.CreateUser(ctx, &usersv1.CreateUserRequest{
		User: &usersv1.User{Name: "Ann", Email: "ann@example.com", Age: proto.Int32(31)}})
	must(err)
	check(ann.Name == "Ann" && ann.Etag != "", "not Ann: %v", ann)
	bob, err := users.CreateUser(ctx, &usersv1.CreateUserRequest{
		User: &usersv1.User{Name: "Bob", Email: "bob@example.com", Age: proto.Int32(25)}})
	must(err)

	_, err = users.CreateUser(ctx, &usersv1.CreateUserRequest{
		User: &usersv1.User{Name: "Another Ann", Email: "ANN@example.com"}})
	fails(err, codes.AlreadyExists, "EMAIL_TAKEN")

	found := list(ctx, users, "age > 25")
	check(same(found, ann), "age > 25 found %v", found)

	// An update says which fields it writes. With the etag of what was read it can not undo another's change.
	birthday := &usersv1.UpdateUserRequest{
		User:       proto.Clone(ann).(*usersv1.User),
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"age"}},
	}
	birthday.User.Age = proto.Int32(32)
	older, err := users.UpdateUser(ctx, birthday)
	must(err)
	check(older.GetAge() == 32 && older.Etag != ann.Etag, "not updated: %v", older)
	_, err = users.UpdateUser(ctx, birthday)
	fails(err, codes.Aborted, "ETAG_MISMATCH")

	exported := export(ctx, users)
	check(same(exported, older, bob), "exported %v", exported)

	page, err := users.ListUsers(ctx, &usersv1.ListUsersRequest{})
	must(err)
	_, err = users.DeleteUser(ctx, &usersv1.DeleteUserRequest{UserId: ann.UserId})
	must(err)

	// A watch from the revision of a list on misses no change after it. It has no end but the context's.
	watch, err := users.WatchUsers(ctx, &usersv1.WatchUsersRequest{AfterRevision: proto.Int64(page.Revision)})
	must(err)
	message, err := watch.Recv()
	must(err)
	check(len(message.Changes) == 1 && message.Changes[0].GetRemovedUserId() == ann.UserId, "watched %v", message)

	_, err = users.GetUser(ctx, &usersv1.GetUserRequest{UserId: ann.UserId})
	fails(err, codes.NotFound, "USER_NOT_FOUND")
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: user_story HOST:PORT")
		os.Exit(2)
	}
	// One deadline for the whole story; without one a call may wait for ever.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	connection, err := grpc.DialContext(ctx, os.Args[1], grpc.WithInsecure(), grpc.WithBlock())
	must(err)
	defer connection.Close()
	story(ctx, usersv1.NewUserServiceClient(connection))
}
