# What every target of ours is compiled with: gradmill_options (flags that change the code, for all)
# and gradmill_warnings (for our own sources, not for generated ones).
add_library(gradmill_options INTERFACE)
target_include_directories(gradmill_options INTERFACE "${PROJECT_SOURCE_DIR}/src")
# One instruction set for all files but the kernels (src/ml): inline code may not differ between them.
# Contraction is explicit in the kernels, so the compiler never fuses on its own.
target_compile_options(gradmill_options INTERFACE -ffp-contract=off)
target_compile_definitions(gradmill_options INTERFACE GRADMILL_VERSION="${PROJECT_VERSION}")
if(GRADMILL_MARCH)
  target_compile_options(gradmill_options INTERFACE -march=${GRADMILL_MARCH})
endif()
if(GRADMILL_SANITIZE)
  target_compile_options(gradmill_options INTERFACE -fsanitize=${GRADMILL_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(gradmill_options INTERFACE -fsanitize=${GRADMILL_SANITIZE})
endif()

add_library(gradmill_warnings INTERFACE)
target_compile_options(gradmill_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Wnon-virtual-dtor -Wold-style-cast)
# g++ 12 sees overlaps in inlined std::string concatenation that are not there (GCC PR 105651).
target_compile_options(gradmill_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(GRADMILL_WERROR)
  target_compile_options(gradmill_warnings INTERFACE -Werror)
endif()

# gradmill_library(NAME SOURCES … LINK …): one box of the architecture.
function(gradmill_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC gradmill_options ${ARG_LINK} PRIVATE gradmill_warnings)
endfunction()

# Of the man pages; SOURCE_DATE_EPOCH sets it.
string(TIMESTAMP GRADMILL_DATE "%Y-%m-%d" UTC)

# gradmill_program(NAME LINK …): main.cc and the boxes it composes, and its man page, which it tells.
function(gradmill_program name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} main.cc)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} gradmill_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  install(TARGETS ${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES "${PROJECT_SOURCE_DIR}/completions/gradmill.bash" RENAME ${name}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  if(NOT GRADMILL_SANITIZE)
    set(page "${PROJECT_BINARY_DIR}/man/${name}.1")
    set(maker "${PROJECT_SOURCE_DIR}/docs/man/page.sh")
    set(template "${PROJECT_SOURCE_DIR}/docs/man/${name}.1.in")
    file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/man")
    add_custom_command(TARGET ${name} POST_BUILD BYPRODUCTS "${page}" VERBATIM
      COMMAND "${maker}" $<TARGET_FILE:${name}> ${PROJECT_VERSION} ${GRADMILL_DATE} "${template}" > "${page}")
    set_target_properties(${name} PROPERTIES LINK_DEPENDS "${maker};${template}")
    install(FILES "${page}" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  endif()
endfunction()
