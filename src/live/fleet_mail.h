// SPDX-License-Identifier: Apache-2.0
// fleet_mail: the notes that a balancer and its servers send each other while they run. [M]
//
// Small, of one size, in order from one rank to another. Sending does not wait: a bounded number of
// notes is under way, and whoever has no room for another one receives meanwhile.
//
//     if (fleet_mail_has_room(mail))
//         fleet_mail_send(mail, server + 1, &(struct fleet_note){now_ns, query, FLEET_QUERY},
//         &err);
//     while ((rc = fleet_mail_receive(mail, &from, &note, &err)) > 0)
//         ... note.what ...
#ifndef LIVE_FLEET_MAIL_H
#define LIVE_FLEET_MAIL_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum fleet_what {
    // To a server:
    FLEET_QUERY, // it is yours; at_ns: when it arrived at the balancer
    FLEET_END,   // no more; at_ns: when the run ended
    // To the balancer:
    FLEET_SETTLED, // the query has ended, was refused or is lost, at at_ns
    FLEET_DOWN,    // no worker is left
    FLEET_STOP,    // the process was asked to stop
    FLEET_DONE     // after FLEET_END: nothing more comes from here
};

struct fleet_note {
    int64_t at_ns; // since the start
    uint32_t query;
    uint32_t what; // enum fleet_what
};

struct fleet_mail;

// Collective (comm). Of a communicator of its own. NULL: MPI could not.
struct fleet_mail *fleet_mail_create(MPI_Comm comm, struct err *err);
// Collective (comm). When all notes have been received. NULL: no effect.
void fleet_mail_destroy(struct fleet_mail *mail);

// Not collective. Is there room to send one?
bool fleet_mail_has_room(struct fleet_mail *mail);
// Not collective. There is room.
int fleet_mail_send(struct fleet_mail *mail, int to, const struct fleet_note *note,
                    struct err *err);
// Not collective. 1: a note, and whose; 0: none is there; -1: MPI could not.
int fleet_mail_receive(struct fleet_mail *mail, int *from, struct fleet_note *note,
                       struct err *err);

#endif
