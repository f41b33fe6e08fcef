// DirectorySnapshot: the files of a directory with their modes and bytes, to compare before with
// after.
//
//   const DirectorySnapshot before(directory.path());
//   ...
//   EXPECT_EQ(DirectorySnapshot(directory.path()), before);
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace userservice {

class DirectorySnapshot {
 public:
  // Of the files named in `names_only`, that they are there, but not their bytes.
  explicit DirectorySnapshot(const std::string& directory,
                             const std::set<std::string>& names_only = {}) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      const std::string name = entry.path().filename();
      struct stat file = {};
      if (lstat(entry.path().c_str(), &file) != 0) continue;
      std::string bytes;
      if (S_ISREG(file.st_mode) && !names_only.contains(name)) {
        std::ifstream stream(entry.path(), std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
      }
      files_[name] = {file.st_mode, bytes};
    }
  }

  bool operator==(const DirectorySnapshot&) const = default;

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, file] : files_) names.push_back(name);
    return names;
  }

  friend void PrintTo(const DirectorySnapshot& snapshot, std::ostream* stream) {
    for (const auto& [name, file] : snapshot.files_) {
      *stream << name << " mode " << std::oct << file.mode << std::dec << ", " << file.bytes.size()
              << " bytes, hash " << std::hash<std::string>()(file.bytes) << "; ";
    }
  }

 private:
  struct File {
    mode_t mode = 0;
    std::string bytes;
    bool operator==(const File&) const = default;
  };
  std::map<std::string, File> files_;
};

}  // namespace userservice
