// SPDX-License-Identifier: Apache-2.0
// submission: the jobs of one submission: what each is to be, its script, and handing it in.
//
// There are three: a run (or all links of a chain), an array over the points of a sweep, and the
// merge that follows an array. They share a plan, and each adds its own options and settings to
// one of the scripts of slurm/, which are embedded when the program is built: more #SBATCH lines
// behind its own (the last one counts), then the settings as `export KEY=VALUE` and the arguments
// as `set -- ...`. What comes of it needs nothing else; it can be read, kept, and submitted again
// by hand from its folder.
//
// Slurm takes options from its command line, from SBATCH_ variables and from the script, in this
// order of weight. What was asked for is on the command line too, so that a site's variables do
// not win over it; a site's variables are given to sbatch and kept in a comment.
//
// Making one touches nothing outside. submission_hand_in() does, unless the plan is a dry run: then
// it prints to stdout what it would have done. A submission can be handed in more than once, to
// wait for another job each time.
//
//     struct submission *submission = submission_run(&plan, NULL);
//     char *id = NULL;
//     submission_hand_in(submission, "run", "run, into out.h5", &id, &err);
//     mem_free(id);
//     submission_destroy(submission);
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

// What all jobs of a submission have in common. Texts and the site are borrowed until the last
// submission is destroyed; "plain" is meant as by sbatch_is_plain().
struct submission_plan {
    const char *study, *output;  // absolute paths
    const char *const *settings; // what follows each --set
    size_t n_settings;
    const char *folder;             // absolute: of the output, and so of scripts and logs
    const char *name;               // plain: scripts are NAME.run.sbatch ..., logs NAME.log
    const char *job_name;           // plain
    const struct site *site;        // never NULL
    const char *time;               // wall time of each job, plain; NULL: not given
    uint32_t nodes, ranks_per_node; // 0: not given
    uint32_t throttle;              // tasks of an array at a time; 0: not given
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

struct submission;

// A run of the study; `chain`: plain name of the chain whose links it makes, NULL for none.
struct submission *submission_run(const struct submission_plan *plan, const char *chain);
// The tasks, which are only read here. At least one is chosen.
struct submission *submission_array(const struct submission_plan *plan,
                                    const struct submission_tasks *tasks);
// The merge. It needs no more ranks than the template asks for, so the plan's size is not for it.
struct submission *submission_merge(const struct submission_plan *plan);
void submission_destroy(struct submission *submission);

// The script, and the command line that submits it, as a line for bash. `after`: the id of a job
// that it waits for, NULL for none.
void submission_print_script(FILE *out, const struct submission *submission, const char *after);
void submission_print_command(FILE *out, const struct submission *submission, const char *after);

// Writes the script, the first time, hands the job in and says what it is for. *id: the number of a
// job that it waits for to end, in whatever way, NULL for none; afterwards its own, or in a dry run
// a word in its place, "$" and `word`. Caller mem_free()s. On error it is NULL. What sbatch has to
// complain about goes to stderr, err then says that it failed.
int submission_hand_in(struct submission *submission, const char *word, const char *purpose,
                       char **id, struct err *err);

#endif
