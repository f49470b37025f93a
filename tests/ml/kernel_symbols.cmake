# Fails if an object of the kernels of one instruction set defines a function that other objects
# could share, global or weak, outside the namespace of its set.
# usage: cmake -D NM=… -D SET=avx2 -D OBJECTS=… -P kernel_symbols.cmake
find_program(nm NAMES "${NM}" nm)
if(NOT nm)
  message("left out: there is no nm")
  return()
endif()

string(LENGTH "isa_${SET}" length)
# Z: of something inside a function; K: of a member that is const.
set(inside "_ZZ*NK?8gradmill2ml${length}isa_${SET}")
set(count 0)
set(strays "")
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND "${nm}" --defined-only "${object}" OUTPUT_VARIABLE symbols
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
  foreach(line IN LISTS lines)
    # T: global; W: weak; i: an indirect function; u: unique in the program.
    if(line MATCHES "^[0-9a-f]* *[TWiu] (.*)$")
      set(symbol "${CMAKE_MATCH_1}")
      math(EXPR count "${count} + 1")
      if(NOT symbol MATCHES "^${inside}" AND NOT symbol MATCHES "^_*(asan|ubsan|tsan)[._]")
        string(APPEND strays "  ${symbol}\n")
      endif()
    endif()
  endforeach()
endforeach()

if(count EQUAL 0)
  message(FATAL_ERROR "no functions found in ${OBJECTS}")
endif()
if(strays)
  find_program(filter NAMES c++filt)
  if(filter)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E echo "${strays}" COMMAND "${filter}"
                    OUTPUT_VARIABLE strays)
  endif()
  message(FATAL_ERROR "outside isa_${SET}:\n${strays}")
endif()
message("${count} functions, all in isa_${SET}")
