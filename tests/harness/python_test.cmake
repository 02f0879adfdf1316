# slab_python_test(FILE LABEL [SERIAL] [LONG] [COST seconds] [TIMEOUT seconds]): one unittest file as one test of ctest.
# SERIAL: it measures time, counts this machine's processes or takes much of its memory, so nothing may run beside it. LONG:
# only ./check --long runs it. COST: about how long it takes, where that is long: the longest begin first, so that at the
# end both CPUs have something to do.
include_guard(GLOBAL)
set(SLABD_PYTHON /usr/bin/python3 CACHE FILEPATH "The Python of the tests: Debian's, with numpy and scipy")

function(slab_python_test file label)
  cmake_parse_arguments(PARSE_ARGV 2 arg "SERIAL;LONG" "COST;TIMEOUT" "")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  string(REPLACE "test_" "" topic ${file})
  set(name ${label}.${topic})
  add_test(NAME ${name}
           COMMAND ${SLABD_PYTHON} -B -m unittest -v ${file}
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "SLABD_BUILD=${CMAKE_BINARY_DIR};PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/harness:${PROJECT_SOURCE_DIR}/client/python"
    LABELS ${label}
    TIMEOUT ${arg_TIMEOUT})
  if(arg_COST)
    set_tests_properties(${name} PROPERTIES COST ${arg_COST})
  endif()
  if(arg_LONG)
    set_property(TEST ${name} APPEND PROPERTY LABELS long)
  endif()
  if(arg_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()
