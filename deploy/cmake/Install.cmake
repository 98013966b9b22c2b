# What `cmake --install` puts where: component daemon, component ctl.
include(GNUInstallDirs)
set(docs ${CMAKE_INSTALL_DATAROOTDIR}/doc)

configure_file(systemd/runbookd.service.in runbookd.service @ONLY)
configure_file(systemd/tmpfiles.conf.in tmpfiles.conf @ONLY)

install(TARGETS runbookd COMPONENT daemon)
install(FILES debian/runbookd.yaml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/runbookd COMPONENT daemon)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/runbookd.service DESTINATION lib/systemd/system COMPONENT daemon)
install(FILES systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME runbookd.conf COMPONENT daemon)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME runbookd.conf COMPONENT daemon)
install(FILES prometheus/alerts.yml DESTINATION ${CMAKE_INSTALL_DATADIR}/runbookd/prometheus COMPONENT daemon)
install(FILES grafana/runbookd.json DESTINATION ${CMAKE_INSTALL_DATADIR}/runbookd/grafana COMPONENT daemon)
install(FILES ${CMAKE_SOURCE_DIR}/config/runbookd.example.yaml DESTINATION ${docs}/runbookd/examples COMPONENT daemon)

install(TARGETS runbookctl runbookd-audit-verify COMPONENT ctl)
install(FILES ${CMAKE_SOURCE_DIR}/config/plan.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/runbookctl COMPONENT ctl)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/config/plans/ DESTINATION ${docs}/runbookctl/examples COMPONENT ctl)
