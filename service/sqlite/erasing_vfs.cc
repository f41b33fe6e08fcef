#include "service/sqlite/erasing_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>

#include "service/sqlite/page_gap.h"

namespace userservice::sqlite {
namespace {

// A file of this VFS begins with a LayeredFile; the file of the VFS below stands behind it, in
// memory that SQLite gives. What a layer does not do itself, the VFS or the file below does.
struct LayeredFile {
  sqlite3_file file = {};  // first: what SQLite sees of it
  sqlite3_file* below = nullptr;
};

sqlite3_file* FileBelow(sqlite3_file* file) { return reinterpret_cast<LayeredFile*>(file)->below; }
sqlite3_vfs* VfsBelow(const sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

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
void TakeMethods(LayeredFile& layer, const MethodsByVersion& by_version) {
  const sqlite3_io_methods* const below = layer.below->pMethods;
  if (below == nullptr) return;
  const int version = std::clamp(below->iVersion, 1, static_cast<int>(by_version.size()));
  layer.file.pMethods = &by_version[static_cast<size_t>(version - 1)];
}

constexpr int kHeldBytesMax = 1 << 16;  // the system's VFS writes less than 2^17 at a time

// https://www.sqlite.org/fileformat2.html#walformat
constexpr int kFrameHeaderBytes = 24;  // no other write has as many
constexpr size_t kCommitAt = 4;        // four bytes, 0 unless the frame ends a transaction

// A write-ahead log that is written in long runs.
//
// SQLite writes a frame by two system calls, 24 bytes and a page, and a batch of writes makes
//   hundreds of frames. So frames that follow each other are held back here, and written together.
// Never held back: the frame that ends a transaction, which comes after what was held, since the
//   others of the connection, of this and of other processes, may read a transaction from then on.
//   Any other use of the file (a read, a sync, a frame elsewhere) first writes what is held.
// A transaction that is given up may leave frames here. They are dropped when the lock for writing
//   is given back: from then on another may write in their place.
// Errors: those of a write come out of the call that made it necessary, and what is held stays: a
//   transaction that survives one (a disk that was full while a statement read) commits it later.
struct LogFile {
  // Drops what is held.
  void Drop() {
    held_bytes = 0;
    ends_transaction = true;
  }

  LayeredFile layer;                // first
  LogFile** of_database = nullptr;  // where the database's file keeps a pointer to this
  std::unique_ptr<unsigned char[]> held;
  int held_bytes = 0;
  sqlite3_int64 held_at = 0;
  bool ends_transaction = true;  // the frame that is being written
};

LogFile& Log(sqlite3_file* file) { return *reinterpret_cast<LogFile*>(file); }

bool EndsTransaction(const void* frame_header) {
  constexpr unsigned char kNo[4] = {};
  return std::memcmp(static_cast<const unsigned char*>(frame_header) + kCommitAt, kNo,
                     sizeof(kNo)) != 0;
}

int WriteHeld(sqlite3_file* file) {
  LogFile& log = Log(file);
  if (log.held_bytes == 0) return SQLITE_OK;
  const int result =
      Below<&sqlite3_io_methods::xWrite>::Call(file, log.held.get(), log.held_bytes, log.held_at);
  if (result == SQLITE_OK) log.held_bytes = 0;
  return result;
}

bool MayHold(LogFile& log, int bytes) {
  if (log.ends_transaction || bytes > kHeldBytesMax) return false;
  if (log.held == nullptr) log.held.reset(new (std::nothrow) unsigned char[kHeldBytesMax]);
  return log.held != nullptr;
}

int WriteLog(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 at) {
  LogFile& log = Log(file);
  if (bytes == kFrameHeaderBytes) log.ends_transaction = EndsTransaction(data);
  const bool may_hold = MayHold(log, bytes);
  const bool joins =
      may_hold && at == log.held_at + log.held_bytes && log.held_bytes + bytes <= kHeldBytesMax;
  if (!joins) {
    const int result = WriteHeld(file);
    if (result != SQLITE_OK) return result;
    log.held_at = at;
  }
  if (!may_hold) return Below<&sqlite3_io_methods::xWrite>::Call(file, data, bytes, at);
  std::memcpy(log.held.get() + log.held_bytes, data, static_cast<size_t>(bytes));
  log.held_bytes += bytes;
  return SQLITE_OK;
}

// What the file below answers once it has all that was written.
template <auto Method>
struct AfterWrites;
template <class... Args, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Args...)>
struct AfterWrites<Method> {
  static int Call(sqlite3_file* file, Args... args) {
    const int result = WriteHeld(file);
    return result == SQLITE_OK ? Below<Method>::Call(file, args...) : result;
  }
};

int CloseLog(sqlite3_file* file) {
  const int result = Below<&sqlite3_io_methods::xClose>::Call(file);
  *Log(file).of_database = nullptr;
  Log(file).~LogFile();
  return result;
}

constexpr sqlite3_io_methods LogMethodsOf(int version) {
  sqlite3_io_methods methods = MethodsBelow(version);
  methods.xClose = &CloseLog;
  methods.xRead = &AfterWrites<&sqlite3_io_methods::xRead>::Call;
  methods.xWrite = &WriteLog;
  methods.xTruncate = &AfterWrites<&sqlite3_io_methods::xTruncate>::Call;
  methods.xSync = &AfterWrites<&sqlite3_io_methods::xSync>::Call;
  methods.xFileSize = &AfterWrites<&sqlite3_io_methods::xFileSize>::Call;
  return methods;
}

constexpr MethodsByVersion kLogMethods = {LogMethodsOf(1), LogMethodsOf(2), LogMethodsOf(3)};

constexpr int kPageBytesMin = 512;
constexpr int kPageBytesMax = 65536;
constexpr size_t kDatabaseHeaderBytes = 100;
constexpr sqlite3_int64 kLargestRootAt = 52;  // four bytes, 0 unless the database has auto_vacuum

// A main database file that may be written.
struct ErasingFile {
  LayeredFile layer;            // first
  LogFile* log = nullptr;       // its write-ahead log, while that is open
  sqlite3_int64 bytes_max = 0;  // that the database has had, or will have
  std::unique_ptr<unsigned char[]> cleaned;
  int cleaned_bytes = 0;
};

// Where the file below begins.
constexpr size_t kBelowAt =
    (std::max(sizeof(ErasingFile), sizeof(LogFile)) + alignof(std::max_align_t) - 1) &
    ~(alignof(std::max_align_t) - 1);

constexpr int kWriteLock = 0;  // among the locks of the shared memory

ErasingFile& Erasing(sqlite3_file* file) { return *reinterpret_cast<ErasingFile*>(file); }

int CloseErasing(sqlite3_file* file) {
  const int result = Below<&sqlite3_io_methods::xClose>::Call(file);
  Erasing(file).~ErasingFile();
  return result;
}

// SQLite tells how large the file will be before it makes it larger.
void NoteSize(sqlite3_file* file, sqlite3_int64 bytes) {
  Erasing(file).bytes_max = std::max(Erasing(file).bytes_max, bytes);
}

int SizeOfErasing(sqlite3_file* file, sqlite3_int64* bytes) {
  const int result = Below<&sqlite3_io_methods::xFileSize>::Call(file, bytes);
  if (result == SQLITE_OK) NoteSize(file, *bytes);
  return result;
}

int ControlErasing(sqlite3_file* file, int operation, void* argument) {
  if (operation == SQLITE_FCNTL_SIZE_HINT)
    NoteSize(file, *static_cast<const sqlite3_int64*>(argument));
  return Below<&sqlite3_io_methods::xFileControl>::Call(file, operation, argument);
}

// What of a page that is about to be written is to be erased.
std::optional<PageGap> FindStaleGap(ErasingFile& file, std::span<const unsigned char> page,
                                    sqlite3_int64 at) {
  const auto page_bytes = static_cast<sqlite3_int64>(page.size());
  const bool is_page = page_bytes >= kPageBytesMin && page_bytes <= kPageBytesMax &&
                       std::has_single_bit(page.size()) && at % page_bytes == 0;
  if (!is_page) return std::nullopt;
  const std::optional<PageGap> gap = FindPageGap(page, at == 0 ? kDatabaseHeaderBytes : 0);
  if (!gap.has_value()) return std::nullopt;
  const auto bytes = page.subspan(gap->begin, gap->end - gap->begin);
  if (std::all_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte == 0; }))
    return std::nullopt;
  if (file.bytes_max / page_bytes > static_cast<sqlite3_int64>(kPageGapPagesMax))
    return std::nullopt;
  return gap;
}

