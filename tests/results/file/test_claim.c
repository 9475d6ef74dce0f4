// SPDX-License-Identifier: Apache-2.0
#include "results/file/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

#define NAME "out.h5"
#define LOCK ".out.h5.lock"

// Each test works in a new folder; that it can be removed at the end shows that nothing is left.
static char folder[] = "test_claim-XXXXXX";

static void enter(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    unsetenv("RECFLEET_CHAIN");
}

static void leave(void)
{
    ck_assert_int_eq(chdir(".."), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

// Another process that has the claim, and waits to be killed.
static pid_t start_holder(const char *job)
{
    int ends[2];
    char ready;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (job)
            setenv("SLURM_JOB_ID", job, 1);
        ready = claim_take("output", NAME, NULL) ? 'y' : 'n';
        ck_assert_int_eq(write(ends[1], &ready, 1), 1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ends[0], &ready, 1), 1);
    ck_assert_int_eq(ready, 'y');
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void end_holder(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

// Who comes second is told by whom the output is claimed, also under another spelling; other names
// and other folders are free; and what a killed process left is taken over.
START_TEST(one_at_a_time)
{
    struct err err = {0};
    enter();
    pid_t pid = start_holder(NULL);
    char *who = mem_printf("process %ld on %s is writing it", (long)pid, claim_self().host);
    ck_assert_ptr_null(claim_take("output", "./" NAME, &err));
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_nonnull(strstr(err.text, "output ./" NAME));
    ck_assert_ptr_nonnull(strstr(err.text, who));
    ck_assert_ptr_null(strstr(err.text, "remove")); // it runs for certain
    struct claim *other = claim_take("output", "other.h5", NULL);
    ck_assert_ptr_nonnull(other);
    claim_release(other);
    end_holder(pid);
    ck_assert(claim_is_there("./" NAME)); // who was killed has left it
    struct claim *claim = claim_take("output", NAME, &err);
    ck_assert_ptr_nonnull(claim);
    ck_assert_int_eq(access(LOCK, F_OK), 0);
    claim_release(claim);
    ck_assert_int_ne(access(LOCK, F_OK), 0);
    ck_assert(!claim_is_there(NAME));
    mem_free(who);
    leave();
}
END_TEST

// The job that Slurm has requeued takes over what a machine that is gone still has locked, and the
// one before does not remove the claim that is no longer its own.
START_TEST(requeued)
{
    struct err err = {0};
    enter();
    pid_t pid = start_holder("17");
    setenv("SLURM_JOB_ID", "17", 1);
    ck_assert_ptr_null(claim_take("output", NAME, &err)); // another step of the same job
    ck_assert_ptr_nonnull(strstr(err.text, ", job 17 is writing it"));
    setenv("SLURM_JOB_ID", "18", 1);
    setenv("SLURM_RESTART_COUNT", "1", 1);
    ck_assert_ptr_null(claim_take("output", NAME, &err));
    setenv("SLURM_JOB_ID", "17", 1);
    struct claim *first = claim_take("output", NAME, &err);
    ck_assert_ptr_nonnull(first);
    setenv("SLURM_RESTART_COUNT", "2", 1);
    struct claim *second = claim_take("output", NAME, &err);
    ck_assert_ptr_nonnull(second);
    claim_release(first);
    ck_assert_int_eq(access(LOCK, F_OK), 0);
    claim_release(second);
    ck_assert_int_ne(access(LOCK, F_OK), 0);
    end_holder(pid);
    leave();
}
END_TEST

enum { N_TAKERS = 4, N_ROUNDS = 10 };

// Several take the claim at the same moment. How many have got it.
static int take_at_once(void)
{
    int start[2], answers[2], n_got = 0;
    char said;
    pid_t pids[N_TAKERS];
    ck_assert_int_eq(pipe(start), 0);
    ck_assert_int_eq(pipe(answers), 0);
    for (int i = 0; i < N_TAKERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            close(start[1]);
            if (read(start[0], &said, 1) != 0) // the end of the pipe: all go
                _exit(1);
            said = claim_take("output", NAME, NULL) ? 'y' : 'n';
            if (write(answers[1], &said, 1) != 1)
                _exit(1);
            for (;;)
                pause();
        }
    }
    close(start[0]);
    close(start[1]);
    for (int i = 0; i < N_TAKERS; i++) {
        ck_assert_int_eq(read(answers[0], &said, 1), 1);
        n_got += said == 'y';
    }
    for (int i = 0; i < N_TAKERS; i++)
        end_holder(pids[i]);
    close(answers[0]);
    close(answers[1]);
    return n_got;
}

// Of several that find a claim whose holder has ended, one takes it over: where the lock has gone
// with its holder, and where a machine that is gone still has it and they are its job requeued.
START_TEST(one_takes_over)
{
    enter();
    for (int i = 0; i < N_ROUNDS; i++) {
        unsetenv("SLURM_JOB_ID");
        end_holder(start_holder(NULL));
        ck_assert_int_eq(take_at_once(), 1);
        unlink(LOCK);
        pid_t pid = start_holder("17");
        setenv("SLURM_JOB_ID", "17", 1);
        setenv("SLURM_RESTART_COUNT", "1", 1);
        ck_assert_int_eq(take_at_once(), 1);
        end_holder(pid);
        unlink(LOCK);
        unsetenv("SLURM_RESTART_COUNT");
    }
    leave();
}
END_TEST

// What can be known of a holder: the same job restarted, a later link of its chain; and where there
// are no locks, whether it runs here. Of another machine nothing is known.
START_TEST(ended)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    const struct claim_holder self = {"n1", (long)getpid(), "7", "c", 1};
    const struct {
        struct claim_holder holder;
        bool with_locks, without;
    } cases[] = {
        {{"n1", (long)pid, "-", "-", 0}, false, true},
        {{"n1", (long)getpid(), "-", "-", 0}, false, false},
        {{"n2", (long)pid, "-", "-", 0}, false, false},
        {{"n2", (long)pid, "7", "-", 0}, true, true},
        {{"n2", (long)pid, "7", "-", 1}, false, false},
        {{"n2", (long)pid, "6", "c", 0}, true, true},
        {{"n2", (long)pid, "6", "d", 0}, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(claim_has_ended(&cases[i].holder, &self, true) == cases[i].with_locks,
                      "case %zu", i);
        ck_assert_msg(claim_has_ended(&cases[i].holder, &self, false) == cases[i].without,
                      "case %zu", i);
    }
    const struct claim_holder alone = {"n1", 1, "-", "-", 3}, before = {"n2", 1, "-", "-", 0};
    ck_assert(!claim_has_ended(&before, &alone, true)); // no job is not one job
}
END_TEST

// A folder that takes no lock file is not this module's to complain about; a lock file that says
// nothing, or nonsense, is still a claim.
START_TEST(odd_places)
{
    struct err err = {0};
    struct claim *claim = claim_take("output", "no/such/folder/x.h5", &err);
    ck_assert_ptr_nonnull(claim);
    claim_release(claim);
    claim_release(NULL);
    enter();
    pid_t pid = start_holder(NULL);
    int fd = open(LOCK, O_WRONLY | O_TRUNC);
    ck_assert_ptr_null(claim_take("output", NAME, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "another process is writing it"));
    ck_assert_int_eq(write(fd, "a\nb\x1b[2J", 7), 7);
    ck_assert_ptr_null(claim_take("output", NAME, &err));
    ck_assert_ptr_null(strchr(err.text, '\x1b'));
    close(fd);
    end_holder(pid);
    unlink(LOCK);
    leave();
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", one_at_a_time},
                                       {"core", requeued},
                                       {"core", one_takes_over},
                                       {"limits", ended},
                                       {"errors", odd_places}};
    return suite_run("claim", tests, sizeof tests / sizeof *tests);
}
