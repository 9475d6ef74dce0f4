// SPDX-License-Identifier: Apache-2.0
#include "runs/pointdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/durable.h"
#include "results/file/run_result.h"

const char *const pointdir_state_names[] = {"missing", "done",    "failed", "edited",
                                            "foreign", "unknown", NULL};

char *pointdir_of(const char *output)
{
    size_t n = strlen(output);
    if (n > 3 && strcmp(output + n - 3, ".h5") == 0 && output[n - 4] != '/')
        n -= 3;
    return mem_printf("%.*s.points", (int)n, output);
}

int pointdir_make(const char *folder, enum err_code code, struct err *err)
{
    struct stat st;
    // Tasks that start together all try.
    if (mkdir(folder, 0777) == 0)
        return durable_sync_folder(folder, err);
    int reason = errno;
    if (reason == EEXIST && stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return err_set(err, code, "%s: cannot make this folder: %s", folder, strerror(reason));
}

char *pointdir_file(const char *folder, uint32_t point)
{
    return mem_printf("%s/%06u.h5", folder, point);
}

static char *failed_file(const char *folder, uint32_t point)
{
    return mem_printf("%s/%06u.failed", folder, point);
}

static enum pointdir_state look_at_run(const char *path, const struct pointdir_study *study,
                                       char *note, size_t size)
{
    enum pointdir_state state = POINTDIR_DONE;
    struct err err = {0};
    struct run_result *run = run_result_read(path, DATASET_HEAD, &err);
    if (!run) {
        snprintf(note, size, "%s", err.text);
        return POINTDIR_FOREIGN;
    }
    const struct meta *meta = run->meta;
    if (strcmp(meta->study_name, study->name) != 0) {
        snprintf(note, size, "%s: of another study, \"%.80s\"", path, meta->study_name);
        state = POINTDIR_FOREIGN;
    } else if (strcmp(meta->study_digest, study->digest) != 0) {
        snprintf(note, size, "%s: of the study as it was before", path);
        state = POINTDIR_EDITED;
    } else if (strcmp(meta->program_version, RECFLEET_VERSION) != 0) {
        snprintf(note, size, "%s: made by recfleet %.40s", path, meta->program_version);
        state = POINTDIR_EDITED;
    }
    run_result_destroy(run);
    return state;
}

char *pointdir_checkpoint(const char *folder, uint32_t point)
{
    char *file = pointdir_file(folder, point), *path = mem_printf("%s.checkpoint", file);
    mem_free(file);
    return path;
}

enum pointdir_state pointdir_look(const char *folder, uint32_t point,
                                  const struct pointdir_study *study, char *note, size_t size)
{
    char *path = pointdir_file(folder, point), *failed = failed_file(folder, point);
    enum pointdir_state state = POINTDIR_MISSING;
    struct stat st;
    note[0] = '\0';
    if (lstat(path, &st) == 0) {
        state = look_at_run(path, study, note, size);
    } else if (lstat(failed, &st) == 0) {
        pointdir_reason(folder, point, note, size);
        state = POINTDIR_FAILED;
    }
    mem_free(failed);
    mem_free(path);
    return state;
}

void pointdir_fail(const char *folder, uint32_t point, const char *reason)
{
    char *path = failed_file(folder, point);
    char *temporary = durable_temporary(path, (long)getpid());
    FILE *out = fopen(temporary, "w");
    if (out) {
        fprintf(out, "%s\n", reason);
        if (fclose(out) != 0 || rename(temporary, path) != 0)
            unlink(temporary);
    }
    mem_free(temporary);
    mem_free(path);
}

void pointdir_reason(const char *folder, uint32_t point, char *reason, size_t size)
{
    char *path = failed_file(folder, point);
    // Not blocked: a FIFO without a writer would never come back.
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
    reason[0] = '\0';
    if (in && fgets(reason, (int)size, in))
        reason[strcspn(reason, "\r\n")] = '\0';
    if (in)
        fclose(in);
    mem_free(path);
}

void pointdir_forgive(const char *folder, uint32_t point)
{
    char *path = failed_file(folder, point);
    unlink(path);
    mem_free(path);
}
