# The five kinds of target. A folder of src/ is one static library with the dependencies that it
# declares; tests, benchmarks and fuzz targets stand beside the code.

# larder_library(NAME SOURCES a.cc ... [DEPS folders...] [LIBS third-party targets...])
function(larder_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(larder_${name} STATIC ${ARG_SOURCES})
  target_include_directories(larder_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
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
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
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
  set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 300 LABELS fuzz)
endfunction()
