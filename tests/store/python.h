// Databases as Python's sqlite3 makes and reads them.
#pragma once

#include <gtest/gtest.h>
#include <stdio.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/temporary_directory.h"

namespace userservice::store {

inline constexpr char kPythonUsersTable[] = R"py(
CREATE TABLE users (
    user_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(100) NOT NULL,
    email VARCHAR(150) UNIQUE NOT NULL,
    age INTEGER CHECK(age >= 0 AND age <= 150),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
)py";

// Runs `script` with `db`, a connection to the database at `path`, and gives what it printed. What
// it wrote is committed.
inline std::string RunPython(const std::string& path, const std::string& script) {
  const TemporaryDirectory directory;
  const std::string file = directory.File("script.py");
  std::ofstream(file) << "import datetime, sqlite3, sys, warnings\n"
                      << "warnings.simplefilter('ignore')\n"
                      << "db = sqlite3.connect(sys.argv[1], detect_types=sqlite3.PARSE_DECLTYPES)\n"
                      << script << "\ndb.commit()\ndb.close()\n";
  FILE* const output = popen(absl::StrCat("/usr/bin/python3 ", file, " '", path, "'").c_str(), "r");
  std::string printed;
  for (int c = fgetc(output); c != EOF; c = fgetc(output)) printed += static_cast<char>(c);
  EXPECT_EQ(pclose(output), 0) << script;
  return printed;
}

// A table users with what `insert` puts into it, user_version 0.
inline void MakePythonDatabase(const std::string& path, const std::string& insert) {
  RunPython(path, absl::StrCat("db.execute('''", kPythonUsersTable, "''')\n", insert));
}

}  // namespace userservice::store
