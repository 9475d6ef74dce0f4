# SPDX-License-Identifier: Apache-2.0
"""The architecture of the tree as data: every table that the lint tests hold.

A new folder, a new fence or a new exception is one line here, with its reason beside it.
"""

# Folder of code -> folders whose headers its files may include (its own is always allowed).
# Levels: base | par models traces search | results | cluster, results/file | results/report, study |
# runs | capacity jobs live | app.
LAYERS = {
    "src/base": [],
    "src/par": ["src/base"],
    "models": ["src/base"],
    "traces": ["src/base"],
    "results": ["src/base", "src/par"],
    "results/file": ["src/base", "src/par", "results"],
    "results/chart": ["src/base"],
    "results/report": ["src/base", "results", "results/file", "results/chart"],
    "cluster": ["src/base", "src/par", "models", "traces", "results"],
    "src/study": ["src/base", "models", "traces", "cluster", "results", "results/file"],
    "src/search": ["src/base", "results"],
    "src/calibrate": ["src/base", "models", "src/study"],
    "src/native": ["src/base", "models"],
    "src/kernels": ["src/base", "models", "src/study", "src/native"],
    "src/runs": ["src/base", "src/par", "models", "traces", "results", "results/file", "cluster",
                 "src/study", "src/search"],
    "src/capacity": ["src/base", "src/par", "models", "traces", "results", "results/file",
                     "results/report", "cluster", "src/study", "src/search", "src/runs"],
    "src/jobs": ["src/base", "src/study", "src/runs"],
    "src/live": ["src/base", "src/par", "models", "traces", "results", "results/file", "cluster",
                 "src/study", "src/runs", "src/native"],
    "src/app": ["src/base", "src/par", "models", "traces", "results", "results/file",
                "results/report", "cluster", "src/study", "src/search", "src/runs",
                "src/capacity", "src/jobs", "src/native", "src/live"],
}

# Test folders named after a folder of code may include what that folder may, and what the tests of
# those have in common; the others, all.
TEST_FOLDERS = {
    "tests/base": "src/base",
    "tests/par": "src/par",
    "tests/models": "models",
    "tests/native": "src/native",
    "tests/traces": "traces",
    "tests/results": "results",
    "tests/results/file": "results/file",
    "tests/results/chart": "results/chart",
    "tests/results/report": "results/report",
    "tests/cluster": "cluster",
    "tests/study": "src/study",
    "tests/search": "src/search",
    "tests/calibrate": "src/calibrate",
    "tests/capacity": "src/capacity",
    "tests/jobs": "src/jobs",
    "tests/live": "src/live",
    "tests/support": "src/base",
}

# What a test folder may include besides: what a damaged file gives must be fit to be shown.
TEST_REACHES = {"tests/results/file": ["results/report"],
                "tests/native": ["src/study"]}  # the models of the catalogue

# Library -> (regex of its headers, files that may include one, as shell patterns without suffix).
# Tests may use any library that the folder they mirror may use; test-only folders may use all.
FENCES = {
    "MPI": (r"mpi\.h", ["src/par/*", "results/gather",
                        "results/file/checkpoint", "cluster/exchange_mpi", "cluster/consensus",
                        "cluster/run", "src/runs/eval", "src/runs/checkpointing", "src/runs/crew",
                        "src/runs/probe", "src/live/live_simulate", "src/live/live_results", "src/live/live_find",
                        "src/live/fleet_*", "src/capacity/sample", "src/runs/memo",
                        "src/app/version"]),
    "HDF5": (r"(hdf5(_hl)?|H5[A-Za-z]+)\.h", ["results/file/dataset_write",
                                             "results/file/dataset_file", "src/app/version"]),
    "libyaml": (r"yaml\.h", ["src/study/doc"]),
    "GSL": (r"gsl/.*", ["traces/arrival*", "traces/qsize*", "results/ci",
                       "src/study/table_fit",  # least squares
                       "src/live/history_fit", # the same
                       "src/live/cold_fit",    # of a form that is not linear
                       "src/calibrate/calib_fit"]),  # the same, in a developers' tool
    "GLPK": (r"glpk\.h", ["src/search/programme"]),
    "Random123": (r"Random123/.*", ["src/base/rng"]),
    "xxHash": (r"xxh(ash|3)\.h", ["results/file/checksum", "results/file/content_digest",
                                    "src/study/study_digest"]),
    "hwloc": (r"hwloc\.h", ["src/live/topology"]),
    "protobuf-c": (r"(onnx\.pb-c|protobuf-c/.*)\.h", ["src/study/onnx_file"]),
    "zlib": (r"zlib\.h", ["traces/csv"]),
    "oneDNN": (r"(oneapi/dnnl/)?dnnl\w*\.h", ["src/native/onednn"]),
    "Check": (r"check\.h", []),
}

