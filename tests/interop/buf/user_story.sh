#!/usr/bin/env bash
# The story from a shell, with the Buf CLI, jq and protoc: user_story.sh HOST:PORT
#
# buf knows nothing of the service but what the server says of itself by reflection. BUF names the program; PROTO_PATH
# has google/rpc/error_details.proto, since buf prints the details of an error as they came.
# shellcheck disable=SC2016 # what begins with $ in a filter is a name of jq
set -euo pipefail

server="http://$1"
buf=("${BUF:-buf}" curl --protocol grpc --http2-prior-knowledge --timeout 10s)
imports=()
IFS=: read -ra folders <<<"$PROTO_PATH"
for folder in "${folders[@]}"; do imports+=("-I$folder"); done

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# users METHOD REQUEST: calls it, and prints the response as JSON, or the error on standard error.
users() {
  "${buf[@]}" --data "$2" "$server/users.v1.UserService/$1"
}

# check NAME JSON FACT [JQ ARGUMENTS]: whether jq finds the fact true.
check() {
  local name=$1 json=$2 fact=$3
  shift 3
  jq --exit-status "$@" "$fact" <<<"$json" >/dev/null || die "$name: not $fact in $json"
}

# reason ERROR: what a program decides by, out of the details of an error: its ErrorInfo's reason.
reason() {
  jq -r '.details[] | select(.type == "google.rpc.ErrorInfo").value | . + "=" * ((4 - length % 4) % 4)' <<<"$1" |
    base64 --decode | protoc "${imports[@]}" --decode=google.rpc.ErrorInfo google/rpc/error_details.proto |
    sed -n 's/^reason: "\(.*\)"$/\1/p'
}

# fails CODE REASON METHOD REQUEST: the call is answered with this error.
fails() {
  local error
  ! error=$(users "$3" "$4" 2>&1) || die "$3: $2 was expected, not $error"
  check "$3" "$error" ".code == \"$1\""
  [[ $(reason "$error") == "$2" ]] || die "$3: $2 was expected, not $error"
}

services=$("${buf[@]}" --list-services "$server")
grep -qxF users.v1.UserService <<<"$services" || die "reflection lists: $services"

ann=$(users CreateUser '{"user": {"name": "Ann", "email": "ann@example.com", "age": 31}}')
bob=$(users CreateUser '{"user": {"name": "Bob", "email": "bob@example.com", "age": 25}}')
check CreateUser "$ann" '.name == "Ann" and .etag != ""'

fails already_exists EMAIL_TAKEN CreateUser '{"user": {"name": "Another Ann", "email": "ANN@example.com"}}'

# Two users fit into one page; the list would go on where a page has a nextPageToken.
check ListUsers "$(users ListUsers '{"filter": "age > 25"}')" '.users == [$ann]' --argjson ann "$ann"

# An update says which fields it writes. With the etag of what was read it can not undo another's change.
birthday=$(jq '{user: (. + {age: 32}), updateMask: "age"}' <<<"$ann")
older=$(users UpdateUser "$birthday")
check UpdateUser "$older" '.age == 32 and .etag != $ann.etag' --argjson ann "$ann"
fails aborted ETAG_MISMATCH UpdateUser "$birthday"

# One JSON document for each message of the stream; --slurp makes one list of them.
check ExportUsers "$(users ExportUsers '{}')" 'map(.users[]) == [$older, $bob]' --slurp \
  --argjson older "$older" --argjson bob "$bob"

after=$(users ListUsers '{}' | jq '{afterRevision: .revision}')
one=$(jq '{userId}' <<<"$ann")
users DeleteUser "$one" >/dev/null

# A watch from the revision of a list on misses no change after it. It has no end, and jq takes one document of it.
check WatchUsers "$(jq --null-input input < <(users WatchUsers "$after" 2>/dev/null))" \
  '[.changes[].removedUserId] == [$ann.userId]' --argjson ann "$ann"

fails not_found USER_NOT_FOUND GetUser "$one"
