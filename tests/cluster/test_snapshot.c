// SPDX-License-Identifier: Apache-2.0
// A run that is stopped again and again, and goes on each time on other ranks and another layout,
// must end with the record of the run that was never stopped, to the last bit.
#include "cluster/snapshot.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture_outages.h"
#include "cluster/fixture_studies.h"
#include "cluster/run.h"
#include "results/gather.h"
#include "support/suite_mpi.h"

#define OUTAGE_CHAIN_NS (100 * SIMTIME_MS)
// The slower the machine, the more pieces; there is no more to learn from hundreds of them.
enum { MOST_PIECES = 12 };

// Frames of a whole fleet, on every rank that took part.
struct kept {
    MPI_Comm comm;
    struct blob frames; // each with its length before it
    enum run_wish wish; // told after `patience` askings
    int patience;
    int n_saved;
    int64_t reached_ns;
};

static int rank_of(MPI_Comm comm)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    return rank;
}

static int size_of(MPI_Comm comm)
{
    int size;
    MPI_Comm_size(comm, &size);
    return size;
}

static enum run_wish wish(void *user)
{
    struct kept *kept = user;
    return kept->patience-- > 0 ? RUN_GO_ON : kept->wish;
}

// Everybody's frames on everybody.
static int save(void *user, struct snapshot *state, int64_t reached_ns, struct err *err)
{
    struct kept *kept = user;
    struct blob mine = {0}, frame = {0};
    int n_ranks = size_of(kept->comm);
    int *counts = mem_calloc((size_t)n_ranks, sizeof *counts);
    int *starts = mem_calloc((size_t)n_ranks, sizeof *starts);
    (void)err;
    for (; snapshot_make(state, &frame); blob_clear(&frame)) {
        blob_put_u64(&mine, frame.n);
        blob_put(&mine, frame.bytes, frame.n);
    }
    int n = (int)mine.n, all = 0;
    MPI_Allgather(&n, 1, MPI_INT, counts, 1, MPI_INT, kept->comm);
    for (int r = 0; r < n_ranks; r++) {
        starts[r] = all;
        all += counts[r];
    }
    unsigned char *bytes = mem_alloc((size_t)all);
    MPI_Allgatherv(mine.bytes, n, MPI_BYTE, bytes, counts, starts, MPI_BYTE, kept->comm);
    blob_clear(&kept->frames);
    blob_put(&kept->frames, bytes, (size_t)all);
    kept->n_saved++;
    kept->reached_ns = reached_ns;
    kept->patience = 1;
    mem_free(bytes);
    mem_free(counts);
    mem_free(starts);
    blob_release(&mine);
    blob_release(&frame);
    return 0;
}

static int take_all(const struct blob *frames, struct snapshot *state, struct err *err)
{
    struct blob_reader all = blob_read(frames->bytes, frames->n);
    int rc = 0;
    while (rc == 0 && blob_left(&all) > 0) {
        uint64_t n = blob_get_u64(&all);
        struct blob_reader frame = blob_read(blob_take(&all, n), n);
        rc = frame.bytes ? snapshot_take(state, &frame, err) : err_set(err, ERR_FAIL, "cut off");
    }
    return rc;
}

static int load(void *user, struct snapshot *state, struct err *err)
{
    const struct kept *kept = user;
    return take_all(&kept->frames, state, err);
}

// What runs where in one piece of a chain.
struct piece {
    MPI_Comm comm;
    enum layout_mode layout;
    int64_t window_ns;
};

