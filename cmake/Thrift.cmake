# Debian's libthrift ships no CMake package: pkg-config names the library, the compiler is on PATH.
find_package(PkgConfig REQUIRED)
pkg_check_modules(Thrift REQUIRED IMPORTED_TARGET thrift)
find_program(THRIFT_COMPILER thrift REQUIRED)
