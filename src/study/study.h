// SPDX-License-Identifier: Apache-2.0
// study: one YAML file -> everything a run needs.
//
// The format is described in docs/study.md and by `recfleet schema` (study_sections.h); both come
// from the tables of the modules that own a setting. Each section has its reader: study_models.h,
// study_traffic.h, study_fleet.h, study_tune.h, study_checkpoint.h. What a study leaves out has a
// default, what it misspells is one error line with file:line:column and the key's path. Nothing
// here depends on the machine or on the rank: the same text gives the same study everywhere.
// `sweep` and `replications` are left to grid.h, which makes settings of them; a point's study
// knows nothing of them.
//
//     struct study *study = study_read("quickstart.yaml", settings, n, &library, true, &err);
//     run_fleet(comm, &study->fleet, ...);
//     study_destroy(study);
//
// study_format() writes the resolved study, every key with its value, as a study that reads back
// to the same; it is kept in the results file, but for `checkpoint`.
#ifndef STUDY_STUDY_H
#define STUDY_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "cluster/config.h"
#include "results/meta.h"
#include "study/library.h"
#include "study/study_capacity.h"
#include "study/study_checkpoint.h"
#include "study/study_failures.h"
#include "study/study_tune.h"
#include "traces/qsize.h"

// The top of the file.
struct study_settings {
    char *name;
    uint64_t seed;
    int64_t duration_ns;
    char *warmup; // "auto" or a time
    int64_t bins; // equal time bins of what follows the warm-up
};

// What is kept of a run.
struct study_output {
    char *file;     // "": the study's name with .h5
    int64_t sample; // queries kept in the uniform sample, about
    char *queries;  // "sample", "all" or "slowest N"
    bool all_queries;
    uint32_t n_slowest; // 0: none
};

struct doc;
struct mistakes;
struct table_file;

// How service times of a group spread round their cost.
struct study_noise {
    bool given;       // in the study; else it may come with a measured table
    int distribution; // enum cost_spread
    double cv;        // gamma and lognormal: standard deviation over mean
    int64_t correlation_ns;
    double correlated_frac;
};

// How a study is read: flags.
enum study_reading {
    STUDY_NAMES = 0,         // what it names is not opened
    STUDY_OPEN = 1,          // the traces and size files that it names are read, too
    STUDY_OPEN_AND_PLAN = 3, // and its accelerators are a plan: one that is too small for what is
                             // offloaded to it is for study_notes.h to tell of, not an error
};

// One group of equal servers. The arrays are owned and run over the study's services.
struct study_group {
    char *name, *platform_name;
    int64_t servers;        // in the whole fleet
    double weight;          // capacity relative to other groups', for the balancer
    double price_usd_per_h; // of one server; 0: not known
    struct reals on_counts; // of `on.servers`; empty: all, always
    struct on_schedule on;  // n_on owned, made of on_counts
    struct platform platform;
    double planned_bytes; // memory_size of its accelerator where that limits no plan; 0: it does
    struct study_noise noise;
    struct slow_config slow;          // of slow_frac and slow_factor
    int64_t scheduler;                // index into sched_types
    struct settings *given;           // [n_services] its settings, as the study has them
    struct settings *settings;        // [n_services] and resolved
    struct cost_config *cost_configs; // [n_services]
    struct table_file *tables;        // [n_services] measured tables in files of the user's
    char *label;                      // its name for results, once all of it has been read
    struct cost **costs;              // [n_services]
};

// All of it. Strings, arrays and what they point to are owned, but for the library's tables.
struct study {
    char *path; // of the file, as given
    enum study_reading reading;
    struct study_settings settings;
    struct study_output output;
    int64_t cells;
    bool warmup_auto;
    int64_t warmup_ns;  // given; 0: none
    struct library own; // what it defines, over the library
    size_t n_services, n_groups, n_models;
    struct service_config *services;
    struct qsize **sizes; // [n_services] of a replayed trace where it has them; NULL: not opened
    struct study_group *groups;
    struct group_config *group_configs; // views of groups
    struct model *models;               // every model that a service uses, as resolved
    struct balancer_config balancer;
    struct study_tune tune;
    struct study_capacity capacity;
    struct outage_config outages; // events owned
    struct study_checkpoint checkpoint;
    struct fleet_config fleet; // points into all of the above
};

// Reads the study from a file, applies `settings` ("key.path=value") in turn, and checks it all.
// `library` is borrowed until study_destroy(). NULL on error.
struct study *study_read(const char *path, const char *const *settings, size_t n_settings,
                         const struct library *library, enum study_reading reading,
                         struct err *err);
// The same from a text; `path` names it in errors and says where relative files are.
struct study *study_parse(const char *path, const char *data, size_t size,
                          const char *const *settings, size_t n_settings,
                          const struct library *library, enum study_reading reading,
                          struct err *err);
// The same from a document (borrowed, unchanged), but for its sweep.
struct study *study_of_doc(const char *path, const struct doc *doc, const char *const *settings,
                           size_t n_settings, const struct library *library,
                           enum study_reading reading, struct err *err);
// All mistakes that study_parse() could find there, into the list (mistakes.h), as many as it has
// room for. What is right adds nothing.
void study_mistakes(const char *path, const char *data, size_t size, const char *const *settings,
                    size_t n_settings, const struct library *library, enum study_reading reading,
                    struct mistakes *mistakes);
void study_destroy(struct study *study); // NULL: no effect

// The resolved study as YAML; caller mem_free()s.
char *study_format(const struct study *study);
// Where the results go; caller mem_free()s.
char *study_output_path(const struct study *study);
// What the results must know of the study; caller meta_destroy()s.
struct meta *study_meta(const struct study *study);
// The same of a fleet alone: services, groups and servers, nothing of a study.
struct meta *study_fleet_meta(const struct fleet_config *fleet);

// Queries in all, as far as rates tell.
double study_expected_queries(const struct study *study);

// Tables of struct study_settings and study_output.
extern const struct field study_fields[], study_output_fields[];

#endif