// One piece on the ranks of its communicator, from what was kept if anything was. The sum of the
// records on rank 0 when it was the last, else NULL; *stopped says which.
static struct record *run_piece(struct fixture *fixture, const struct piece *piece,
                                struct kept *kept, bool *stopped)
{
    struct record *mine = fixture_record(fixture, FIXTURE_STUDY_BINS, FIXTURE_STUDY_WARMUP_NS);
    struct record *total = NULL;
    struct run_control control = {wish, save, kept->n_saved ? load : NULL, kept};
    struct run_options options = {.layout = piece->layout, .control = &control};
    struct run_cost cost;
    struct err err = {0};
    kept->comm = piece->comm;
    fixture->config.window_ns = piece->window_ns;
    int rc = run_fleet(piece->comm, &fixture->config, &options, mine, &cost, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    *stopped = cost.stopped;
    if (!cost.stopped) {
        rc = gather_record(piece->comm, mine, &total, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
    }
    record_destroy(mine);
    return total;
}

static struct record *run_whole(struct fixture *fixture)
{
    struct record *record = fixture_record(fixture, FIXTURE_STUDY_BINS, FIXTURE_STUDY_WARMUP_NS);
    struct run_options options = {.layout = LAYOUT_AUTO};
    struct run_cost cost;
    struct err err = {0};
    fixture->config.window_ns = 0;
    int rc = run_fleet(MPI_COMM_SELF, &fixture->config, &options, record, &cost, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    return record;
}

// Rank 0's frames for everybody: after a piece that every rank ran for itself they are equal in
// what they say.
static void share(struct kept *kept)
{
    uint64_t n = kept->frames.n;
    MPI_Bcast(&n, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    unsigned char *bytes = mem_alloc(n);
    if (rank_of(MPI_COMM_WORLD) == 0)
        memcpy(bytes, kept->frames.bytes, n);
    MPI_Bcast(bytes, (int)n, MPI_BYTE, 0, MPI_COMM_WORLD);
    blob_clear(&kept->frames);
    blob_put(&kept->frames, bytes, n);
    mem_free(bytes);
}

// ---- core ---------------------------------------------------------------------------------------

// Pieces of a thirtieth of the run or so and then the rest, on one rank, on all, on all but the
// last. A piece is at least 32 windows, and a window an arrival: runs are long ones.
// Returns how many pieces there were: a rank that hears late of the others' wishes may have come to
// the end before.
static int assert_chain(struct fixture *fixture, int study)
{
    struct kept kept = {.wish = RUN_SAVE_AND_STOP};
    MPI_Comm fewer;
    int n_ranks = size_of(MPI_COMM_WORLD), rank = rank_of(MPI_COMM_WORLD), n_pieces = 0;
    MPI_Comm_split(MPI_COMM_WORLD, n_ranks > 1 && rank == n_ranks - 1, rank, &fewer);
    fixture_ready(fixture);
    struct record *whole = run_whole(fixture), *end;
    int go_on = 1;
    while (go_on) {
        const struct piece piece = {n_pieces % 3 == 0   ? MPI_COMM_WORLD
                                    : n_pieces % 3 == 1 ? MPI_COMM_SELF
                                                        : fewer,
                                    (enum layout_mode)(n_pieces % N_LAYOUT_MODES),
                                    (1 + n_pieces % 7) * 3 * SIMTIME_US};
        bool stopped;
        end = run_piece(fixture, &piece, &kept, &stopped);
        // Whoever has come to the end must be right; what rank 0 has decides how it goes on.
        bool same = stopped || !end || fixture_same_record(whole, end);
        record_destroy(end);
        ck_assert_msg(same, "study %d after %d pieces", study, n_pieces);
        go_on = stopped;
        MPI_Bcast(&go_on, 1, MPI_INT, 0, MPI_COMM_WORLD);
        if (go_on)
            share(&kept);
        if (++n_pieces == MOST_PIECES)
            kept.patience = INT32_MAX;
    }
    record_destroy(whole);
    blob_release(&kept.frames);
    MPI_Comm_free(&fewer);
    fixture_release(fixture);
    return n_pieces;
}

START_TEST(chain_of_pieces)
{
    int n_pieces = 0, study;
    for (study = 0; fixture_studies[study]; study++) {
        struct fixture fixture;
        fixture_studies[study](&fixture);
        fixture.config.duration_ns *= 25;
        n_pieces += assert_chain(&fixture, study);
    }
    ck_assert_int_ge(n_pieces, 3 * study);
}
END_TEST

// The same where servers go out of service: retries that wait, the traffic of cells that are out
// and who is in service are taken up, and nothing is counted twice.
START_TEST(chain_of_outages)
{
    int n_pieces = 0, study;
    for (study = 0; fixture_outages[study]; study++) {
        struct fixture fixture;
        fixture_outages[study](&fixture, OUTAGE_CHAIN_NS);
        n_pieces += assert_chain(&fixture, study);
    }
    ck_assert_int_ge(n_pieces, 3 * study);
}
END_TEST

// Servers that crash all the time and next to no queries: stopped in the middle of an idle stretch,
// and resumed there alone and by all.
START_TEST(idle_stretch)
{
    struct fixture fixture;
    struct kept kept = {.wish = RUN_SAVE_AND_STOP, .patience = 2};
    bool stopped;
    fixture_init(&fixture, 1, 2);
    fixture_set_policy(&fixture, "power-of-two");
    fixture.services[0].traffic.rate_qps = 2e-3;
    fixture.config.duration_ns = 1000 * SIMTIME_S;
    fixture.config.outages = (struct outage_config){
        .mtbf_s = 0.05, .mttr_s = 0.05, .retries = 2, .retry_delay_ns = 1000};
    fixture_ready(&fixture);
    struct record *whole = run_whole(&fixture);
    struct piece piece = {MPI_COMM_WORLD, LAYOUT_SPREAD, 0};
    struct record *end = run_piece(&fixture, &piece, &kept, &stopped);
    ck_assert(stopped && !end && kept.reached_ns < fixture.config.duration_ns);
    for (int i = 0; i < 2; i++) {
        kept.patience = INT32_MAX;
        end = run_piece(&fixture, &piece, &kept, &stopped);
        bool same = !end || fixture_same_record(whole, end);
        record_destroy(end);
        ck_assert(same && !stopped);
        piece = (struct piece){MPI_COMM_SELF, LAYOUT_AUTO, 1};
    }
    record_destroy(whole);
    blob_release(&kept.frames);
    fixture_release(&fixture);
}
END_TEST

// A run that is saved on its way and goes on is not changed by it; and what was saved last leads to
// the same end.
START_TEST(saved_on_the_way)
{
    for (int study = 0; fixture_studies[study]; study++) {
        struct fixture fixture;
        struct kept kept = {.wish = RUN_SAVE}; // as soon as a rank is asked, and then now and then
        bool stopped;
        fixture_studies[study](&fixture);
        fixture.config.duration_ns *= 4; // not over when a rank is first asked
        fixture_ready(&fixture);
        struct record *whole = run_whole(&fixture);
        const struct piece piece = {MPI_COMM_WORLD, LAYOUT_SPREAD, 2 * SIMTIME_US};
        struct record *end = run_piece(&fixture, &piece, &kept, &stopped);
        ck_assert(!stopped);
        bool same = !end || fixture_same_record(whole, end);
        record_destroy(end);
        ck_assert_msg(same && kept.n_saved > 0, "study %d, saved %d times", study, kept.n_saved);
        kept.patience = INT32_MAX;
        const struct piece rest = {MPI_COMM_SELF, LAYOUT_AUTO, 0};
        end = run_piece(&fixture, &rest, &kept, &stopped);
        same = fixture_same_record(whole, end);
        record_destroy(end);
        ck_assert_msg(same, "study %d, the rest", study);
        record_destroy(whole);
        blob_release(&kept.frames);
        fixture_release(&fixture);
    }
}
END_TEST

// ---- errors -------------------------------------------------------------------------------------

static int try_frames(struct fixture *fixture, struct kept *kept, struct err *err)
{
    struct record *record = fixture_record(fixture, FIXTURE_STUDY_BINS, FIXTURE_STUDY_WARMUP_NS);
    struct run_control control = {wish, save, load, kept};
    struct run_options options = {.layout = LAYOUT_AUTO, .control = &control};
    struct run_cost cost;
    kept->comm = MPI_COMM_SELF;
    kept->patience = 0;
    kept->wish = RUN_SAVE_AND_STOP;
    int rc = run_fleet(MPI_COMM_SELF, &fixture->config, &options, record, &cost, err);
    record_destroy(record);
    return rc;
}

// Frames that are cut, or of which one is missing, are refused. (That their bytes are the right
// ones is checked by who keeps them.)
START_TEST(damaged)
{
    struct fixture fixture;
    struct kept kept = {.wish = RUN_SAVE_AND_STOP};
    struct err err = {0};
    bool stopped;
    fixture_two_choices_accelerator(&fixture);
    fixture_ready(&fixture);
    const struct piece piece = {MPI_COMM_SELF, LAYOUT_AUTO, 5 * SIMTIME_US};
    record_destroy(run_piece(&fixture, &piece, &kept, &stopped));
    ck_assert(stopped);
    struct blob good = {0};
    blob_put(&good, kept.frames.bytes, kept.frames.n);
    uint64_t length;
    memcpy(&length, good.bytes, sizeof length);
    ck_assert_uint_eq(length + sizeof length, good.n); // one frame
    for (uint64_t cut = 1; cut < length; cut += 1 + cut / 7) {
        uint64_t n = length - cut;
        blob_clear(&kept.frames);
        blob_put_u64(&kept.frames, n);
        blob_put(&kept.frames, good.bytes + sizeof length, n);
        ck_assert_int_eq(try_frames(&fixture, &kept, &err), -1);
        ck_assert_int_eq(err.code, ERR_FAIL);
    }
    blob_clear(&kept.frames);
    ck_assert_int_eq(try_frames(&fixture, &kept, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "missing"));
    blob_release(&good);
    blob_release(&kept.frames);
    fixture_release(&fixture);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", chain_of_pieces},
                                       {"core", chain_of_outages},
                                       {"limits", idle_stretch},
                                       {"core", saved_on_the_way},
                                       {"errors", damaged}};
    return suite_mpi_run(&argc, &argv, "state", tests, sizeof tests / sizeof *tests);
}
