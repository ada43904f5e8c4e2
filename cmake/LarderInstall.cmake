# liblarder.so and what `cmake --install BUILD --prefix PREFIX` puts where:
#   bin/larder; lib/liblarder.so, include/larder/ and what find_package(Larder) and pkg-config ask for;
#   man pages and completions when they have been made; the licence.
# Everything is found relative to where it lies, so that the prefix may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS larder RUNTIME)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${CMAKE_BINARY_DIR}/share/" DESTINATION "${CMAKE_INSTALL_DATADIR}" OPTIONAL)

if(NOT LARDER_SHARED)
  return()
endif()

# All of the public folder; of the other static libraries, what it needs.
add_library(larder_shared SHARED $<TARGET_OBJECTS:larder_api>)
target_link_libraries(larder_shared PRIVATE larder_api larder_flags)
target_link_options(larder_shared PRIVATE
                    "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/larder.map"
                    -Wl,--no-undefined)
target_include_directories(larder_shared INTERFACE
                           "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_compile_features(larder_shared INTERFACE cxx_std_23)
set_target_properties(larder_shared PROPERTIES
  LINKER_LANGUAGE CXX
  OUTPUT_NAME larder
  EXPORT_NAME larder
  # Until 1.0 every minor version may change the interface.
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/larder.map")

install(TARGETS larder_shared EXPORT LarderTargets LIBRARY)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/larder" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Larder")
install(EXPORT LarderTargets NAMESPACE Larder:: DESTINATION "${package_dir}")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/LarderConfig.cmake.in" "${CMAKE_BINARY_DIR}/LarderConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/LarderConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/LarderConfig.cmake"
              "${CMAKE_BINARY_DIR}/LarderConfigVersion.cmake"
        DESTINATION "${package_dir}")

# From the .pc file's own directory up to the prefix.
file(RELATIVE_PATH LARDER_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/larder.pc.in" "${CMAKE_BINARY_DIR}/larder.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/larder.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
