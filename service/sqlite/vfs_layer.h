// What a VFS of SQLite's that stands over another one is made of. Private to this folder.
//
// A file of it begins with a LayeredFile; the file of the VFS below stands behind it, in memory
// that SQLite gives. What a layer does not do itself, the VFS or the file below does.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <array>

namespace userservice::sqlite {

struct LayeredFile {
  sqlite3_file file = {};  // first: what SQLite sees of it
  sqlite3_file* below = nullptr;
};

inline sqlite3_file* FileBelow(sqlite3_file* file) {
  return reinterpret_cast<LayeredFile*>(file)->below;
}
inline sqlite3_vfs* VfsBelow(const sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

// A method that the VFS, or file, below answers.
template <auto Method>
struct Below;
template <class Result, class... Args, Result (*sqlite3_vfs::*Method)(sqlite3_vfs*, Args...)>
struct Below<Method> {
  static Result Call(sqlite3_vfs* vfs, Args... args) {
    sqlite3_vfs* const below = VfsBelow(vfs);
    return (below->*Method)(below, args...);
  }
};
template <class Result, class... Args,
          Result (*sqlite3_io_methods::*Method)(sqlite3_file*, Args...)>
struct Below<Method> {
  static Result Call(sqlite3_file* file, Args... args) {
    sqlite3_file* const below = FileBelow(file);
    return (below->pMethods->*Method)(below, args...);
  }
};

// The methods of a file that does nothing itself.
constexpr sqlite3_io_methods MethodsBelow(int version) {
  sqlite3_io_methods methods = {};
  methods.iVersion = version;
  methods.xClose = &Below<&sqlite3_io_methods::xClose>::Call;
  methods.xRead = &Below<&sqlite3_io_methods::xRead>::Call;
  methods.xWrite = &Below<&sqlite3_io_methods::xWrite>::Call;
  methods.xTruncate = &Below<&sqlite3_io_methods::xTruncate>::Call;
  methods.xSync = &Below<&sqlite3_io_methods::xSync>::Call;
  methods.xFileSize = &Below<&sqlite3_io_methods::xFileSize>::Call;
  methods.xLock = &Below<&sqlite3_io_methods::xLock>::Call;
  methods.xUnlock = &Below<&sqlite3_io_methods::xUnlock>::Call;
  methods.xCheckReservedLock = &Below<&sqlite3_io_methods::xCheckReservedLock>::Call;
  methods.xFileControl = &Below<&sqlite3_io_methods::xFileControl>::Call;
  methods.xSectorSize = &Below<&sqlite3_io_methods::xSectorSize>::Call;
  methods.xDeviceCharacteristics = &Below<&sqlite3_io_methods::xDeviceCharacteristics>::Call;
  methods.xShmMap = &Below<&sqlite3_io_methods::xShmMap>::Call;
  methods.xShmLock = &Below<&sqlite3_io_methods::xShmLock>::Call;
  methods.xShmBarrier = &Below<&sqlite3_io_methods::xShmBarrier>::Call;
  methods.xShmUnmap = &Below<&sqlite3_io_methods::xShmUnmap>::Call;
  methods.xFetch = &Below<&sqlite3_io_methods::xFetch>::Call;
  methods.xUnfetch = &Below<&sqlite3_io_methods::xUnfetch>::Call;
  return methods;
}

// SQLite calls no method younger than the version, so a file has the version of the one below it.
// Without methods, where opening failed, SQLite does not close it.
using MethodsByVersion = std::array<sqlite3_io_methods, 3>;
inline void TakeMethods(LayeredFile& layer, const MethodsByVersion& by_version) {
  const sqlite3_io_methods* const below = layer.below->pMethods;
  if (below == nullptr) return;
  const int version = std::clamp(below->iVersion, 1, static_cast<int>(by_version.size()));
  layer.file.pMethods = &by_version[static_cast<size_t>(version - 1)];
}

}  // namespace userservice::sqlite
