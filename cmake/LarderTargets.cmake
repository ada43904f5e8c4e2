# The kinds of target. A folder of src/ is one static library with the dependencies that it
# declares; tests, benchmarks and fuzz targets stand beside the code.
#
# Labels of tests, for ctest -L: the folder ("src/io"); "threads": also run under the thread
# sanitizer by ./dev check; "fuzz": replays of a corpus; "long": only in ./dev check; "quick": also
# in every ./dev test --changed.

# Folders whose tests start threads. `larder_threaded` builds what their tests need.
set(LARDER_THREADED_FOLDERS base io log queue snapshot import import_jsonl dataset store server library)
add_custom_target(larder_threaded)

# larder_label_test(NAME [LABELS more...]): the folder's label and a time limit.
function(larder_label_test name)
  cmake_parse_arguments(ARG "" "" "LABELS" ${ARGN})
  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  # Sanitized code is slow, and so is a machine that others use, too.
  set(timeout 300)
  if(LARDER_SANITIZE)
    set(timeout 900)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} LABELS "${folder};${ARG_LABELS}")
endfunction()

# larder_library(NAME SOURCES a.cc ... [DEPS folders...] [LIBS third-party targets...])
function(larder_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(larder_${name} STATIC ${ARG_SOURCES})
  target_include_directories(larder_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src"
                             "${PROJECT_SOURCE_DIR}/include")
  list(TRANSFORM ARG_DEPS PREPEND larder_)
  target_link_libraries(larder_${name} PUBLIC ${ARG_DEPS} larder_flags PRIVATE ${ARG_LIBS})
endfunction()

# larder_test(NAME SOURCES a_test.cc ... DEPS folders... [LIBS targets...])
# One program per folder, one ctest entry, run in the folder of its sources.
function(larder_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  list(TRANSFORM ARG_DEPS PREPEND larder_)
  target_link_libraries(${name}_test PRIVATE ${ARG_DEPS} larder_flags ${ARG_LIBS} GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}/src" "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REGEX REPLACE "/.*" "" folder "${folder}")
  if(folder IN_LIST LARDER_THREADED_FOLDERS)
    add_dependencies(larder_threaded ${name}_test)
    larder_label_test(${name} LABELS threads)
  else()
    larder_label_test(${name})
  endif()
endfunction()

# larder_bench(NAME SOURCES a_bench.cc ... DEPS folders... [LIBS targets...])
function(larder_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${name}_bench ${ARG_SOURCES})
  list(TRANSFORM ARG_DEPS PREPEND larder_)
  target_link_libraries(${name}_bench PRIVATE ${ARG_DEPS} larder_flags ${ARG_LIBS}
                        benchmark::benchmark_main)
endfunction()

# larder_fuzz(NAME SOURCE a_fuzz.cc CORPUS dir DEPS folders...)
# Compiled in every build: with libFuzzer where LARDER_FUZZ is on, otherwise with a main that
# replays files. The corpus is replayed by ctest in every build.
function(larder_fuzz name)
  cmake_parse_arguments(ARG "" "SOURCE;CORPUS" "DEPS;LIBS" ${ARGN})
  add_executable(${name}_fuzz ${ARG_SOURCE})
  list(TRANSFORM ARG_DEPS PREPEND larder_)
  target_link_libraries(${name}_fuzz PRIVATE ${ARG_DEPS} larder_flags ${ARG_LIBS})
  if(LARDER_FUZZ)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz_${name}
             COMMAND ${name}_fuzz -runs=0 "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_CORPUS}")
  else()
    target_sources(${name}_fuzz PRIVATE "${PROJECT_SOURCE_DIR}/cmake/fuzz_replay_main.cc")
    add_test(NAME fuzz_${name} COMMAND ${name}_fuzz "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_CORPUS}")
  endif()
  larder_label_test(fuzz_${name} LABELS fuzz)
  set_property(GLOBAL APPEND_STRING PROPERTY LARDER_FUZZ_LIST
               "${name} ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_CORPUS}\n")
endfunction()

# Writes "name corpus" lines for ./dev fuzz; call once all folders have been added.
function(larder_write_fuzz_list)
  get_property(list GLOBAL PROPERTY LARDER_FUZZ_LIST)
  file(WRITE "${CMAKE_BINARY_DIR}/fuzz_targets.txt" "${list}")
endfunction()
