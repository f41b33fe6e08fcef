# What `cmake --install` leaves for other projects: find_package(userservice) and userservice::client, ::async, ::proto.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/userservice")
set(header_dir "${CMAKE_INSTALL_INCLUDEDIR}/userservice")

foreach(name options proto health_proto async client)
  set_target_properties(userservice_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS userservice_${name} EXPORT userservice_targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          COMPONENT client)
endforeach()
install(EXPORT userservice_targets FILE userserviceTargets.cmake NAMESPACE userservice:: DESTINATION "${package_dir}"
        COMPONENT client)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/async" DESTINATION "${header_dir}" COMPONENT client
        FILES_MATCHING PATTERN "*.h")
install(FILES client/export_stream.h client/options.h client/request_id.h client/status.h client/user_client.h
              client/watch_stream.h
        DESTINATION "${header_dir}/client" COMPONENT client)
install(DIRECTORY "${PROJECT_BINARY_DIR}/proto/generated/users" "${PROJECT_BINARY_DIR}/proto/generated/google"
        DESTINATION "${header_dir}" COMPONENT client
        FILES_MATCHING PATTERN "*.pb.h")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/userserviceConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/userserviceConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/userserviceConfigVersion.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/userserviceConfig.cmake" "${PROJECT_BINARY_DIR}/userserviceConfigVersion.cmake"
        DESTINATION "${package_dir}" COMPONENT client)
