# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts under its prefix. The program looks for none of it: models and platforms
# are inside it, so the whole may be moved, and the files are for people to read, copy and start from.
#
#   bin/recfleet
#   share/man/man1                 a page for the program and for each command
#   share/bash-completion, share/zsh
#   share/recfleet/studies         the studies of slurm/studies
#   share/recfleet/models          the catalogues: models, platforms, accelerators, measured tables
#   share/recfleet/site            what a Slurm site copies and edits
#   share/doc/recfleet
include(GNUInstallDirs)
set(pages ${PROJECT_BINARY_DIR}/src/app/pages)
set(data ${CMAKE_INSTALL_DATADIR}/recfleet)

# A program that was linked with libraries of a site's own must find them where they are; of the
# system's folders nothing may be written down, other versions of it have others.
foreach(library ${MPI_C_LIBRARIES} ${HDF5_C_LIBRARIES} ${GSL_LIBRARY} ${GLPK_LIBRARY})
  if(IS_ABSOLUTE "${library}" AND NOT library MATCHES "^/(usr/)?lib")
    set_property(TARGET recfleet PROPERTY INSTALL_RPATH_USE_LINK_PATH ON)
  endif()
endforeach()

install(TARGETS recfleet)
install(DIRECTORY ${pages}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${pages}/bash/recfleet DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${pages}/zsh/_recfleet DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(DIRECTORY slurm/studies DESTINATION ${data} FILES_MATCHING PATTERN *.yaml PATTERN *.csv)
install(DIRECTORY models/catalog models/platforms models/accelerators models/tables
        DESTINATION ${data}/models FILES_MATCHING PATTERN *.yaml)
install(FILES slurm/site/example.env DESTINATION ${data}/site)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CHANGES.md CITATION.cff LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
