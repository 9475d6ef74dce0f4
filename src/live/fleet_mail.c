// SPDX-License-Identifier: Apache-2.0
#include "live/fleet_mail.h"

#include "base/mem.h"
#include "par/mpi_err.h"

enum { N_UNDER_WAY = 1024 };

struct fleet_mail {
    MPI_Comm comm;
    struct fleet_note notes[N_UNDER_WAY]; // ring
    MPI_Request requests[N_UNDER_WAY];
    uint64_t n_sent;
};

struct fleet_mail *fleet_mail_create(MPI_Comm comm, struct err *err)
{
    struct fleet_mail *mail = mem_calloc(1, sizeof *mail);
    for (int i = 0; i < N_UNDER_WAY; i++)
        mail->requests[i] = MPI_REQUEST_NULL;
    if (mpi_err_check(MPI_Comm_dup(comm, &mail->comm), "make a communicator", err) < 0) {
        mem_free(mail);
        return NULL;
    }
    MPI_Comm_set_errhandler(mail->comm, MPI_ERRORS_RETURN);
    return mail;
}

void fleet_mail_destroy(struct fleet_mail *mail)
{
    if (!mail)
        return;
    MPI_Waitall(N_UNDER_WAY, mail->requests, MPI_STATUSES_IGNORE);
    MPI_Comm_free(&mail->comm);
    mem_free(mail);
}

// What MPI cannot tell is found when it is to send.
bool fleet_mail_has_room(struct fleet_mail *mail)
{
    int done = 0;
    MPI_Test(&mail->requests[mail->n_sent % N_UNDER_WAY], &done, MPI_STATUS_IGNORE);
    return done;
}

int fleet_mail_send(struct fleet_mail *mail, int to, const struct fleet_note *note, struct err *err)
{
    uint64_t place = mail->n_sent++ % N_UNDER_WAY;
    mail->notes[place] = *note;
    int rc = MPI_Isend(&mail->notes[place], sizeof *note, MPI_BYTE, to, 0, mail->comm,
                       &mail->requests[place]);
    return mpi_err_check(rc, "send a note to a server of the fleet", err);
}

int fleet_mail_receive(struct fleet_mail *mail, int *from, struct fleet_note *note, struct err *err)
{
    MPI_Message message;
    MPI_Status status;
    int there = 0;
    int rc = MPI_Improbe(MPI_ANY_SOURCE, 0, mail->comm, &there, &message, &status);
    if (rc == MPI_SUCCESS && there)
        rc = MPI_Mrecv(note, sizeof *note, MPI_BYTE, &message, &status);
    if (mpi_err_check(rc, "receive a note of the fleet", err) < 0)
        return -1;
    *from = there ? status.MPI_SOURCE : 0;
    return there;
}
