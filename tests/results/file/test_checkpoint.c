// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "results/file/durable.h"
#include "support/suite_mpi.h"

#define PATH "here/x.ckpt"

static const struct checkpoint_head head_of_tests = {
    .program = "0.1.0 abc",
    .study = "00112233445566778899aabbccddeeff",
    .name = "of the tests",
    .reached_ns = 12300000000,
    .end_ns = 60000000000,
    .n_restarts = 2,
    .wall_s = 1.5,
};

// Rank 0 makes a folder and goes into it, all wait for it. Leaving it fails when the test, or what
// it tests, left anything in it.
static char home[4096];

static void enter(void)
{
    char folder[] = "test_ckpt-XXXXXX";
    if (suite_mpi_rank() == 0) {
        ck_assert_ptr_nonnull(getcwd(home, sizeof home));
        ck_assert_ptr_nonnull(mkdtemp(folder));
        ck_assert_int_eq(chdir(folder), 0);
        ck_assert_int_eq(mkdir("here", 0777), 0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static void leave(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (suite_mpi_rank() == 0) {
        char folder[4096];
        durable_remove(PATH);
        ck_assert_msg(rmdir("here") == 0, "something is left");
        ck_assert_ptr_nonnull(getcwd(folder, sizeof folder));
        ck_assert_int_eq(chdir(home), 0);
        ck_assert_int_eq(rmdir(folder), 0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

// Frame `index` of maker `maker`, of a size and with bytes that follow from the two and the seed.
struct frames {
    uint64_t seed;
    uint32_t maker, next, n_frames;
    uint64_t longest; // bytes; every fifth frame is as good as empty
    uint32_t makers;  // when taking: frames of so many makers are expected, in their order
};

static struct frames frames_of(uint64_t seed, uint32_t n_frames, uint64_t longest)
{
    return (struct frames){.seed = seed,
                           .maker = (uint32_t)suite_mpi_rank(),
                           .n_frames = n_frames,
                           .longest = longest,
                           .makers = (uint32_t)suite_mpi_size()};
}

static void fill(const struct frames *f, struct blob *frame)
{
    struct rng_stream stream = rng_stream(f->seed, RNG_TEST, f->maker);
    uint64_t words[2];
    rng_block(&stream, f->next, words);
    uint64_t n = f->next % 5 == 3 ? words[0] % 2 : words[0] % (f->longest + 1);
    for (uint64_t i = 0; i < n; i += 8) {
        uint64_t word = words[1] + i * UINT64_C(0x9e3779b97f4a7c15);
        blob_put(frame, &word, n - i < 8 ? n - i : 8);
    }
}

static bool make(void *user, struct blob *frame)
{
    struct frames *f = user;
    if (frame->n != 0 || f->next == f->n_frames)
        return false;
    fill(f, frame);
    f->next++;
    return true;
}

// Expects what all makers made, one maker after the other.
static int take(void *user, struct blob_reader *reader, struct err *err)
{
    struct frames *f = user;
    struct blob expected = {0};
    if (f->next == f->n_frames) {
        f->maker++;
        f->next = 0;
    }
    if (f->maker == f->makers)
        return err_set(err, ERR_FAIL, "too many frames");
    fill(f, &expected);
    uint64_t n = blob_left(reader);
    const void *bytes = blob_take(reader, n);
    bool same = n == expected.n && (n == 0 || memcmp(bytes, expected.bytes, n) == 0);
    blob_release(&expected);
    f->next++;
    return same ? blob_end(reader, err)
                : err_set(err, ERR_FAIL, "frame %u of %u is another", f->next, f->maker);
}

static bool took_all(const struct frames *f)
{
    return f->maker == f->makers - 1 && f->next == f->n_frames;
}

static int write_frames(uint64_t seed, uint32_t n_frames, uint64_t longest, int64_t reached_ns,
                        struct err *err)
{
    struct frames f = frames_of(seed, n_frames, longest);
    struct checkpoint_head head = head_of_tests;
    uint64_t n_bytes = 0;
    head.reached_ns = reached_ns;
    int rc = checkpoint_write(MPI_COMM_WORLD, PATH, &head, make, &f, &n_bytes, err);
    struct stat st;
    if (rc == 0 && suite_mpi_rank() == 0 &&
        (stat(PATH, &st) != 0 || (uint64_t)st.st_size != n_bytes))
        ck_abort_msg("size");
    return rc;
}

static int read_frames(MPI_Comm comm, const char *path, uint64_t seed, uint32_t n_frames,
                       uint64_t longest, struct err *err)
{
    struct frames f = frames_of(seed, n_frames, longest);
    struct checkpoint_head found;
    f.maker = 0;
    int rc = checkpoint_read(comm, path, &head_of_tests, &found, take, &f, err);
    if (rc == 0 && (!took_all(&f) || strcmp(found.name, head_of_tests.name) != 0))
        ck_abort_msg("not all frames, or another head");
    return rc;
}

// The same text on all ranks, with `part` in it.
static void same_everywhere(const struct err *err, const char *part)
{
    struct err first = *err;
    MPI_Bcast(&first, (int)sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    ck_assert_str_eq(err->text, first.text);
    ck_assert_msg(strstr(err->text, part) != NULL, "%s", err->text);
    ck_assert_ptr_null(strchr(err->text, '\n'));
    ck_assert_int_eq(err->code, first.code);
}

static void flip_byte(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    fseek(f, at, SEEK_SET);
    int c = getc(f);
    fseek(f, at, SEEK_SET);
    putc(c ^ 1, f);
    fclose(f);
}

// Frames of all sizes from all ranks reach all ranks, in the order of the ranks.
START_TEST(every_rank_gets_all)
{
    struct err err = {0};
    enter();
    for (uint32_t round = 0; round < 6; round++) {
        uint64_t longest = UINT64_C(40) << (4 * (round % 5)); // up to 2.6 MB
        int rc = write_frames(round, 1 + 7 * (round % 3), longest, 0, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        rc = read_frames(MPI_COMM_WORLD, PATH, round, 1 + 7 * (round % 3), longest, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
    }
    leave();
}
END_TEST

// What n ranks wrote, fewer read: all but the last rank, and the first alone.
START_TEST(other_numbers_of_ranks)
{
    struct err err = {0};
    MPI_Comm some;
    enter();
    int rc = write_frames(7, 9, 50000, 0, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    for (int n = 1; n < suite_mpi_size(); n++) {
        MPI_Comm_split(MPI_COMM_WORLD, suite_mpi_rank() < n, suite_mpi_rank(), &some);
        rc = suite_mpi_rank() < n ? read_frames(some, PATH, 7, 9, 50000, &err) : 0;
        ck_assert_msg(rc == 0, "%s", err.text);
        MPI_Comm_free(&some);
    }
    leave();
}
END_TEST

static bool make_big(void *user, struct blob *frame)
{
    struct frames *f = user;
    if (f->maker != f->makers - 1 || f->next == 1)
        return false;
    uint64_t word = 0;
    while (frame->n < f->longest) {
        blob_put_u64(frame, word);
        word += UINT64_C(0x9e3779b97f4a7c15);
    }
    f->next++;
    return true;
}

static int take_big(void *user, struct blob_reader *reader, struct err *err)
{
    struct frames *f = user;
    uint64_t word = 0;
    if (blob_left(reader) != f->longest)
        return err_set(err, ERR_FAIL, "another length");
    while (blob_left(reader) > 0) {
        if (blob_get_u64(reader) != word)
            return err_set(err, ERR_FAIL, "another byte");
        word += UINT64_C(0x9e3779b97f4a7c15);
    }
    f->next++;
    return 0;
}

// A frame longer than one message (64 MiB), from the last rank to all.
START_TEST(longer_than_a_message)
{
    struct err err = {0};
    struct frames f = frames_of(0, 1, (UINT64_C(65) << 20) + 8);
    struct checkpoint_head found;
    enter();
    int rc = checkpoint_write(MPI_COMM_WORLD, PATH, &head_of_tests, make_big, &f, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    f.next = 0;
    rc = checkpoint_read(MPI_COMM_WORLD, PATH, &head_of_tests, &found, take_big, &f, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_uint_eq(f.next, 1);
    leave();
}
END_TEST

// The one before is kept, and named with how far it is when the newest is damaged, cut or gone.
START_TEST(the_one_before_is_offered)
{
    const char *const offer = "; the one before, " PATH ".previous, is whole (12.3 s of 60 s): "
                              "resume from it with --resume-from " PATH ".previous";
    struct err err = {0};
    enter();
    ck_assert_int_eq(write_frames(1, 4, 900, 12300000000, &err), 0);
    ck_assert_int_eq(write_frames(2, 5, 900, 20000000000, &err), 0);
    if (suite_mpi_rank() == 0)
        flip_byte(PATH, 320);
    int rc = read_frames(MPI_COMM_WORLD, PATH, 2, 5, 900, &err);
    ck_assert_int_eq(rc, -1);
    same_everywhere(&err, "damaged between byte 304 and");
    same_everywhere(&err, offer);
    if (suite_mpi_rank() == 0)
        ck_assert_int_eq(truncate(PATH, 340), 0);
    rc = read_frames(MPI_COMM_WORLD, PATH, 2, 5, 900, &err);
    ck_assert_int_eq(rc, -1);
    same_everywhere(&err, "cut off");
    same_everywhere(&err, offer);
    if (suite_mpi_rank() == 0)
        unlink(PATH);
    rc = read_frames(MPI_COMM_WORLD, PATH, 2, 5, 900, &err);
    ck_assert_int_eq(rc, -1);
    same_everywhere(&err, "No such file");
    same_everywhere(&err, offer);
    rc = read_frames(MPI_COMM_WORLD, PATH ".previous", 1, 4, 900, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (suite_mpi_rank() == 0)
        flip_byte(PATH ".previous", 0);
    rc = read_frames(MPI_COMM_WORLD, PATH, 2, 5, 900, &err);
    ck_assert_int_eq(rc, -1);
    same_everywhere(&err,
                    "; the one before cannot be used either: checkpoint " PATH ".previous: not a");
    leave();
}
END_TEST

// Whether it is there, how far it is, what is wrong with it: one process can tell alone.
START_TEST(one_process_looks)
{
    struct checkpoint_head head;
    struct err err = {0};
    enter();
    int rc = write_frames(1, 4, 900, 12300000000, &err);
    ck_assert_int_eq(rc, 0);
    if (suite_mpi_rank() == 0) {
        ck_assert(durable_exists(PATH));
        ck_assert_int_eq(checkpoint_check(PATH, &err), 0);
        ck_assert_int_eq(checkpoint_inspect(PATH, &head, &err), 0);
        ck_assert_mem_eq(&head, &head_of_tests, sizeof head);
        flip_byte(PATH, 290);
        ck_assert_int_eq(checkpoint_inspect(PATH, &head, &err), -1);
        ck_assert_str_eq(head.name, head_of_tests.name); // the head is whole
        flip_byte(PATH, 20);
        ck_assert_int_eq(checkpoint_inspect(PATH, &head, &err), -1);
        ck_assert_str_eq(head.name, "");
        durable_remove(PATH);
        ck_assert(!durable_exists(PATH));
        durable_remove(PATH);
    }
    leave();
}
END_TEST

// Another study's or another program's checkpoint is refused before a frame is handed out.
START_TEST(foreign_is_refused)
{
    struct checkpoint_head expected = head_of_tests, found;
    struct frames f = frames_of(1, 4, 900);
    struct err err = {0};
    f.maker = 0;
    enter();
    ck_assert_int_eq(write_frames(1, 4, 900, 0, &err), 0);
    strcpy(expected.study, "ffff");
    int rc = checkpoint_read(MPI_COMM_WORLD, PATH, &expected, &found, take, &f, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    same_everywhere(&err, "of another study");
    expected = head_of_tests;
    strcpy(expected.program, "0.2.0");
    rc = checkpoint_read(MPI_COMM_WORLD, PATH, &expected, &found, take, &f, &err);
    ck_assert_int_eq(rc, -1);
    same_everywhere(&err, "written by recfleet 0.1.0 abc");
    ck_assert_uint_eq(f.next, 0);
    leave();
}
END_TEST

static int take_on_all_but_last(void *user, struct blob_reader *reader, struct err *err)
{
    struct frames *f = user;
    f->next++;
    (void)reader;
    if (suite_mpi_rank() == suite_mpi_size() - 1 && f->next == 2)
        return err_set(err, ERR_FAIL, "not mine");
    return 0;
}

// One rank that does not like a frame is an error on all; it is not asked again.
START_TEST(one_rank_refuses)
{
    struct checkpoint_head found = {.name = "untouched"};
    struct frames f = frames_of(1, 4, 900);
    struct err err = {0};
    enter();
    ck_assert_int_eq(write_frames(1, 4, 900, 0, &err), 0);
    int rc = checkpoint_read(MPI_COMM_WORLD, PATH, &head_of_tests, &found, take_on_all_but_last, &f,
                             &err);
    ck_assert_int_eq(rc, -1);
    same_everywhere(&err, "checkpoint " PATH ": not mine");
    ck_assert_str_eq(found.name, "untouched");
    ck_assert_uint_eq(
        f.next, suite_mpi_rank() == suite_mpi_size() - 1 ? 2 : 4 * (uint32_t)suite_mpi_size());
    // Nobody has to want the reason.
    f.next = 0;
    rc = checkpoint_read(MPI_COMM_WORLD, PATH, &head_of_tests, &found, take_on_all_but_last, &f,
                         NULL);
    ck_assert_int_eq(rc, -1);
    leave();
}
END_TEST

// The disk is full at any moment, be it in the head, in rank 0's frames or in another rank's: all
// ranks come back with the same error, and what was there before is there as it was.
START_TEST(full_disk_at_any_moment)
{
    struct rlimit was;
    struct err err = {0};
    enter();
    ck_assert_int_eq(write_frames(1, 4, 900, 12300000000, &err), 0);
    getrlimit(RLIMIT_FSIZE, &was);
    uint64_t whole = 288 + 24;
    struct frames f = frames_of(2, 6, 9000);
    for (f.maker = 0; f.maker < f.makers; f.maker++) {
        for (f.next = 0; f.next < f.n_frames; f.next++) {
            struct blob frame = {0};
            fill(&f, &frame);
            whole += 16 + frame.n;
            blob_release(&frame);
        }
    }
    for (uint64_t limit = 0; limit < whole; limit += whole / 41) {
        if (suite_mpi_rank() == 0)
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, was.rlim_max});
        int rc = write_frames(2, 6, 9000, 20000000000, &err);
        setrlimit(RLIMIT_FSIZE, &was);
        ck_assert_int_eq(rc, -1);
        same_everywhere(&err, "checkpoint " PATH ": cannot write: File too large");
    }
    if (suite_mpi_rank() == 0) {
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){whole - 1, was.rlim_max});
        ck_assert_int_ne(access(PATH ".previous", F_OK), 0);
    }
    int rc = write_frames(2, 6, 9000, 20000000000, &err);
    setrlimit(RLIMIT_FSIZE, &was);
    ck_assert_int_eq(rc, -1);
    rc = read_frames(MPI_COMM_WORLD, PATH, 1, 4, 900, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    leave();
}
END_TEST

// A folder that is not there, or not a folder, is an error on all ranks; so is a name that another
// kind of file has.
START_TEST(bad_places)
{
    const char *const paths[] = {"absent/x.ckpt", "file/x.ckpt", "here"};
    const char *const reasons[] = {"No such file", "Not a directory", "not a regular file"};
    struct frames f = frames_of(1, 4, 900);
    struct err err = {0};
    enter();
    if (suite_mpi_rank() == 0)
        fclose(fopen("file", "w"));
    for (int i = 0; i < 3; i++) {
        int rc = checkpoint_write(MPI_COMM_WORLD, paths[i], &head_of_tests, make, &f, NULL, &err);
        ck_assert_int_eq(rc, -1);
        same_everywhere(&err, reasons[i]);
        rc = checkpoint_write(MPI_COMM_WORLD, paths[i], &head_of_tests, make, &f, NULL, NULL);
        ck_assert_int_eq(rc, -1);
    }
    if (suite_mpi_rank() == 0)
        unlink("file");
    leave();
}
END_TEST

static bool make_too_long(void *user, struct blob *frame)
{
    struct frames *f = user;
    blob_put_u64(frame, f->next);
    if (f->maker == f->makers - 1 && f->next == 2)
        frame->n = FRAMES_MAX_BYTES + 1; // not that there were so many: nobody looks
    return f->next++ < 3;
}

// The last rank's frame is too long: refused on all, whoever the last rank is.
START_TEST(too_long_a_frame)
{
    struct frames f = frames_of(1, 4, 900);
    struct err err = {0};
    enter();
    int rc = checkpoint_write(MPI_COMM_WORLD, PATH, &head_of_tests, make_too_long, &f, NULL, &err);
    ck_assert_int_eq(rc, -1);
    same_everywhere(&err, "too long");
    leave();
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", every_rank_gets_all},
        {"core", other_numbers_of_ranks},
        {"core", one_process_looks},
        {"core", the_one_before_is_offered},
        {"limits", longer_than_a_message},
        {"errors", foreign_is_refused},
        {"errors", one_rank_refuses},
        {"errors", full_disk_at_any_moment},
        {"errors", bad_places},
        {"errors", too_long_a_frame},
    };
    return suite_mpi_run(&argc, &argv, "checkpoint", tests, sizeof tests / sizeof *tests);
}
