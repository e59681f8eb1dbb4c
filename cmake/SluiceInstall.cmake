# What `cmake --install` puts where: the programs, and the client library with its
# find_package(sluice) configuration, whose one target is sluice::sluice.
#
# Public headers go to include/sluice. The headers of libs/ that they include keep their paths
# below include/sluice/internal, which is an include directory of the target.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

foreach(program sluiced sluice)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()

if(NOT TARGET sluice_client)
  return()
endif()

if(NOT TARGET sluice::sluice)
  add_library(sluice::sluice ALIAS sluice_client)
endif()

set(internal_dir "${CMAKE_INSTALL_INCLUDEDIR}/sluice/internal")
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/sluice")

# The client and the libraries of ours that it stands on; found by following its links.
function(sluice_linked_targets target result)
  set(found ${${result}})
  if(target IN_LIST found)
    return()
  endif()
  list(APPEND found ${target})
  foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(links ${target} ${property})
    foreach(link ${links})
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" link "${link}")
      if(TARGET ${link} AND link MATCHES "^sluice_")
        sluice_linked_targets(${link} found)
      endif()
    endforeach()
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

set(installed_targets "")
sluice_linked_targets(sluice_client installed_targets)

set_target_properties(sluice_client PROPERTIES EXPORT_NAME sluice)
install(TARGETS ${installed_targets} EXPORT sluice_targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" "${internal_dir}")
install(EXPORT sluice_targets NAMESPACE sluice:: FILE sluice-targets.cmake
  DESTINATION "${package_dir}")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/client/include/sluice"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/libs/base" "${PROJECT_SOURCE_DIR}/libs/async"
  DESTINATION "${internal_dir}/libs"
  FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/sluice-config.cmake.in"
  "${PROJECT_BINARY_DIR}/sluice-config.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sluice-config-version.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/sluice-config.cmake"
  "${PROJECT_BINARY_DIR}/sluice-config-version.cmake" DESTINATION "${package_dir}")
