# SPDX-License-Identifier: Apache-2.0
# A recipe for Spack. Linted, not run: a test compiles it, carries it out with a stand-in for Spack, and
# compares what it depends on with what CMake demands; no Spack has installed from it yet.
#
# It names no place to fetch from: build it from a tree that is there.
#
#     mkdir -p ~/spack-repo/packages/recfleet && cp package.py ~/spack-repo/packages/recfleet
#     printf 'repo:\n  namespace: recfleet\n' > ~/spack-repo/repo.yaml
#     spack repo add ~/spack-repo
#     spack dev-build --source-path TREE recfleet@0.2.0
from spack.package import *


class Recfleet(CMakePackage):
    """An MPI cluster simulator for neural recommendation serving: how many servers a traffic needs
    within its tail-latency target, and which scheduling policy, batch size and mix of servers
    serve it best."""

    license("Apache-2.0")
    has_code = True

    version("0.2.0")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5@1.10: +hl")
    depends_on("gsl")
    depends_on("glpk")
    depends_on("libyaml")
    depends_on("random123", type="build")
    depends_on("xxhash@0.8:")
    depends_on("zlib-api")
    depends_on("hwloc@2:")
    depends_on("onednn")
    depends_on("check", type="test")

    def cmake_args(self):
        return [self.define("RECFLEET_TESTS", self.run_tests)]
