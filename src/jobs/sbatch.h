// SPDX-License-Identifier: Apache-2.0
// sbatch: how Slurm is spoken to: words that it and bash take, its times, its commands.
//
// Slurm's own options cannot hold every text. So names of jobs, scripts and logs are made of plain
// characters (sbatch_plain()), and Slurm is started in the folder; paths and settings are arguments
// of the job script, which hold anything. Nothing passes through a shell on the way to sbatch.
//
//     const struct sbatch_call call = {words, site.settings, site.n_settings, "/project"};
//     if (sbatch_run(&call, &said) == 0)
//         id = sbatch_parse_id(said);
#ifndef JOBS_SBATCH_H
#define JOBS_SBATCH_H

#include <stddef.h>
#include <stdint.h>

// The word as bash reads it back, on one line and without control characters, whatever it holds;
// caller mem_free()s.
char *sbatch_quote(const char *word);
// The text if it is plain: letters, digits and "._+-", without a '-' or '.' in front. Else with '_'
// in their place and a hash of the text behind, so that two texts never share a name; never empty.
// Caller mem_free()s.
char *sbatch_plain(const char *text);

// Seconds of a time limit as --time takes it ("90", "1:30:00", "2-12", "2-12:30:00", minutes when
// there is nothing else; "UNLIMITED": INT64_MAX), -1 when it is none; and of the warning that a
// value of --signal asks for ("B:USR2@300": 300; Slurm's 60 without the "@").
int64_t sbatch_time_s(const char *text);
int64_t sbatch_signal_s(const char *text);

// One of Slurm's commands, all borrowed.
struct sbatch_call {
    char *const *words; // ends with NULL
    char *const *env;   // [n_env] "KEY=VALUE" that its environment has besides
    size_t n_env;
    const char *folder; // that it is started in; NULL: ours
};

// Its exit status when there is no such command, as in a shell.
#define SBATCH_NOT_FOUND 127

// Runs it to its end. *said: its output, caller mem_free()s. Returns its exit status, 128 + signal
// when one ended it, -1 when it could not be started.
int sbatch_run(const struct sbatch_call *call, char **said);

// The number in what `sbatch --parsable` says ("17" or "17;cluster"); NULL when there is none.
// Caller mem_free()s.
char *sbatch_parse_id(const char *said);

// The name of a chain of jobs begins with so many characters of their job's, then "-chain-".
#define SBATCH_CHAIN_CHARS 60
// The id of one of the user's jobs that wait or run, of that name, or a chain's or a merge's made
// of it, submitted in `folder`; NULL: there is none, or Slurm does not say. Caller mem_free()s.
char *sbatch_queued(const char *job_name, const char *folder);

// One more than the largest index of an array task here (MaxArraySize), 0 when Slurm does not say.
uint32_t sbatch_max_array(void);

#endif
