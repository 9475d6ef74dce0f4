// SPDX-License-Identifier: Apache-2.0
// submission: the jobs of one submission, and handing them to Slurm.
//
// There are three: a run (or a link of a chain), an array over the points of a sweep, and the merge
// that follows an array. Each is one of the scripts of slurm/, which are embedded when the program
// is built, called just as somebody would by hand: what the script is told beyond its arguments is
// in the environment, which Slurm keeps with the job, and all options of sbatch are on its command
// line, where they win over a site's SBATCH_ variables and those over the script's own lines. So a
// command that is shown (`--dry-run`) can be given again, and a script is never edited.
//
//     char *id = NULL;
//     const struct submission run = {.kind = SUBMISSION_RUN, .word = "run", .purpose = "run"};
//     submission_hand_in(&plan, &run, &id, &err);
//     mem_free(id);
#ifndef JOBS_SUBMISSION_H
#define JOBS_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "jobs/site.h"
#include "base/err.h"

// One embedded file of slurm/; made by scripts/cmake/embed.cmake.
struct submission_template {
    const char *path;          // "slurm/run.sbatch"
    const unsigned char *data; // `size` bytes
    size_t size;
};
extern const struct submission_template submission_templates[]; // ends with a NULL path

// What all jobs of a submission have in common, all borrowed; "plain" is meant as by
// sbatch_plain().
struct submission_plan {
    const char *study, *output;  // absolute paths
    const char *catalog;         // the same, of --catalog; NULL: none
    const char *const *settings; // what follows each --set
    size_t n_settings;
    const char *folder;             // absolute: of the output, and so of scripts and logs
    const char *name;               // plain: scripts are NAME.run.sbatch ..., logs NAME.log
    const char *job_name;           // plain, of the output: jobs into one have one name
    const char *command;            // of a run: "run", "tune", "capacity"
    const struct site *site;        // never NULL
    const char *time;               // wall time of each job; NULL: not given
    uint64_t nodes, ranks_per_node; // 0: not given
    uint64_t throttle;              // tasks of an array at a time; 0: not given
    bool dry_run;
};

// The tasks of an array.
struct submission_tasks {
    bool *chosen;      // of n numbers those that are needed; caller mem_free()s
    uint32_t n;        // one more than the largest number
    uint32_t n_shares; // 0: a task is the point of its number; else it is a share of all points
};

// Deals the missing points out to tasks: one for each point, as long as its number is below `max`,
// what Slurm takes (0: not known, everything); else `max` shares, of which share s has the points
// s, s + max, ... as idset_parse_share() has them. Tasks without a missing point are not chosen.
void submission_deal(const bool *missing, uint32_t n_points, uint32_t max,
                     struct submission_tasks *tasks);

enum submission_kind { SUBMISSION_RUN, SUBMISSION_ARRAY, SUBMISSION_MERGE };

// One job.
struct submission {
    enum submission_kind kind;
    const char *chain;                    // run: plain name of its chain; NULL: it is in none
    const struct submission_tasks *tasks; // array: at least one is chosen
    const char *word;                     // plain: what a dry run has in place of its id
    const char *purpose;                  // what is said of it; one line
};

// The command that hands the job in, as a line for bash. `after`: the id of a job that it waits
// for, NULL for none.
void submission_print(FILE *out, const struct submission_plan *plan, const struct submission *job,
                      const char *after);

// Writes the script, hands the job in, and says its id and purpose; a dry run only prints the
// command. *id: the number of a job that it waits for to end, in whatever way, NULL for none;
// afterwards its own, or in a dry run "$" and its word. Caller mem_free()s. On error it is NULL.
// What sbatch has to complain about goes to stderr, err then says that it failed.
int submission_hand_in(const struct submission_plan *plan, const struct submission *job, char **id,
                       struct err *err);

#endif
