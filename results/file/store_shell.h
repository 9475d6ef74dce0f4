// SPDX-License-Identifier: Apache-2.0
// store_shell: what every results file has, whatever it is about. [M] [H]
//
// The life of the file (store.h tells what is promised), the attributes that say what it is and who
// wrote it, the group /study with the study's text, and the group /run with what may differ between
// two runs of one study. store, store_sweep and
// the others put their own content between these.
//
// As everywhere in store*, rank 0 has the numbers and all ranks create the datasets.
#ifndef RESULTS_FILE_STORE_SHELL_H
#define RESULTS_FILE_STORE_SHELL_H

#include <mpi.h>
#include <stdbool.h>

#include "base/err.h"
#include "results/file/store_piece.h"

// Version of the layout; a reader refuses a newer one.
#define STORE_SCHEMA_VERSION 1

// Metadata, coordinates and small groups of any file fit in this.
#define STORE_SHELL_BYTES (1u << 20)

// Puts everything into the open file of the writer; calls nothing that is not collective.
typedef void (*store_shell_fn)(const struct store_writer *w, void *user);

struct store_shell {
    const char *path;
    bool force;     // an existing file is replaced
    uint64_t bytes; // upper bound of the file's size; looked at on rank 0
    store_shell_fn fill;
    void *user; // for fill
};

// Collective (comm). Creates the file under a temporary name, has it filled, closes it and gives it
// its name; `writer->file` is set here. Fails alike on all ranks, with one error and no file left.
int store_shell_write(MPI_Comm comm, const struct store_shell *shell, struct store_writer *writer,
                      struct err *err);

// Collective. The first attributes of the root; `kind`: "run", "sweep",
// "capacity".
void store_shell_root(const struct store_writer *w, const char *kind, const char *program_version,
                      const char *study_name);
// Collective. The group /study; `text` must agree, NULL is "".
void store_shell_study(const struct store_writer *w, const char *text);
// Collective (comm). The group /run, from rank 0's info (NULL on other ranks).
void store_shell_run(const struct store_writer *w, MPI_Comm comm, const struct run_info *run);

// Collective (comm). Rank 0's text on every rank (NULL: ""); caller mem_free()s.
char *store_shell_share(MPI_Comm comm, bool root, const char *mine);
// Collective (comm). n must agree. Rank 0's names (`mine`, NULL elsewhere) as owned strings in
// names[n] on every rank; a line's end in a name becomes a blank, as in the file.
void store_shell_share_names(MPI_Comm comm, char *const *mine, char **names, uint32_t n);

// Not collective. The names, one a line, likewise; caller mem_free()s.
char *store_shell_lines(char *const *names, uint32_t n);

#endif
