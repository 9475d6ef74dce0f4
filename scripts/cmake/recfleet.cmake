# SPDX-License-Identifier: Apache-2.0
# The few CMake functions that the folders share.

# rf_library(rf_x SOURCES a.c b.c LIBS rf_base ...): one static library per folder. With no source
# yet it is an interface library, so that its users link either way.
function(rf_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  if(A_SOURCES)
    add_library(${name} STATIC ${A_SOURCES})
    target_link_libraries(${name} PUBLIC rf_flags ${A_LIBS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE rf_flags ${A_LIBS})
  endif()
endfunction()

# rf_test(test_x SOURCES test_x.c [more.c] LIBS rf_x [LABELS unit] [TIMEOUT 60]): a serial Check
# program, one CTest case.
function(rf_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  if(NOT A_SOURCES)
    set(A_SOURCES ${name}.c)
  endif()
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_LIBS} rf_test_support PkgConfig::CHECK)
  add_test(NAME ${name} COMMAND ${name})
  # Only MPI's leaks need the slow unwinder, which is ten times as slow where much is allocated.
  set(env ${RF_TEST_ENV})
  list(FILTER env EXCLUDE REGEX "^ASAN_OPTIONS=")
  set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${A_TIMEOUT}
                       ENVIRONMENT "${env}")
endfunction()

# rf_mpi_test(test_x RANKS 1 2 4 SOURCES ... LIBS ...): the same for a program that calls MPI, one
# CTest case per rank count (named test_x.n2). CK_FORK is off: forking after MPI_Init is not safe. Leaks
# are looked for on one rank: telling MPI's from ours takes the slow unwinder, and most of the time.
function(rf_mpi_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;LIBS;LABELS;RANKS" ${ARGN})
  if(NOT A_SOURCES)
    set(A_SOURCES ${name}.c)
  endif()
  if(NOT A_LABELS)
    set(A_LABELS mpi)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 180)
  endif()
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_LIBS} rf_test_support PkgConfig::CHECK MPI::MPI_C)
  foreach(n ${A_RANKS})
    set(env ${RF_TEST_ENV})
    if(RECFLEET_SANITIZE AND n GREATER 1)
      list(FILTER env EXCLUDE REGEX "^ASAN_OPTIONS=")
      list(APPEND env "ASAN_OPTIONS=detect_leaks=0")
    endif()
    if(RECFLEET_SANITIZE_THREADS) # MPI's own threads are built without it
      list(APPEND env "TSAN_OPTIONS=ignore_noninstrumented_modules=1")
    endif()
    add_test(NAME ${name}.n${n}
             COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${n} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.n${n} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${A_TIMEOUT}
                         PROCESSORS ${n} ENVIRONMENT "${env};CK_FORK=no")
  endforeach()
endfunction()

# rf_embed(OUT x_data.c ARRAY a ELEMENT e HEADER h FILES models/*.yaml ...): a C file in the build
# folder with the files of the tree that match, in the order of their names (embed.cmake says as
# what). It is made anew when one of them changes, comes or goes.
function(rf_embed)
  cmake_parse_arguments(A "" "OUT;ARRAY;ELEMENT;HEADER" "FILES" ${ARGN})
  list(TRANSFORM A_FILES PREPEND ${PROJECT_SOURCE_DIR}/)
  file(GLOB files RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${A_FILES})
  list(SORT files)
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE paths)
  set(script ${PROJECT_SOURCE_DIR}/scripts/cmake/embed.cmake)
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${A_OUT}
    COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} "-DFILES=${files}"
            -DOUT=${CMAKE_CURRENT_BINARY_DIR}/${A_OUT} -DHEADER=${A_HEADER}
            -DELEMENT=${A_ELEMENT} -DARRAY=${A_ARRAY} -P ${script}
    DEPENDS ${paths} ${script}
    VERBATIM)
endfunction()