# What a CMake file may demand (REQUIRED) -> the Debian package that brings it, which scripts/setup.sh
# installs for building.
CMAKE_DEMANDS = {"Threads": "gcc", "MPI": "libopenmpi-dev", "HDF5": "libhdf5-dev", "GSL": "libgsl-dev",
                 "PkgConfig": "pkg-config", "YAML": "libyaml-dev", "XXHASH": "libxxhash-dev",
                 "ZLIB": "zlib1g-dev", "CHECK": "check", "GLPK_INCLUDE_DIR": "libglpk-dev", "GLPK_LIBRARY": "libglpk-dev",
                 "RANDOM123_INCLUDE_DIR": "librandom123-dev"}

# Folders that must not reach these libraries even through a header of ours.
NO_REACH = {
    "MPI": ["src/base", "models", "traces", "src/study", "src/search"],
    "HDF5": ["src/base", "models", "results", "results/report", "cluster", "src/study", "src/search"],
}

# Bodies that several sources of one family include; not interfaces, so they need not stand alone.
TEMPLATES = {"cluster/cpu_loop.h", "cluster/cpu_near.h", "cluster/cpu_in_place.h",
             "cluster/due_loop.h", "src/native/pooling_loop.h"}

# Sources without a header of their own, besides the variants `family_x.c` beside `family.h`.
NO_HEADER = {"src/app/main.c", "src/calibrate/rf_calibrate.c", "src/kernels/rf_kernels.c"}

# Headers whose .c file is made on every build, and by what.
MADE_BY_BUILD = {"src/base/revision.h": "scripts/cmake/revision.cmake"}

# Modules without a test_<module>.c, and where they are tested instead.
TESTED_ELSEWHERE = {
    "src/app/main.c": "tests/cli",
    "src/base/simd.h": "tests/cluster/test_cpu.c",  # macros alone
    "src/calibrate/rf_calibrate.c": "scripts/calibrate.sh",  # modes over tested modules
    "src/kernels/rf_kernels.c": "scripts/kernels.sh",  # likewise
    "src/app/rasterise.c": "tests/cli",  # runs another program
    "src/app/job.c": "tests/cli",       # what it is for shows only under mpirun
    "src/app/load_results.c": "tests/cli",  # the kinds of files, as show, report and compare take them
    "src/app/load_sides.c": "tests/cli",  # the kinds of files, as compare and report take them
    "src/app/measured.c": "tests/cli",  # reads two files that have tests of their own
    "src/native/onednn.c": "tests/native/test_product.c",  # what product asks of the library
    # what each says to the other
    "src/live/fleet_balancer.c": "tests/live/test_fleet_serve.c",
    "src/live/fleet_server.c": "tests/live/test_fleet_serve.c",
    # parts of server.c, held by the step-by-step simulation of a block
    "cluster/server_record.c": "tests/cluster/test_server.c",
    "cluster/server_fold.c": "tests/cluster/test_server.c",
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
    "meta": ["run_info_"],               # how a run went, beside what it is about
    "replay": ["arrival_replay"],       # its entry in the family of arrival processes
    "measure": ["trials_"],             # every point that was measured
    "rf_calibrate": ["main"],
    "profile_mix": ["profile_grid_"],   # the times of single sizes that a mix is compared with
    "rf_kernels": ["main"],
    "record_save": ["record_load"],     # the way back
    "calib_fit": ["calib_"],            # fits what calib holds; one vocabulary
    "calib_holdout": ["calib_"],        # likewise
    "main": ["main"],
    "report_out": ["report_text", "report_end"],  # what a report says, on every other line
}

# Modules that may hold mutable state for the whole program.
MUTABLE_GLOBALS = {"src/base/log.c"}

