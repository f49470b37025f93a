#include "coordinator/store/sqlite_session.h"

#include <soci/sqlite3/soci-sqlite3.h>

#include "base/error.h"
#include "coordinator/store/stored_texts.h"

namespace gradmill::coordinator {

void open_sqlite(soci::session& session, const std::string& path) {
  if (path.find('"') != std::string::npos) {
    // SOCI has no way to write such a name into its connection string.
    throw invalid_input("the state folder's name has a '\"' in it: give --state-dir another one");
  }
  session.open(soci::sqlite3, "dbname=\"" + path + "\" timeout=5");
  std::string mode;
  session << "PRAGMA journal_mode = WAL", soci::into(mode);
  session << "PRAGMA synchronous = FULL";
}

void check_sqlite(soci::session& session) {
  std::string verdict;
  session << "PRAGMA integrity_check(1)", soci::into(verdict);
  if (verdict != "ok") {
    throw Damage(verdict);
  }
}

void rethrow_sqlite() {
  try {
    throw;
  } catch (const soci::sqlite3_soci_error& error) {
    switch (error.result() & 0xff) {
      case SQLITE_FULL:
        throw DatabaseUnavailable("No space left on device");
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
