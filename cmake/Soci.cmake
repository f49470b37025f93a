# Debian's SOCI ships neither a CMake package nor a pkg-config file. Linked statically, so that the
# coordinator needs no backend beside it; SQLite itself is shared, for its security updates.
find_path(SOCI_INCLUDE_DIR soci/soci.h REQUIRED)
find_library(SOCI_CORE_LIBRARY libsoci_core.a REQUIRED)
find_library(SOCI_SQLITE3_LIBRARY libsoci_sqlite3.a REQUIRED)
find_package(SQLite3 3.35 REQUIRED)
add_library(gradmill_soci INTERFACE)
target_include_directories(gradmill_soci SYSTEM INTERFACE "${SOCI_INCLUDE_DIR}")
target_link_libraries(gradmill_soci INTERFACE "${SOCI_SQLITE3_LIBRARY}" "${SOCI_CORE_LIBRARY}"
                      SQLite::SQLite3 ${CMAKE_DL_LIBS})
