/* For the collector's container: `supervise` as PID 1; `install` and `await` as postStart hooks. */
#include "launch.h"

static const double RESTART = 0.05, LONGEST_PAUSE = 10, STEADY = 10, LONGEST_AWAIT = 30;
enum { QUICK_RESTARTS = 5 };

/* Statuses after which a restart would end the same: done, bad usage, cannot be run. */
static bool is_final(int status) {
    int code = exit_code(status);
    return code == 0 || code == BAD_USAGE || code == NOT_RUN || code == NOT_FOUND;
}

static struct {
    char **argv;
    pid_t pid;               /* -1 while no worker runs */
    int crashes, end_signal; /* in a row; the signal that announced the end, or 0 */
    double started, start_at, pause;
} worker = {.pid = -1};

/* Each worker starts with SIGTERM blocked: on a busy node the end may come while it still starts, and
 * must not end it before it can deliver. It must unblock the signal, or wait for it. */
static void start_worker(void) {
    sigaddset(&inherited_mask, SIGTERM);
    worker.started = now();
    worker.pid = start("launch supervise", worker.argv, false, NULL);
    if (worker.pid < 0) worker.start_at = worker.started + 2 * RESTART;
    else if (worker.end_signal != 0) kill(worker.pid, SIGTERM);
}

static void pass_on(const struct signalfd_siginfo *info) {
    int number = (int)info->ssi_signo;
    if (!from_outside(info)) return;
    if (number == SIGTERM || number == SIGINT || number == SIGQUIT)
        worker.end_signal = number, worker.start_at = 0;
    if (worker.pid > 0) forward_signal(worker.pid, info);
}

/* Whether this was the last worker; if not, sets when the next one starts. */
static bool was_last(int status) {
    bool crashed = WIFSIGNALED(status) && WTERMSIG(status) != worker.end_signal;
    if (worker.end_signal != 0 ? !crashed || worker.crashes > QUICK_RESTARTS : is_final(status))
        return true;
    worker.pid = -1;
    worker.crashes = now() - worker.started >= STEADY ? 1 : worker.crashes + 1;
    bool quick = worker.crashes <= QUICK_RESTARTS;
    worker.pause = quick ? RESTART : min_of(LONGEST_PAUSE, worker.pause * 2);
    worker.start_at = now() + worker.pause;
    log_line("launch supervise: %s ended with status %d; starting it again in %.2f s",
             worker.argv[0], exit_code(status), worker.pause);
    return false;
}

int supervise(char **argv) {
    note_inherited();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int signals = signalfd(-1, &every_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) become("launch supervise", argv);
    worker.argv = argv;
    for (;;) {
        if (worker.pid < 0 && now() >= worker.start_at) start_worker();
        struct pollfd fds = {.fd = signals, .events = POLLIN};
        poll_until(&fds, 1, worker.pid < 0 ? worker.start_at : NEVER);
        struct signalfd_siginfo info;
        while (read(signals, &info, sizeof info) == sizeof info) pass_on(&info);
        int status;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
            if (pid == worker.pid && was_last(status)) return exit_code(status);
    }
}

/* --- install --------------------------------------------------------------------------------- */

static bool read_all(int fd, char *to, size_t size) {
    for (ssize_t count; size > 0; to += count, size -= (size_t)count)
        if ((count = read(fd, to, size)) <= 0) return false;
    return true;
}

static bool is_installed(const char *place, const char *program, size_t size) {
    struct stat st;
    bool equal = false;
    int fd = open(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *installed = fd < 0 ? NULL : malloc(size);
    if (installed != NULL && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (st.st_mode & 0555) == 0555)
        equal = (size_t)st.st_size == size && read_all(fd, installed, size) &&
                memcmp(installed, program, size) == 0;
    free(installed);
    if (fd >= 0) close(fd);
    return equal;
}

static int put(const char *place, const char *program, size_t size) {
    char fresh[PATH_MAX], aside[PATH_MAX];
    snprintf(fresh, sizeof fresh, "%s.%d.new", place, (int)getpid());
    snprintf(aside, sizeof aside, "%s.%d.old", place, (int)getpid());
    unlink(fresh);
    umask(0);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
    ssize_t wrote = fd < 0 ? -1 : write(fd, program, size);
    if (fd >= 0) close(fd);
    if (wrote == (ssize_t)size) {
        if (rename(fresh, place) == 0) return 0;
        /* A directory at this path: move it aside. */
        if (rename(place, aside) == 0 && rename(fresh, place) == 0) return 0;
    }
    int cause = wrote >= 0 && wrote < (ssize_t)size ? ENOSPC : errno;
    unlink(fresh);
    errno = cause;
    return -1;
}

/* A failing hook kills the sidecar. So this fails only if nothing is installed and no trainer has
 * run: then nothing is lost, the kubelet shows the cause, and tries again. */
int install(const char *place) {
    struct stat st;
    char sibling[PATH_MAX];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    size_t size = fd >= 0 && fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
    char *program = malloc(size + 1);
    bool done = false;
    if (size == 0 || program == NULL || !read_all(fd, program, size)) {
        log_line("launch install: cannot read /proc/self/exe: %s", strerror(errno));
    } else {
        done = is_installed(place, program, size) || put(place, program, size) == 0;
        if (!done) log_line("launch install: cannot write %s: %s", place, strerror(errno));
    }
    free(program);
    if (done) return 0;
    const char *slash = strrchr(place, '/');
    int folder = slash == NULL ? 0 : (int)(slash + 1 - place);
    snprintf(sibling, sizeof sibling, "%.*s" ATTEMPT_FILE, folder, place);
    bool nothing = lstat(place, &st) < 0 && (errno == ENOENT || errno == ENOTDIR) &&
                   lstat(sibling, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
    return nothing ? 1 : 0;
}

/* --- await ----------------------------------------------------------------------------------- */

/* Without a launcher, the trainer must not start before the collector has seen where the file ends.
 * A collector that cannot start delays the trainer only for LONGEST_AWAIT. */
int await(const char *path) {
    static const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    double deadline = now() + LONGEST_AWAIT;
    struct stat st;
    while (lstat(path, &st) < 0 && now() < deadline) nanosleep(&pause, NULL);
    return 0;
}
