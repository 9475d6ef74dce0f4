// SPDX-License-Identifier: Apache-2.0
#include "results/file/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// No exit status of a crash handler, such as a sanitizer's or MPI's, which exit with 1.
#define SURVIVED 42

// Whatever handler the parent has for a crash, the child just dies of it.
static void let_signals_kill(void)
{
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
}

static void run_child(sandbox_fn work, void *data, unsigned cpu_s)
{
    const struct rlimit cpu = {cpu_s, cpu_s + 1}, core = {0, 0};
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    let_signals_kill();
    sigset_t none; // nor may one that the parent holds back
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    work(data);
    _exit(SURVIVED); // not exit(): nothing of the parent's may be flushed or closed
}

int sandbox_run(sandbox_fn work, void *data, unsigned cpu_s, struct err *err)
{
    int status;
    pid_t child = fork(), waited;
    if (child == 0)
        run_child(work, data, cpu_s);
    do
        waited = child > 0 ? waitpid(child, &status, 0) : -1;
    while (child > 0 && waited < 0 && errno == EINTR);
    if (waited < 0)
        return err_set(err, ERR_FAIL, "no child process can be started to try it: %s",
                       strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED)
        return 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return err_set(err, ERR_FAIL, "it takes more than %u s", cpu_s);
    return err_set(err, ERR_FAIL, "it crashes: %s",
                   WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "the process ends");
}
