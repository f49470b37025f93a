#include "coordinator/store/rows/sqlite_session.h"

#include <cerrno>
#include <system_error>

#include <soci/sqlite3/soci-sqlite3.h>

#include "base/error.h"
#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {
namespace {

void require_ok(const std::string& verdict) {
  if (verdict != "ok") {
    throw Damage(verdict);
  }
}

sqlite_api::sqlite3* connection_of(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

/// Of the write-ahead log's last call that failed; a commit tells it nowhere else.
int errno_of_log(sqlite_api::sqlite3* connection) {
  sqlite_api::sqlite3_file* log = nullptr;
  int last = 0;
  if (sqlite_api::sqlite3_file_control(
          connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log)) ==
          SQLITE_OK &&
      log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &last);
  }
  return last;
}

void set_up(soci::session& session) {
  std::string mode;
  session << "PRAGMA journal_mode = WAL", soci::into(mode);
  session << "PRAGMA synchronous = FULL";
  // The log stays at about 1 MiB: on a small disk its room is that of other files.
  session << "PRAGMA wal_autocheckpoint = 256";
  session << "PRAGMA journal_size_limit = 1048576";
}

}  // namespace

void open_sqlite(soci::session& session, const std::string& path) {
  if (path.find('"') != std::string::npos) {
    // SOCI has no way to write such a name into its connection string.
    throw invalid_input("the state folder's name has a '\"' in it: give --state-dir another one");
  }
  session.open(soci::sqlite3, "dbname=\"" + path + "\" timeout=5");
  sqlite_api::sqlite3_extended_result_codes(connection_of(session), 1);
  try {
    set_up(session);
  } catch (const soci::soci_error&) {
    require_no_file_limit(session);
    throw;
  }
}

void require_no_file_limit(soci::session& session) {
  sqlite_api::sqlite3* const connection = connection_of(session);
  if ((sqlite_api::sqlite3_errcode(connection) & 0xff) == SQLITE_IOERR &&
      (sqlite_api::sqlite3_system_errno(connection) == EFBIG ||
       errno_of_log(connection) == EFBIG)) {
    throw std::system_error(EFBIG, std::generic_category());
  }
}

void check_sqlite(soci::session& session) {
  std::string verdict;
  session << "PRAGMA integrity_check(1)", soci::into(verdict);
  require_ok(verdict);
}

void check_sqlite(soci::session& session, const std::string& table) {
  std::string verdict;
  session << "PRAGMA integrity_check(" + table + ")", soci::into(verdict);
  require_ok(verdict);
}

void fold_log(soci::session& session) { session << "PRAGMA wal_checkpoint(TRUNCATE)"; }

void rethrow_sqlite() {
  try {
    throw;
  } catch (const soci::sqlite3_soci_error& error) {
    if (error.result() == SQLITE_IOERR_SHMSIZE) {
      throw std::system_error(ENOSPC, std::generic_category());
    }
    switch (error.result() & 0xff) {
      case SQLITE_FULL:
        throw std::system_error(ENOSPC, std::generic_category());
      case SQLITE_PERM:
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
      case SQLITE_NOMEM:
      case SQLITE_READONLY:
      case SQLITE_INTERRUPT:
      case SQLITE_IOERR:
      case SQLITE_CANTOPEN:
        throw DatabaseUnavailable(sqlite_api::sqlite3_errstr(error.result()));
      default:
        throw Damage(error.what());
    }
  } catch (const soci::soci_error& error) {
    throw Damage(error.what());
  }
}

}  // namespace gradmill::coordinator
