# SPDX-License-Identifier: Apache-2.0
# The Debian package: cpack -G DEB --config build/release/CPackConfig.cmake makes
# recfleet_VERSION_ARCHITECTURE.deb of what install.cmake installs. dpkg-shlibdeps works out what it
# depends on, so it is for the release of Debian that it was made on.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "simulator of neural recommendation serving in a datacenter")
set(CPACK_PACKAGE_DESCRIPTION "recfleet answers fleet questions about neural recommendation serving:
how many servers this traffic needs within its tail-latency target, and which
scheduling policy, batch size and mix of CPU and accelerator servers serve it
best, at what power. It simulates every query on every server, on one process
or on many under MPI, and writes one HDF5 file.")
# Whoever builds the package answers for it, as dpkg's own tools have it; the project has no address
# of its own to put here.
set(maintainer "The recfleet authors")
if(DEFINED ENV{DEBFULLNAME})
  set(maintainer "$ENV{DEBFULLNAME}")
endif()
set(address "recfleet@packages.invalid")
if(DEFINED ENV{DEBEMAIL})
  set(address "$ENV{DEBEMAIL}")
endif()
set(CPACK_PACKAGE_CONTACT "${maintainer} <${address}>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# oneDNN is loaded by a program that runs models, and then only.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "openmpi-bin | mpich, libdnnl2 | libdnnl3")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, hdf5-tools, netcdf-bin, python3-h5netcdf, slurm-client")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/scripts/packaging/debian.cmake)
# Packing needs the program, not the tests that `all` would build.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
include(CPack)
