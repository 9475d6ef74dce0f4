// SPDX-License-Identifier: Apache-2.0
#include "app/rasterise.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "rsvg-convert"

extern char **environ;

// Runs it with the two files as its standard input and output.
static int convert(FILE *svg, FILE *png, struct err *err)
{
    char *const words[] = {PROGRAM, "--format=png", "--zoom=2", "--unlimited", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(svg), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(png), STDOUT_FILENO);
    int reason = posix_spawnp(&child, PROGRAM, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (reason == ENOENT)
        return err_set(err, ERR_STUDY,
                       "recfleet report: --format png needs " PROGRAM
                       " (Debian: apt-get install librsvg2-bin); --format svg needs nothing");
    if (reason != 0)
        return err_set(err, ERR_FAIL, PROGRAM ": cannot be started: %s", strerror(reason));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_FAIL, PROGRAM ": could not draw the pictures");
    return 0;
}

int rasterise_svg(const char *svg, size_t n_bytes, FILE *png, struct err *err)
{
    FILE *from = tmpfile();
    if (!from || fwrite(svg, 1, n_bytes, from) != n_bytes || fflush(from) != 0) {
        int reason = errno;
        if (from)
            fclose(from);
        return err_set(err, ERR_FAIL, "recfleet report: no temporary file: %s", strerror(reason));
    }
    rewind(from);
    int rc = convert(from, png, err);
    fclose(from);
    return rc;
}
