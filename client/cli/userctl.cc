// userctl: users.v1.UserService from the command line. See --help.
#include "client/cli/main.h"

int main(int argc, char** argv) { return userservice::cli::Main(argc, argv); }
