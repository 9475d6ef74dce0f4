# SPDX-License-Identifier: Apache-2.0
"""The architecture of the tree as data: every table that the lint tests hold.

A new folder, a new fence or a new exception is one line here, with its reason beside it.
"""

# Folder of code -> folders whose headers its files may include (its own is always allowed).
# Levels: base | par models traces search | results | cluster | study | app.
LAYERS = {
    "src/base": [],
    "src/par": ["src/base"],
    "models": ["src/base"],
    "traces": ["src/base"],
    "results": ["src/base", "src/par"],
    "cluster": ["src/base", "src/par", "models", "traces", "results"],
    "src/study": ["src/base", "models", "traces", "cluster", "results"],
    "src/search": ["src/base"],
    "src/calibrate": ["src/base", "models", "src/study"],
    "src/app": ["src/base", "src/par", "models", "traces", "results", "cluster", "src/study",
                "src/search"],
}

# Test folders named after a folder of code may include what that folder may; the others, all.
TEST_FOLDERS = {
    "tests/base": "src/base",
    "tests/par": "src/par",
    "tests/models": "models",
    "tests/traces": "traces",
    "tests/results": "results",
    "tests/cluster": "cluster",
    "tests/study": "src/study",
    "tests/search": "src/search",
    "tests/calibrate": "src/calibrate",
    "tests/support": "src/base",
}

# Library -> (regex of its headers, files that may include one, as shell patterns without suffix).
# Tests may use any library that the folder they mirror may use; test-only folders may use all.
FENCES = {
    "MPI": (r"mpi\.h", ["src/par/*", "results/h5", "results/gather", "results/store*", "results/ckpt",
                        "cluster/exchange_mpi", "cluster/rally", "cluster/run", "src/app/main",
                        "src/app/eval", "src/app/job", "src/app/keep", "src/app/crew", "src/app/probe",
                        "src/app/slice", "src/app/memo", "src/app/day"]),
    "HDF5": (r"(hdf5(_hl)?|H5[A-Za-z]+)\.h", ["results/h5", "results/h5_read",
                                             "results/store*", "results/columns"]),
    "libyaml": (r"yaml\.h", ["src/study/doc"]),
    "GSL": (r"gsl/.*", ["traces/arrival*", "traces/qsize*", "results/ci",
                       "src/calibrate/calib_fit"]),  # least squares, in a developers' tool
    "GLPK": (r"glpk\.h", ["src/search/programme"]),
    "Random123": (r"Random123/.*", ["src/base/rng"]),
    "xxHash": (r"xxh(ash|3)\.h", ["results/ckpt_file", "src/study/study_digest"]),
    "Check": (r"check\.h", []),
}

# What a CMake file may demand (REQUIRED) -> the Debian package that brings it, which scripts/setup.sh
# installs for building.
CMAKE_DEMANDS = {"MPI": "libopenmpi-dev", "HDF5": "libhdf5-openmpi-dev", "GSL": "libgsl-dev",
                 "PkgConfig": "pkg-config", "YAML": "libyaml-dev", "XXHASH": "libxxhash-dev",
                 "CHECK": "check"}

# Folders that must not reach these libraries even through a header of ours.
NO_REACH = {
    "MPI": ["src/base", "models", "traces", "src/study", "src/search"],
    "HDF5": ["src/base", "models", "src/study", "src/search", "cluster"],
}

# Bodies that several sources of one family include; not interfaces, so they need not stand alone.
TEMPLATES = {"cluster/cpu_loop.h", "cluster/cpu_in_place.h"}

# Sources without a header of their own, besides the variants `family_x.c` beside `family.h`.
NO_HEADER = {"src/app/main.c", "src/calibrate/rf_calibrate.c"}

# Headers whose .c file is made on every build, and by what.
MADE_BY_BUILD = {"src/app/revision.h": "scripts/cmake/revision.cmake"}

# Modules without a test_<module>.c, and where they are tested instead.
TESTED_ELSEWHERE = {
    "src/app/main.c": "tests/cli",
    "src/calibrate/rf_calibrate.c": "scripts/calibrate.sh",  # modes over tested modules
    "src/app/job.c": "tests/cli",       # what it is for shows only under mpirun
}

# Module -> extra prefixes that its external symbols may have, where the module's own would read
# badly: `unit_symbol(UNIT_TIME)` is about one unit.
SYMBOL_PREFIXES = {
    "units": ["unit_"],
    "catalogue": ["model_", "work_"],   # the entries of the catalogue are struct model
    "platform": ["accelerator_"],       # a part of struct platform with a life of its own
    "qsize": ["size_type"],             # as arrival_types is to arrival
    "agree": ["err_agree"],             # the collective member of the err_ family
    # of struct balancer_config, enum load_unit, enum outage_kind, struct fleet_config
    "config": ["balancer_fields", "load_unit_names", "outage_kind_names", "fleet_"],
    "doc": ["node_"],                   # a document is made of struct node
    "columns": ["column_"],             # a file of columns holds struct column
    "server": ["report_list_"],         # what a server hands back
    "replay": ["arrival_replay"],       # its entry in the family of arrival processes
    "state": ["run_state_"],            # of a run, at rest
    "measure": ["trials_"],             # every point that was measured
    "rf_calibrate": ["main"],
    "record_save": ["record_load"],     # the way back
    "calib_fit": ["calib_"],            # fits what calib holds; one vocabulary
    "main": ["main"],
}

# Modules that may hold mutable state for the whole program.
MUTABLE_GLOBALS = {"src/base/log.c"}

# Calls that end the program, print, or name the world, and the files below src/app that may.
FORBIDDEN_CALLS = {
    r"\b_?exit\s*\(": ["src/base/mem.c", "results/trial.c"],
    r"\babort\s*\(": [],
    # rf_calibrate is a program of its own
    r"\b(v?printf|puts|putchar|perror)\s*\(": ["src/calibrate/rf_calibrate.c"],
    r"\bv?fprintf\s*\(\s*std(out|err)\b": ["src/base/mem.c", "src/base/log.c",
                                             "src/calibrate/rf_calibrate.c"],
    r"\bf(puts|putc|write|flush)\s*\([^;]*\bstd(out|err)\b": ["src/base/mem.c", "src/base/log.c"],
    r"\bMPI_Abort\s*\(": [],
    r"\bMPI_COMM_WORLD\b": [],
}

# The first words of a function's comment in a header that includes <mpi.h>.
MPI_WORDS = ("Collective (", "Collective.", "Logically collective: ", "Not collective.")

# Least share of prose in a header, in percent of its lines that are not blank. The aim is 50; the
# floor stops a header from becoming a bare list of prototypes.
PROSE_AIM = 50
PROSE_FLOOR = 30

# Top folders that open with a README.md.
README_FOLDERS = ["src", "models", "traces", "results", "cluster", "slurm", "tests", "scripts"]

# Text that must not be in a file: places that exist on one machine only.
MACHINE_PATHS = [r"(?<![\w.])/(work|root|home|Users|scratch|data)/\w", r"\.\./shared\b",
                 r"(?<![\w/])shared/\w+\.md\b", r"/tmp/build-"]
# Names of pages that are not part of the tree unless docs/ holds them.
FOREIGN_PAGES = ["paper", "calibration", "performance", "toolchain", "product", "style", "design"]
