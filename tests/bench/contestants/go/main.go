// The peer: users.v1 as one would write it in Go, with grpc-go over database/sql and go-sqlite3.
//
//	go_server DATABASE     on a database that userd made; prints `listening on 127.0.0.1:PORT`
//
// Serves GetUser, ListUsers without filter and order, and CreateUser, with userd's schema, durability and answers.
// Statements are prepared once. Reads share a pool of connections; writes, each a transaction of its own, have one.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	usersv1 "users/v1"
)

// The times are read as text: the driver would take a column of type TIMESTAMP for a time of its own.
const columns = "user_id, name, email, age, created_at || '', updated_at || '', revision"

const timeFormat = "2006-01-02 15:04:05.999999"

type userService struct {
	usersv1.UnimplementedUserServiceServer
	get, page, insert *sql.Stmt
}

type scanner interface {
	Scan(values ...interface{}) error
}

func readUser(row scanner) (*usersv1.User, error) {
	var user usersv1.User
	var age sql.NullInt32
	var created, updated string
	var revision int64
	if err := row.Scan(&user.UserId, &user.Name, &user.Email, &age, &created, &updated, &revision); err != nil {
		return nil, err
	}
	if age.Valid {
		user.Age = &age.Int32
	}
	createTime, err := time.Parse(timeFormat, created)
	if err != nil {
		return nil, err
	}
	updateTime, err := time.Parse(timeFormat, updated)
	if err != nil {
		return nil, err
	}
	user.CreateTime, user.UpdateTime = timestamppb.New(createTime), timestamppb.New(updateTime)
	user.Etag = strconv.Quote(strconv.FormatInt(revision, 10))
	return &user, nil
}

func (s *userService) GetUser(ctx context.Context, request *usersv1.GetUserRequest) (*usersv1.User, error) {
	user, err := readUser(s.get.QueryRowContext(ctx, request.UserId))
	if err == sql.ErrNoRows {
		return nil, status.Errorf(codes.NotFound, "there is no user %d", request.UserId)
	}
	return user, err
}

func (s *userService) ListUsers(ctx context.Context, request *usersv1.ListUsersRequest) (*usersv1.ListUsersResponse, error) {
	size := int(request.PageSize)
	if size == 0 {
		size = 50
	} else if size > 1000 {
		size = 1000
	}
	after := int64(0)
	if request.PageToken != "" {
		var err error
		if after, err = strconv.ParseInt(request.PageToken, 10, 64); err != nil {
			return nil, status.Error(codes.InvalidArgument, "page_token was changed")
		}
	}
	rows, err := s.page.QueryContext(ctx, after, size)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	response := &usersv1.ListUsersResponse{Users: make([]*usersv1.User, 0, size)}
	for rows.Next() {
		user, err := readUser(rows)
		if err != nil {
			return nil, err
		}
		response.Users = append(response.Users, user)
	}
	if len(response.Users) == size {
		response.NextPageToken = strconv.FormatInt(response.Users[size-1].UserId, 10)
	}
	return response, rows.Err()
}

func (s *userService) CreateUser(ctx context.Context, request *usersv1.CreateUserRequest) (*usersv1.User, error) {
	user := request.User
	now := time.Now().UTC().Format("2006-01-02 15:04:05.000000")
	stored, err := readUser(s.insert.QueryRowContext(ctx, user.Name, user.Email, user.Age, now))
	if err != nil && strings.HasPrefix(err.Error(), "UNIQUE constraint failed") {
		return nil, status.Errorf(codes.AlreadyExists, "%s is taken", user.Email)
	}
	return stored, err
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func open(database string, connections int) *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+database+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000")
	must(err)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

func prepare(db *sql.DB, query string) *sql.Stmt {
	statement, err := db.Prepare(query)
	must(err)
	return statement
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go_server DATABASE")
		os.Exit(2)
	}
	reads, writes := open(os.Args[1], 4), open(os.Args[1], 1)
	service := &userService{
		get:  prepare(reads, "SELECT "+columns+" FROM users WHERE user_id = ?"),
		page: prepare(reads, "SELECT "+columns+" FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?"),
		insert: prepare(writes, "INSERT INTO users (name, email, age, created_at, updated_at, revision) "+
			"SELECT ?1, ?2, ?3, ?4, ?4, ifnull(max(revision), 0) + 1 FROM users RETURNING "+columns),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := grpc.NewServer()
	usersv1.RegisterUserServiceServer(server, service)
	fmt.Printf("listening on %s\n", listener.Addr())
	must(server.Serve(listener))
}
