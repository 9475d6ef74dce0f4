// SPDX-License-Identifier: Apache-2.0
// site: what one cluster wants of every job, read from slurm/site/*.env.
//
// A line is blank, a comment, or KEY=VALUE, blanks in front or not, where the value is plain
// characters or, in single quotes, anything but a quote. So bash, which reads the same file when a
// job is submitted by hand (`set -a; . site.env`), finds the same in it: nothing is expanded.
// Whatever else bash would read is refused with file:line:column, never half understood.
//
//     SBATCH_PARTITION=compute
//     RECFLEET_LAUNCHER='srun --mpi=pmix -K1'
//
// SBATCH_ keys are environment variables that sbatch reads; of those and of our own, RECFLEET_, a
// name that nobody reads is an error, and so is SBATCH_EXPORT: submit exports all. Every other key
// is handed to the job as it is.
#ifndef JOBS_SITE_H
#define JOBS_SITE_H

#include <stddef.h>

#include "base/err.h"

// "KEY=VALUE" in the order of the file, as putenv() takes them. Owned; {0} is a site without any.
struct site {
    char **settings;
    size_t n_settings;
};

// Reads the file into *site (overwritten). On error it is empty.
int site_read(const char *path, struct site *site, struct err *err);
// The same from a text; `path` names it in errors.
int site_parse(const char *path, const char *data, size_t size, struct site *site, struct err *err);
void site_release(struct site *site);

// The value of a key, NULL when it is not set.
const char *site_value(const struct site *site, const char *key);

#endif
