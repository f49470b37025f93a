// All that is SQLite's own of the database; the rest is SQL that PostgreSQL understands too.
#pragma once

#include <stdexcept>
#include <string>

#include <soci/soci.h>

namespace gradmill::coordinator {

/// The disk, the system or another process is in the way of the database, which may be sound.
class DatabaseUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Opens `path`, or makes it: write-ahead log, every commit synced, patient with other readers.
/// Throws std::system_error at a limit on the size of files.
void open_sqlite(soci::session& session, const std::string& path);

/// Reads every page of the database, or of one table alone. Throws Damage if one is wrong.
void check_sqlite(soci::session& session);
void check_sqlite(soci::session& session, const std::string& table);

/// Brings the write-ahead log into the database and gives its room back.
void fold_log(soci::session& session);

/// Throws std::system_error if the last call of `session` failed at a limit on the size of files,
/// of which its exception does not tell.
void require_no_file_limit(soci::session& session);

/// Throws the exception that is being handled as std::system_error if the disk is full, else as
/// DatabaseUnavailable with a reason for people, or as Damage. To be called in a handler.
[[noreturn]] void rethrow_sqlite();

}  // namespace gradmill::coordinator
