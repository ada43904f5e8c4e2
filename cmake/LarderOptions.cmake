# How everything in the tree is compiled: standard, baseline, warnings, instrumentation.
set(LARDER_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
option(LARDER_FUZZ "Build fuzz targets against libFuzzer (needs clang)" OFF)
option(LARDER_COVERAGE "Instrument for gcov" OFF)
option(LARDER_WERROR "Warnings are errors" ON)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

if(CMAKE_SIZEOF_VOID_P LESS 8 OR CMAKE_CXX_BYTE_ORDER STREQUAL "BIG_ENDIAN")
  message(FATAL_ERROR "Larder's files are mapped as they are: little-endian 64-bit machines only")
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "Larder needs std::expected: GCC 12 or newer, found ${CMAKE_CXX_COMPILER_VERSION}")
endif()

# The optimised build keeps its assertions, so that one build tree serves the program and its
# tests. Line tables are enough for a backtrace, and compile and link faster than full symbols.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1" CACHE STRING "" FORCE)

# liblarder.so: only where nothing is instrumented. Its objects are those of the program, so all are
# position-independent, and hidden unless they are marked LARDER_API (decision 0076).
set(LARDER_SHARED ON)
if(LARDER_SANITIZE OR LARDER_FUZZ OR LARDER_COVERAGE)
  set(LARDER_SHARED OFF)
endif()

add_library(larder_flags INTERFACE)
# libstdc++ checks bounds where speed does not matter.
target_compile_definitions(larder_flags INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
target_compile_options(larder_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow
                       -fno-omit-frame-pointer $<$<BOOL:${LARDER_WERROR}>:-Werror>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(larder_flags INTERFACE -march=x86-64-v2)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(larder_flags INTERFACE -Wthread-safety)
endif()
if(LARDER_SHARED)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  # What is installed does not say where it was built.
  target_compile_options(larder_flags INTERFACE -fvisibility=hidden -fvisibility-inlines-hidden
                         "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=/usr/src/larder")
endif()
if(LARDER_SANITIZE)
  target_compile_options(larder_flags INTERFACE -fsanitize=${LARDER_SANITIZE} -O1
                         -fno-sanitize-recover=all)
  target_link_options(larder_flags INTERFACE -fsanitize=${LARDER_SANITIZE})
  # gcc's optimiser raises false alarms once the sanitizers have rewritten the code.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(larder_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict
                           -Wno-stringop-overflow -Wno-array-bounds)
  endif()
endif()
if(LARDER_COVERAGE)
  target_compile_options(larder_flags INTERFACE --coverage)
  target_link_options(larder_flags INTERFACE --coverage)
endif()
if(LARDER_FUZZ)
  target_compile_options(larder_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
