# `cpack -G DEB` (cmake --workflow --preset package): runbookd and runbookctl, one package each.
set(CPACK_GENERATOR DEB)
set(RUNBOOKD_MAINTAINER "the authors of runbookd <maintainers@runbookd.invalid>" CACHE STRING
    "Whom the packages name as their maintainer: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT ${RUNBOOKD_MAINTAINER})
set(CPACK_PACKAGE_VENDOR runbookd)
set(CPACK_COMPONENTS_ALL daemon ctl)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME runbookd)
set(CPACK_COMPONENT_DAEMON_DESCRIPTION "daemon that carries PostgreSQL schema changes through production
Each phase's SQL is run with lock timeouts, every fact is recorded before and
after it happens, the next phase opens only when validation queries pass, and
every executed step can be taken back.")
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles")
set(CPACK_DEBIAN_DAEMON_PACKAGE_RECOMMENDS runbookctl)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SUGGESTS "prometheus, grafana")

set(CPACK_DEBIAN_CTL_PACKAGE_NAME runbookctl)
set(CPACK_COMPONENT_CTL_DESCRIPTION "command line of runbookd
Starts, pauses, resumes and rolls back schema changes that runbookd carries
through production; checks, explains and imports plans without a daemon.")

# Maintainer scripts and documents that differ by package or by path.
set(made ${CMAKE_CURRENT_BINARY_DIR}/debian)
string(TIMESTAMP RUNBOOKD_CHANGELOG_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(debian/postinst.in ${made}/postinst @ONLY FILE_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
configure_file(debian/changelog.in ${made}/changelog @ONLY)
file(WRITE ${made}/conffiles "${CMAKE_INSTALL_FULL_SYSCONFDIR}/runbookd/runbookd.yaml\n")
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
    "${made}/postinst;${CMAKE_CURRENT_SOURCE_DIR}/debian/prerm;${CMAKE_CURRENT_SOURCE_DIR}/debian/postrm;${made}/conffiles")

find_program(RUNBOOKD_GZIP gzip REQUIRED)
add_custom_command(
  OUTPUT ${made}/changelog.gz
  COMMAND ${RUNBOOKD_GZIP} -9 --no-name --keep --force ${made}/changelog
  DEPENDS ${made}/changelog VERBATIM)
add_custom_target(runbookd_changelog ALL DEPENDS ${made}/changelog.gz)
foreach(component daemon ctl)
  string(TOUPPER ${component} upper)
  set(doc ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  install(FILES debian/copyright ${made}/changelog.gz DESTINATION ${doc} COMPONENT ${component})
endforeach()

include(CPack)
