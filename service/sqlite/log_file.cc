#include "service/sqlite/log_file.h"

#include <cstring>
#include <new>

namespace userservice::sqlite {
namespace {

constexpr int kHeldBytesMax = 1 << 16;  // the system's VFS writes less than 2^17 at a time

// https://www.sqlite.org/fileformat2.html#walformat
constexpr int kFrameHeaderBytes = 24;  // no other write has as many
constexpr size_t kCommitAt = 4;        // four bytes, 0 unless the frame ends a transaction

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

constexpr sqlite3_io_methods MethodsOf(int version) {
  sqlite3_io_methods methods = MethodsBelow(version);
  methods.xClose = &CloseLog;
  methods.xRead = &AfterWrites<&sqlite3_io_methods::xRead>::Call;
  methods.xWrite = &WriteLog;
  methods.xTruncate = &AfterWrites<&sqlite3_io_methods::xTruncate>::Call;
  methods.xSync = &AfterWrites<&sqlite3_io_methods::xSync>::Call;
  methods.xFileSize = &AfterWrites<&sqlite3_io_methods::xFileSize>::Call;
  return methods;
}

}  // namespace

constinit const MethodsByVersion kLogMethods = {MethodsOf(1), MethodsOf(2), MethodsOf(3)};

void LogFile::Drop() {
  held_bytes = 0;
  ends_transaction = true;
}

}  // namespace userservice::sqlite
