# Run by `cmake --install`. The file in etc belongs to whoever administers the machine once it is there; the newest
# defaults are always among the documentation.
file(INSTALL ${CMAKE_CURRENT_SOURCE_DIR}/slabd.toml DESTINATION ${SLABD_DOC_DIR})
if(EXISTS $ENV{DESTDIR}${SLABD_CONFIG_DIR}/slabd.toml)
  message(STATUS "Kept: $ENV{DESTDIR}${SLABD_CONFIG_DIR}/slabd.toml")
else()
  file(INSTALL ${CMAKE_CURRENT_SOURCE_DIR}/slabd.toml DESTINATION ${SLABD_CONFIG_DIR})
endif()
