// The program userctl, but for `main` itself. Call it first thing, while no other thread runs;
// returns the exit status.
#pragma once

namespace userservice::cli {

int Main(int argc, char** argv);

}  // namespace userservice::cli
