# What model files of other programs need. Debian's libzip package for CMake wants libzip's tools,
# too, so pkg-config names the library. libonnx exists only shared: programs link its generated
# messages (onnx_proto), and only tests its checker (onnx).
find_package(PkgConfig REQUIRED)
pkg_check_modules(Libzip REQUIRED IMPORTED_TARGET libzip)
find_library(PROTOBUF_LIBRARY protobuf REQUIRED)
if(NOT TARGET protobuf::libprotobuf)  # CMake's own module would ask for protoc.
  add_library(protobuf::libprotobuf SHARED IMPORTED)
  set_target_properties(protobuf::libprotobuf PROPERTIES IMPORTED_LOCATION "${PROTOBUF_LIBRARY}")
endif()
find_package(ONNX REQUIRED)