# Calls that end the program, print, or name the world, and the files below src/app that may.
FORBIDDEN_CALLS = {
    r"\b_?exit\s*\(": ["src/base/mem.c", "results/file/sandbox.c",
                         "src/jobs/sbatch.c"],  # a child process that cannot become sbatch
    r"\babort\s*\(": [],
    # rf_calibrate and rf_kernels are programs of their own; what is handed to Slurm is said as it happens
    r"\b(v?printf|puts|putchar|perror)\s*\(": ["src/calibrate/rf_calibrate.c",
                                               "src/kernels/rf_kernels.c",
                                               "src/jobs/submission.c"],
    r"\bv?fprintf\s*\(\s*std(out|err)\b": ["src/base/mem.c", "src/base/log.c",
                                             "src/calibrate/rf_calibrate.c",
                                             "src/kernels/rf_kernels.c"],
    r"\bf(puts|putc|write|flush)\s*\([^;]*\bstd(out|err)\b": [
        "src/base/mem.c", "src/base/log.c", "src/jobs/submission.c",
        "src/kernels/rf_kernels.c",
        "src/runs/checkpointing.c"],  # wipes the progress bar before a message
    r"\bMPI_Abort\s*\(": [],
    r"\bMPI_COMM_WORLD\b": ["src/runs/eval.c"],
}

# Clocks, and the only files that may read one: what is measured or waited for must not depend on the
# date, which may be set at any time. Others ask src/base/wallclock or src/live/live_clock.
CLOCKS = {
    r"\bclock_gettime\s*\(": ["src/base/wallclock.c", "src/live/live_clock.c",
                              "src/live/interference.c", "src/kernels/rf_kernels.c"],  # a thread's own
    r"\bclock_nanosleep\s*\(": ["src/live/live_clock.c"],
    r"\bpthread_cond_timedwait\s*\(": ["src/live/live_server.c"],  # by the date, unless told else
    r"\bCLOCK_(REALTIME|TAI)\w*": [],
    r"\b(gettimeofday|ftime|timespec_get|clock|MPI_Wtime|sem_timedwait|pthread_\w+_timed(lock|\w+lock)|"
    r"\w*rdtscp?)\s*\(": [],
    # the date itself, for what a file says of its origin
    r"(?<![\w>.])time\s*\(": ["src/runs/eval.c", "src/app/cmd_profile.c", "src/app/cmd_submit.c"],
}

# The first words of a function's comment in a header that includes <mpi.h>.
MPI_WORDS = ("Collective (", "Collective.", "Logically collective: ", "Not collective.")

# Least share of prose in a header, in percent of its lines that are not blank. The aim is 50; the
# floor stops a header from becoming a bare list of prototypes.
PROSE_AIM = 50
PROSE_FLOOR = 30

# Top folders that open with a README.md.
README_FOLDERS = ["src", "models", "traces", "results", "results/file", "results/chart", "results/report",
                  "cluster",
                  "src/runs", "src/capacity", "src/jobs", "src/live", "src/app", "slurm", "tests", "scripts"]

# Text that must not be in a file: places that exist on one machine only.
MACHINE_PATHS = [r"(?<![\w.])/(work|root|home|Users|scratch|data)/\w", r"\.\./shared\b",
                 r"(?<![\w/])shared/\w+\.md\b", r"/tmp/build-"]
# Names of pages that are not part of the tree unless docs/ holds them.
FOREIGN_PAGES = ["paper", "calibration", "performance", "toolchain", "product", "style", "design"]

# What no page and no string literal says, and what it says instead: the part of CONTRIBUTING.md's list
# that can be told by the words alone. Comments are read by those who write them.
WORDS = {
    r"\b(go|goes|going|went)\s+on\b": "resume, continue",
    r"\btak(e|es|en|ing)\s+up\s+again\b": "resume",
    r"\b(beside|besides)\b": "compared with, next to, as well as",
    r"\b(stand|stands|stood)\b(?!\s+for\b|-)": "is, are",
    r"\b(lie|lies|lay|lying)\b": "is, are",
    r"\b(is|are|be|been|was|were)\s+told\b(?!\s+apart)": "reads, is reported",
    r"\b(hear|hears|heard)\b": "receive",
    r"\b(mend|mends|mended)\b": "fix",
    r"\bleads?\s+nowhere\b": "dangling symbolic link",
    r"\bby\s+hand\b": "yourself, manually",
    r"\bstaffings?\b": "capacity result",
    r"\buptime\b": "availability",
    r"\bart[ei]facts?\b": "results file",
}
# The list itself; how people treat each other.
WORDS_ALLOWED = {"CONTRIBUTING.md", "CODE_OF_CONDUCT.md"}
