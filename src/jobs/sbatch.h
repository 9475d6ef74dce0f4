// SPDX-License-Identifier: Apache-2.0
// sbatch: a Slurm job as a script that needs nothing else, and its submission.
//
// The script is one of slurm/*.sbatch, embedded when the program is built, with more #SBATCH lines
// behind its own (the last one counts), then the settings as `export KEY=VALUE` and the arguments
// as `set -- ...`. It can be read, kept, and submitted again by hand from its folder.
//
// Slurm takes options from its command line, from SBATCH_ variables and from the script, in this
// order of weight. What was asked for stands on the command line too, so that a site's variables
// do not win over it; a site's variables are given to sbatch and kept in a comment.
//
// #SBATCH lines cannot hold every text. So names of jobs, scripts and logs are made of plain
// characters (sbatch_plain()), Slurm is started in the folder, and only words that bash reads,
// which can be quoted (sbatch_quote()), hold paths and settings as they are. Nothing passes through
// a shell on the way to sbatch.
#ifndef JOBS_SBATCH_H
#define JOBS_SBATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jobs/site.h"
#include "base/err.h"

// One embedded file of slurm/; made by scripts/cmake/embed.cmake.
struct sbatch_template {
    const char *path;          // "slurm/run.sbatch"
    const unsigned char *data; // `size` bytes
    size_t size;
};
extern const struct sbatch_template sbatch_templates[]; // ends with a NULL path

// All texts are borrowed. Options are plain (sbatch_is_plain()): "--nodes=2".
#define SBATCH_MAX_OPTIONS 16
struct sbatch_job {
    const char *name;   // of the template: "run.sbatch"
    const char *folder; // where the job runs; absolute
    const char *script; // file in it; plain
    const char *options[SBATCH_MAX_OPTIONS];
    size_t n_options;
    const char *dependency;  // "afterany:17"; NULL: none
    const struct site *site; // never NULL
    const struct site *more; // settings that win over the site's; never NULL
    const char *const *arguments;
    size_t n_arguments;
};

// The word as bash reads it back, on one line whatever is in it; caller mem_free()s.
char *sbatch_quote(const char *word);
// The text with '_' in place of all that is not a letter, a digit or one of "._+-"; never empty,
// never with a '-' or '.' in front. Caller mem_free()s.
char *sbatch_plain(const char *text);
// Whether Slurm reads the text as it is in every place: the same characters and those of options,
// ":,%=/[]"; not for empty ones.
bool sbatch_is_plain(const char *text);

// The script; and the command line that submits it, as a line for bash. Caller mem_free()s.
char *sbatch_script(const struct sbatch_job *job);
char *sbatch_command(const struct sbatch_job *job);

// Writes the script into its folder, in place of an older one.
int sbatch_write(const struct sbatch_job *job, struct err *err);

// Submits the script that sbatch_write() wrote. *id: the job's number; caller mem_free()s. What
// sbatch has to complain about goes to stderr, err then says that it failed.
int sbatch_submit(const struct sbatch_job *job, char **id, struct err *err);

// The number in what `sbatch --parsable` says ("17" or "17;cluster"); NULL when there is none.
// Caller mem_free()s.
char *sbatch_parse_id(const char *said);

// Seconds of a time limit as --time takes it ("90", "1:30:00", "2-12", "2-12:30:00", minutes when
// there is nothing else; "UNLIMITED": INT64_MAX), -1 when it is none; and of the warning that a
// value of --signal asks for ("B:USR2@300": 300; Slurm's 60 without the "@").
int64_t sbatch_time_s(const char *text);
int64_t sbatch_signal_s(const char *text);

// One more than the largest index of an array task here (MaxArraySize), 0 when Slurm does not say.
uint32_t sbatch_max_array(void);
// The same from what `scontrol show config` prints.
uint32_t sbatch_parse_max_array(const char *config);

#endif
