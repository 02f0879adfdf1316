# Included by what `cmake --install` runs. Sets, without DESTDIR:
#   SLABD_BIN_DIR  SLABD_DOC_DIR     below the prefix
#   SLABD_CONFIG_DIR                 /etc/slabd for the prefixes of the system, as the units and messages have it
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_BINDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE SLABD_BIN_DIR)
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_DATAROOTDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE SLABD_DOC_DIR)
string(APPEND SLABD_DOC_DIR /doc/slabd)
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(SLABD_CONFIG_DIR /etc/slabd)
else()
  set(SLABD_CONFIG_DIR ${CMAKE_INSTALL_PREFIX}/etc/slabd)
endif()
