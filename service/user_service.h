// Joins the handlers to the wire: every RPC of users.v1.UserService, each with its handler.
#pragma once

#include "service/rpc/server.h"
#include "service/store/user_store.h"

namespace userservice {

// Before server.Start(). `store` outlives the server's calls.
void AddUserService(rpc::Server& server, store::UserStore& store);

}  // namespace userservice