// A file that has no first page yet is new, and none of this project's gets auto_vacuum. An old one
// can get it by VACUUM alone, which changes the first page, and that is written before the others.
int ReadHasAutoVacuum(sqlite3_file* file, const unsigned char* page, sqlite3_int64 at,
                      bool& has_auto_vacuum) {
  std::array<unsigned char, 4> largest_root = {};
  if (at == 0) {
    std::memcpy(largest_root.data(), page + kLargestRootAt, largest_root.size());
  } else {
    const int result = Below<&sqlite3_io_methods::xRead>::Call(
        file, largest_root.data(), static_cast<int>(largest_root.size()), kLargestRootAt);
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) return result;
  }
  has_auto_vacuum = largest_root != std::array<unsigned char, 4>();
  return SQLITE_OK;
}

int WriteErasing(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 at) {
  NoteSize(file, at + bytes);
  ErasingFile& erasing = Erasing(file);
  const auto* const page = static_cast<const unsigned char*>(data);
  const std::optional<PageGap> gap = FindStaleGap(erasing, {page, static_cast<size_t>(bytes)}, at);
  bool has_auto_vacuum = false;
  if (gap.has_value()) {
    const int result = ReadHasAutoVacuum(file, page, at, has_auto_vacuum);
    if (result != SQLITE_OK) return result;
  }
  if (!gap.has_value() || has_auto_vacuum)
    return Below<&sqlite3_io_methods::xWrite>::Call(file, data, bytes, at);

  // The page is SQLite's, and may be one that it keeps.
  if (erasing.cleaned_bytes < bytes) {
    erasing.cleaned.reset(new (std::nothrow) unsigned char[static_cast<size_t>(bytes)]);
    erasing.cleaned_bytes = erasing.cleaned != nullptr ? bytes : 0;
    if (erasing.cleaned == nullptr) return SQLITE_IOERR_NOMEM;
  }
  unsigned char* const cleaned = erasing.cleaned.get();
  std::copy_n(page, bytes, cleaned);
  std::fill(cleaned + gap->begin, cleaned + gap->end, static_cast<unsigned char>(0));
  return Below<&sqlite3_io_methods::xWrite>::Call(file, cleaned, bytes, at);
}

