// SPDX-License-Identifier: Apache-2.0
#include "live/fleet_mail.h"

#include "support/suite_mpi.h"

enum { N_NOTES = 3000 }; // more than may be under way

// Rank 0 sends to all others, which send everything back, in order, however many there are.
START_TEST(there_and_back)
{
    struct err err = {0};
    struct fleet_note note;
    int from, n_ranks = suite_mpi_size(), rc = 0;
    uint32_t n_sent = 0, n_back = 0, wrong = 0;
    uint32_t n_all = N_NOTES * (uint32_t)(n_ranks - 1), next[16] = {0};
    struct fleet_mail *mail = fleet_mail_create(MPI_COMM_WORLD, &err);
    while (rc >= 0 && suite_mpi_rank() == 0 && n_back < n_all) {
        if (n_sent < n_all && fleet_mail_has_room(mail)) {
            int to = 1 + (int)n_sent % (n_ranks - 1);
            note = (struct fleet_note){-5, n_sent++ / (uint32_t)(n_ranks - 1), FLEET_QUERY};
            rc = fleet_mail_send(mail, to, &note, &err);
        }
        while (rc >= 0 && (rc = fleet_mail_receive(mail, &from, &note, &err)) > 0) {
            wrong += note.query != next[from]++ || note.at_ns != from || note.what != FLEET_DONE;
            n_back++;
        }
    }
    while (rc >= 0 && suite_mpi_rank() > 0 && n_back < N_NOTES)
        if (fleet_mail_has_room(mail) && (rc = fleet_mail_receive(mail, &from, &note, &err)) > 0) {
            wrong += from != 0 || note.at_ns != -5 || note.what != FLEET_QUERY;
            note = (struct fleet_note){suite_mpi_rank(), note.query, FLEET_DONE};
            rc = fleet_mail_send(mail, 0, &note, &err);
            n_back++;
        }
    fleet_mail_destroy(mail);
    ck_assert_msg(rc >= 0, "%s", err.text);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

// Nothing was sent, nothing is there.
START_TEST(nothing)
{
    struct err err = {0};
    struct fleet_note note;
    int from;
    struct fleet_mail *mail = fleet_mail_create(MPI_COMM_WORLD, &err);
    int rc = fleet_mail_receive(mail, &from, &note, &err);
    bool room = fleet_mail_has_room(mail);
    fleet_mail_destroy(mail);
    fleet_mail_destroy(NULL);
    ck_assert_int_eq(rc, 0);
    ck_assert(room);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", there_and_back}, {"limits", nothing}};
    return suite_mpi_run(&argc, &argv, "fleet_mail", tests, sizeof tests / sizeof *tests);
}
