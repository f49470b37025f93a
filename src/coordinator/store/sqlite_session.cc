#include "coordinator/store/sqlite_session.h"

#include <cerrno>
#include <system_error>

#include <soci/sqlite3/soci-sqlite3.h>

#include "base/error.h"
#include "coordinator/store/stored_texts.h"

namespace gradmill::coordinator {
namespace {

void require_ok(const std::string& verdict) {
  if (verdict != "ok") {
    throw Damage(verdict);
  }
}

}  // namespace

void open_sqlite(soci::session& session, const std::string& path) {
  if (path.find('"') != std::string::npos) {
    // SOCI has no way to write such a name into its connection string.
    throw invalid_input("the state folder's name has a '\"' in it: give --state-dir another one");
  }
  session.open(soci::sqlite3, "dbname=\"" + path + "\" timeout=5");
  const auto* const backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  sqlite_api::sqlite3_extended_result_codes(backend->conn_, 1);
  std::string mode;
  session << "PRAGMA journal_mode = WAL", soci::into(mode);
  session << "PRAGMA synchronous = FULL";
  // The log stays at about 1 MiB: on a small disk its room is that of other files.
  session << "PRAGMA wal_autocheckpoint = 256";
  session << "PRAGMA journal_size_limit = 1048576";
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