int LockErasing(sqlite3_file* file, int first, int count, int flags) {
  const bool ends_writing =
      first == kWriteLock && flags == (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
  if (LogFile* const log = Erasing(file).log; ends_writing && log != nullptr) log->Drop();
  return Below<&sqlite3_io_methods::xShmLock>::Call(file, first, count, flags);
}

constexpr sqlite3_io_methods ErasingMethodsOf(int version) {
  sqlite3_io_methods methods = MethodsBelow(version);
  methods.xClose = &CloseErasing;
  methods.xWrite = &WriteErasing;
  methods.xFileSize = &SizeOfErasing;
  methods.xFileControl = &ControlErasing;
  methods.xShmLock = &LockErasing;
  return methods;
}

constexpr MethodsByVersion kErasingMethods = {ErasingMethodsOf(1), ErasingMethodsOf(2),
                                              ErasingMethodsOf(3)};

// Opens the file below a layer in the memory that SQLite gave for both.
template <class Layer>
int OpenBelow(sqlite3_vfs* vfs, sqlite3_filename name, Layer* opened, int flags, int* flags_out,
              const MethodsByVersion& methods) {
  LayeredFile& layer = opened->layer;
  layer.below =
      reinterpret_cast<sqlite3_file*>(reinterpret_cast<unsigned char*>(opened) + kBelowAt);
  layer.below->pMethods = nullptr;
  const int result = Below<&sqlite3_vfs::xOpen>::Call(vfs, name, layer.below, flags, flags_out);
  TakeMethods(layer, methods);
  return result;
}

int OpenLog(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
            int* flags_out) {
  sqlite3_file* const database = sqlite3_database_file_object(name);
  const bool is_written =
      database->pMethods != nullptr && database->pMethods->xWrite == &WriteErasing;
  if (!is_written) return Below<&sqlite3_vfs::xOpen>::Call(vfs, name, file, flags, flags_out);
  auto* const log = new (static_cast<void*>(file)) LogFile();
  const int result = OpenBelow(vfs, name, log, flags, flags_out, kLogMethods);
  if (file->pMethods == nullptr) return result;
  log->of_database = &Erasing(database).log;
  Erasing(database).log = log;
  return result;
}

int OpenErasing(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                int* flags_out) {
  if ((flags & SQLITE_OPEN_WAL) != 0) return OpenLog(vfs, name, file, flags, flags_out);
  const bool is_written =
      (flags & SQLITE_OPEN_MAIN_DB) != 0 && (flags & SQLITE_OPEN_READWRITE) != 0;
  if (!is_written) return Below<&sqlite3_vfs::xOpen>::Call(vfs, name, file, flags, flags_out);
  auto* const erasing = new (static_cast<void*>(file)) ErasingFile();
  return OpenBelow(vfs, name, erasing, flags, flags_out, kErasingMethods);
}

sqlite3_vfs MakeErasingVfs(sqlite3_vfs* below) {
  sqlite3_vfs vfs = {};
  vfs.iVersion = std::min(below->iVersion, 2);  // 3: replacing system calls, which is for tests
  vfs.szOsFile = static_cast<int>(kBelowAt) + below->szOsFile;
  vfs.mxPathname = below->mxPathname;
  vfs.zName = "erasing";
  vfs.pAppData = below;
  vfs.xOpen = &OpenErasing;
  vfs.xDelete = &Below<&sqlite3_vfs::xDelete>::Call;
  vfs.xAccess = &Below<&sqlite3_vfs::xAccess>::Call;
  vfs.xFullPathname = &Below<&sqlite3_vfs::xFullPathname>::Call;
  vfs.xDlOpen = &Below<&sqlite3_vfs::xDlOpen>::Call;
  vfs.xDlError = &Below<&sqlite3_vfs::xDlError>::Call;
  vfs.xDlSym = &Below<&sqlite3_vfs::xDlSym>::Call;
  vfs.xDlClose = &Below<&sqlite3_vfs::xDlClose>::Call;
  vfs.xRandomness = &Below<&sqlite3_vfs::xRandomness>::Call;
  vfs.xSleep = &Below<&sqlite3_vfs::xSleep>::Call;
  vfs.xCurrentTime = &Below<&sqlite3_vfs::xCurrentTime>::Call;
  vfs.xGetLastError = &Below<&sqlite3_vfs::xGetLastError>::Call;
  vfs.xCurrentTimeInt64 = &Below<&sqlite3_vfs::xCurrentTimeInt64>::Call;
  return vfs;
}

}  // namespace

const char* ErasingVfs() {
  static sqlite3_vfs vfs = MakeErasingVfs(sqlite3_vfs_find(nullptr));
  // If memory is out, opening says that there is no such VFS.
  [[maybe_unused]] static const int registered = sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
  return vfs.zName;
}

}  // namespace userservice::sqlite
