// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_shell.h"

#include <hdf5.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "par/agree.h"
#include "results/file/h5.h"
#include "results/file/durable.h"

// Attributes longer than this would need a form that old readers cannot take.
#define TEXT_ATTRIBUTE_MAX 60000

void store_shell_root(const struct store_writer *w, const char *kind, const char *program_version,
                      const char *study_name)
{
    int32_t schema = STORE_SCHEMA_VERSION;
    h5_text(w->file, "/", "Conventions", "CF-1.8");
    h5_text(w->file, "/", "title", "recommendation serving, simulated by recfleet");
    h5_text(w->file, "/", "program", "recfleet");
    h5_text(w->file, "/", "program_version", program_version);
    h5_number(w->file, "/", "schema_version", H5_I32, &schema);
    h5_text(w->file, "/", "kind", kind);
    h5_text(w->file, "/", "study_name", study_name);
}

void store_shell_study(const struct store_writer *w, const char *given)
{
    const char *text = given ? given : "";
    uint32_t n = (uint32_t)strlen(text), *numbers = mem_calloc(n, sizeof *numbers);
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = i;
    h5_group(w->file, "/study");
    h5_coord(w->file, "/study", "byte", "1", "position in the text", H5_U32, n, numbers);
    store_piece_put(
        w, "/study",
        (struct h5_var){"text", "1", "the resolved study, UTF-8 bytes", H5_U8, 1, {"byte"}}, n,
        text);
    // For people and ncdump.
    if (n <= TEXT_ATTRIBUTE_MAX)
        h5_text(w->file, "/study", "study", text);
    mem_free(numbers);
}

char *store_shell_share(MPI_Comm comm, bool root, const char *mine)
{
    uint64_t bytes = root ? strlen(mine ? mine : "") + 1 : 0;
    MPI_Bcast(&bytes, 1, MPI_UINT64_T, 0, comm);
    char *text = mem_calloc(bytes, 1);
    if (root && mine)
        memcpy(text, mine, bytes);
    MPI_Bcast(text, (int)bytes, MPI_CHAR, 0, comm);
    return text;
}

char *store_shell_lines(char *const *names, uint32_t n)
{
    size_t bytes = 1;
    for (uint32_t i = 0; i < n; i++)
        bytes += strlen(names[i]) + 1;
    char *lines = mem_calloc(bytes, 1), *at = lines;
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            *at++ = '\n';
        for (const char *c = names[i]; *c; c++)
            *at++ = (char)(*c == '\n' ? ' ' : *c);
    }
    return lines;
}

// The first n lines as owned strings.
static void split_lines(char *lines, char **names, uint32_t n)
{
    char *at = lines;
    for (uint32_t i = 0; i < n; i++) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        names[i] = mem_strdup(at);
        at = end ? end + 1 : at + strlen(at);
    }
}

void store_shell_share_names(MPI_Comm comm, char *const *mine, char **names, uint32_t n)
{
    char *lines = mine ? store_shell_lines(mine, n) : NULL;
    char *shared = store_shell_share(comm, mine != NULL, lines);
    split_lines(shared, names, n);
    mem_free(shared);
    mem_free(lines);
}

static void write_run_texts(const struct store_writer *w, MPI_Comm comm, const struct run_info *run)
{
    const struct {
        const char *key;
        size_t offset;
    } texts[] = {
        {"date", offsetof(struct run_info, date)},
        {"host", offsetof(struct run_info, host)},
        {"command", offsetof(struct run_info, command)},
        {"git_revision", offsetof(struct run_info, git_revision)},
        {"job_id", offsetof(struct run_info, job_id)},
        {"nodes", offsetof(struct run_info, nodes)},
        {"layout", offsetof(struct run_info, layout)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *mine = NULL;
        if (w->root)
            memcpy(&mine, (const char *)run + texts[i].offset, sizeof mine);
        char *text = store_shell_share(comm, w->root, mine);
        h5_text(w->file, "/run", texts[i].key, text);
        mem_free(text);
    }
}

void store_shell_run(const struct store_writer *w, MPI_Comm comm, const struct run_info *run)
{
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    unsigned major, minor, patch;
    struct run_info all = {0};
    if (w->root)
        all = *run;
    MPI_Bcast(&all, (int)sizeof all, MPI_BYTE, 0, comm); // its pointers are not used
    int32_t n_ranks = all.n_ranks, n_nodes = all.n_nodes;
    double rate = all.wall_s > 0 ? (double)all.n_queries / all.wall_s : NAN;
    double window_s = simtime_to_s(all.window_ns);
    h5_group(w->file, "/run");
    write_run_texts(w, comm, run);
    h5_number(w->file, "/run", "n_nodes", H5_I32, &n_nodes);
    h5_number(w->file, "/run", "n_ranks", H5_I32, &n_ranks);
    h5_number(w->file, "/run", "n_restarts", H5_U64, &all.n_restarts);
    h5_number(w->file, "/run", "n_queries", H5_U64, &all.n_queries);
    h5_number(w->file, "/run", "n_windows", H5_U64, &all.n_windows);
    h5_number(w->file, "/run", "bytes_sent", H5_U64, &all.bytes_sent);
    h5_number(w->file, "/run", "window_s", H5_F64, &window_s);
    h5_number(w->file, "/run", "wall_s", H5_F64, &all.wall_s);
    h5_number(w->file, "/run", "queries_per_wall_s", H5_F64, &rate);
    h5_number(w->file, "/run", "n_checkpoints", H5_U64, &all.n_checkpoints);
    h5_number(w->file, "/run", "checkpoint_s", H5_F64, &all.checkpoint_s);
    H5get_libversion(&major, &minor, &patch);
    char *hdf5 = mem_printf("%u.%u.%u", major, minor, patch);
    h5_text(w->file, "/run", "hdf5_version", hdf5);
    mem_free(hdf5);
    MPI_Get_library_version(library, &length);
    library[strcspn(library, "\n")] = '\0';
    h5_text(w->file, "/run", "mpi_version", library);
    h5_text(w->file, "/run", "compiler", __VERSION__);
}

// Creates, fills and closes the temporary file.
static int write_temporary(MPI_Comm comm, const struct store_shell *shell, struct store_writer *w,
                           const char *temporary, struct err *err)
{
    int rc = w->root ? durable_reserve(temporary, shell->bytes, shell->path, err) : 0;
    if (err_agree(comm, rc, err) != 0)
        return -1;
    w->file = h5_create(comm, temporary, err);
    if (!w->file)
        return -1;
    if (w->root)
        durable_hold(temporary, shell->bytes);
    shell->fill(w, shell->user);
    return h5_close(w->file, err);
}

int store_shell_write(MPI_Comm comm, const struct store_shell *shell, struct store_writer *writer,
                      struct err *err)
{
    long pid = writer->root ? durable_number(shell->path) : 0;
    struct err local = {0};
    int rc = writer->root ? durable_check_target(shell->path, shell->force, ERR_FAIL, &local) : 0;
    rc = err_agree(comm, rc, &local);
    if (rc == 0) {
        MPI_Bcast(&pid, 1, MPI_LONG, 0, comm);
        char *temporary = durable_temporary(shell->path, pid);
        rc = write_temporary(comm, shell, writer, temporary, &local);
        if (rc == 0 && writer->root)
            rc = durable_finish(temporary, shell->path, shell->force, &local);
        rc = err_agree(comm, rc, &local);
        if (rc != 0 && writer->root)
            unlink(temporary);
        mem_free(temporary);
    }
    if (rc != 0 && err)
        *err = local;
    return rc;
}
