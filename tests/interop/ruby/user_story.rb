#!/usr/bin/ruby
# frozen_string_literal: true

# The story in Ruby: ruby -I STUBS user_story.rb HOST:PORT
#
# STUBS is the folder that protoc generated users/v1/*_pb.rb into, by --ruby_out and --grpc_out.

require 'grpc'
require 'google/protobuf/well_known_types' # Any#is and Any#unpack
require 'google/rpc/error_details_pb'
require 'users/v1/user_service_services_pb'

include Users::V1

DEADLINE_SECONDS = 10

def check(fact, message)
  raise message unless fact
end

# Expects an RPC error of this class and with this reason.
def fails(error_class, reason)
  yield
rescue error_class => e
  check(error_info(e).domain == 'users.v1' && error_info(e).reason == reason, e.message)
else
  raise "#{reason} was expected"
end

# What a program decides by, out of the google.rpc.Status in the error's trailer.
def error_info(error)
  status = error.to_rpc_status
  check(status.code == error.code, 'the trailer has another code')
  status.details.find { |detail| detail.is(Google::Rpc::ErrorInfo) }.unpack(Google::Rpc::ErrorInfo)
end

# Every page: the list ends where no token of a next page comes, and a page may be empty before.
def list(users, filter)
  found = []
  request = ListUsersRequest.new(filter: filter)
  loop do
    page = users.list_users(request)
    found.concat(page.users.to_a)
    return found if page.next_page_token.empty?

    request.page_token = page.next_page_token
  end
end

def story(users)
  ann = users.create_user(CreateUserRequest.new(user: User.new(name: 'Ann', email: 'ann@example.com', age: 31)))
  bob = users.create_user(CreateUserRequest.new(user: User.new(name: 'Bob', email: 'bob@example.com', age: 25)))
  check(ann.name == 'Ann' && !ann.etag.empty?, ann.inspect)

  fails(GRPC::AlreadyExists, 'EMAIL_TAKEN') do
    again = User.new(name: 'Another Ann', email: 'ANN@example.com')
    users.create_user(CreateUserRequest.new(user: again))
  end

  check(list(users, 'age > 25') == [ann], 'age > 25 is Ann')

  # An update says which fields it writes. With the etag of what was read it can not undo another's change.
  birthday = UpdateUserRequest.new(user: ann.dup, update_mask: Google::Protobuf::FieldMask.new(paths: ['age']))
  birthday.user.age = 32
  older = users.update_user(birthday)
  check(older.age == 32 && older.etag != ann.etag, older.inspect)
  fails(GRPC::Aborted, 'ETAG_MISMATCH') { users.update_user(birthday) }

  exported = users.export_users(ExportUsersRequest.new).flat_map { |chunk| chunk.users.to_a }
  check(exported == [older, bob], exported.inspect)

  revision = users.list_users(ListUsersRequest.new).revision
  users.delete_user(DeleteUserRequest.new(user_id: ann.user_id))

  # A watch from the revision of a list on misses no change after it. It has no end but the client's.
  watch = users.watch_users(WatchUsersRequest.new(after_revision: revision), return_op: true)
  changes = watch.execute.first.changes
  check(changes.map(&:removed_user_id) == [ann.user_id], changes.inspect)
  watch.cancel

  fails(GRPC::NotFound, 'USER_NOT_FOUND') { users.get_user(GetUserRequest.new(user_id: ann.user_id)) }
end

# The timeout is that of every call.
story(UserService::Stub.new(ARGV.fetch(0), :this_channel_is_insecure, timeout: DEADLINE_SECONDS))
