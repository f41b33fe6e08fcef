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

#include "service/sqlite/log_file.h"
#include "service/sqlite/page_gap.h"
#include "service/sqlite/vfs_layer.h"

namespace userservice::sqlite {
namespace {

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
