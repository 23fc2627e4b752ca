/* launch: runs a trainer inside its own container, unseen. See docs/launcher.md.
 *
 *   launch run --run-dir DIR [flags] -- COMMAND...   the trainer's container: start, watch, hold
 *   launch supervise -- COMMAND...                   the sidecar: keep the collector alive
 *   launch install DEST                              copy this program to where `run` is started
 *
 * One thread, one poll loop, no dependency. All signals stay blocked and are read from a
 * descriptor, so no disposition changes: what the launcher inherited, the trainer inherits.
 * `python -m launcher` is the same for a laptop; tests/contracts runs one suite over both. */
#define _GNU_SOURCE
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The names and words of api/names.py; a test compares the two. */
#define ATTEMPT "attempt"
#define ATTEMPTS "attempts"
#define CONTROL "control"
#define EXIT "exit"
#define OUT "out-"
#define ERR "err-"
#define SEGMENT "%s%08ld"
#define FOLLOWING "following"
#define STOP "stop"
#define DELIVERED "delivered ok"
#define GAVE_UP "delivered gave-up: "

enum {
    SEGMENT_BYTES = 1 << 20, /* each segment but a stream's last one has exactly this size */
    CHUNK = 1 << 16,         /* one reading of a stream */
    PIECE = 4096,            /* PIPE_BUF: after POLLOUT a pipe takes so much without blocking */
    RESERVED = 1024,         /* kept for the exit record, so that a full disk cannot refuse it */
    NOT_FOUND = 127,
    NOT_RUN = 126,
    BAD_USAGE = 2,
};
#define NEVER __builtin_inf()
static const double DEADLINE_MARGIN = 10, CLEARING = 5, RESTART = 0.05, LONGEST_PAUSE = 10, STEADY = 10;

extern char **environ;
static pid_t self;
static sigset_t inherited_mask, every_signal;
static struct sigaction inherited_chld;
static mode_t inherited_umask;
static int null_fd = -1;

/* --- small things ------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void say(const char *form, ...) {
    char line[1024];
    va_list values;
    va_start(values, form);
    int length = vsnprintf(line, sizeof line - 1, form, values);
    va_end(values);
    size_t used = length < 0 ? 0 : (size_t)length < sizeof line - 1 ? (size_t)length : sizeof line - 2;
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0) return; /* one write, so that lines stay whole */
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static double now(void) { return seconds(CLOCK_MONOTONIC); }
static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

static int poll_until(struct pollfd *fds, nfds_t count, double until) {
    double ms = most(0, (until - now()) * 1000 + 1);
    return poll(fds, count, until == NEVER ? -1 : (int)least(ms, INT_MAX));
}

static int exit_code(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- the trainer's side of a fork ---------------------------------------------------------- */

/* execvp, but for one thing: a file in no known format is refused, as the kubelet refuses it,
 * where execvp would hand it to /bin/sh. Comes back only when it failed, with errno. */
static void execute(char **argv) {
    const char *path = getenv("PATH");
    if (path == NULL) path = "/bin:/usr/bin";
    if (argv[0][0] == '\0') path = "";
    if (strchr(argv[0], '/') != NULL || path[0] == '\0') {
        errno = ENOENT;
        if (argv[0][0] != '\0') execve(argv[0], argv, environ);
        return;
    }
    bool denied = false;
    for (const char *from = path, *end; from != NULL; from = *end ? end + 1 : NULL) {
        char file[PATH_MAX];
        end = strchrnul(from, ':');
        int length = snprintf(file, sizeof file, "%.*s%s%s", (int)(end - from), from,
                              end > from ? "/" : "", argv[0]);
        if (length >= (int)sizeof file) continue;
        execve(file, argv, environ);
        if (errno == EACCES) denied = true;
        else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENAMETOOLONG)
            return;
    }
    errno = denied ? EACCES : ENOENT;
}

/* Becomes the command, with all that this process inherited put back. */
__attribute__((noreturn)) static void become(const char *who, char **argv) {
    umask(inherited_umask);
    sigaction(SIGCHLD, &inherited_chld, NULL);
    sigprocmask(SIG_SETMASK, &inherited_mask, NULL);
    execute(argv);
    int cause = errno;
    if (cause == ENOENT && strchr(argv[0], '/') == NULL)
        say("%s: cannot run \"%s\": not found in PATH=%s", who, argv[0],
            getenv("PATH") ? getenv("PATH") : "(unset)");
    else
        say("%s: cannot run \"%s\": %s%s", who, argv[0], strerror(cause),
            cause == ENOENT ? " (the file, or the interpreter that it names)" : "");
    _exit(cause == ENOENT || cause == ENOTDIR ? NOT_FOUND : NOT_RUN);
}

/* Starts the command in a session of its own (when told so) that ends with this process. */
static pid_t start(const char *who, char **argv, bool session, const int *streams) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    if (session) setsid();
    if (self != 1) { /* as PID 1 the kernel ends all others with us */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self) _exit(128 + SIGKILL);
    }
    for (int fd = 1; streams != NULL && fd <= 2; fd++)
        if (streams[fd] >= 0) dup2(streams[fd], fd);
    become(who, argv);
}

/* Takes note of what was inherited, and blocks every signal. */
static void take_over(void) {
    self = getpid();
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigfillset(&every_signal);
    sigprocmask(SIG_SETMASK, &every_signal, &inherited_mask);
    sigaction(SIGCHLD, &plain, &inherited_chld); /* ignored, it would take the statuses away */
    inherited_umask = umask(0);
    for (int fd = 0; fd <= 2; fd++) /* a closed one must not become a file of ours by chance */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0) return;
}
static bool was_closed(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

static bool one_file(int a, int b) {
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Sent by somebody, as against what our own failed write raised (SIGPIPE, SIGXFSZ)? */
static bool from_outside(const struct signalfd_siginfo *got) {
    return got->ssi_code <= 0 && !(got->ssi_code == SI_USER && got->ssi_pid == (uint32_t)self);
}
static void forward(pid_t pid, const struct signalfd_siginfo *got) {
    union sigval value = {.sival_ptr = (void *)(uintptr_t)got->ssi_ptr};
    if (got->ssi_code == SI_QUEUE) sigqueue(pid, (int)got->ssi_signo, value);
    else kill(pid, (int)got->ssi_signo);
}

/* --- what the trainer leaves behind -------------------------------------------------------- */

static pid_t parent_of(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = '\0';
    const char *name_end = strrchr(text, ')'); /* a name may hold anything, ")" too */
    return name_end != NULL && strlen(name_end) > 4 ? (pid_t)strtol(name_end + 4, NULL, 10) : 0;
}

/* Signals every process but this one where this is PID 1, else every descendant: a subreaper's
 * orphans are its children, whatever session they made for themselves. */
static void signal_others(int signal) {
    if (self == 1) {
        kill(-1, signal);
        return;
    }
    DIR *processes = opendir("/proc");
    if (processes == NULL) return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), at = pid;
        while (at > 1 && at != self) at = parent_of(at);
        if (pid > 0 && pid != self && at == self) kill(pid, signal);
    }
    closedir(processes);
}

/* Kills and reaps until nobody is left; returns how many were killed. */
static int kill_others(void) {
    double until = now() + CLEARING; /* one that we may not kill, or that hangs in the kernel */
    int killed = 0;
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0) killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (pid > 0) continue;
        if ((pid < 0 && self != 1) || now() >= until) break;
        signal_others(SIGKILL); /* PID 1 kills those too that are nobody's children (exec) */
        if (pid < 0) break;
        poll(NULL, 0, 1);
    }
    return killed;
}

/* --- one attempt ---------------------------------------------------------------------------- */

struct stream {
    const char *prefix;
    int from, to, segment; /* the trainer's pipe, where it went before, the current segment */
    long number;
    size_t filled;         /* bytes in the current segment */
    char *held;            /* read and copied, not yet written to `to`: held[sent..length) */
    size_t length, sent, room;
};

static struct {
    const char *run_dir, *file;
    bool capture;
    double drain, grace, deadline, unfollowed;
} want = {.drain = 300, .grace = 30, .deadline = NEVER, .unfollowed = 60};

static struct {
    long number;
    int dir, control, record; /* attempts/N, its FIFO, the reserved exit record */
    pid_t trainer;
    int status, leftovers;
    bool ended, recorded, stopped, following, delivered;
    const char *incomplete; /* why the segments lack something, or NULL */
    double told, kill_at, stop_until, ended_at, hold_from, deadline_at;
    char words[2048];       /* the part of a control line that has come so far */
    size_t words_length;
    struct stream streams[2];
} attempt = {.told = -NEVER, .kill_at = NEVER, .stop_until = NEVER, .dir = -1, .control = -1, .record = -1,
             .streams = {{.prefix = OUT, .from = -1, .to = 1, .segment = -1},
                         {.prefix = ERR, .from = -1, .to = 2, .segment = -1}}};

static int next_segment(struct stream *s) {
    char name[32];
    snprintf(name, sizeof name, SEGMENT, s->prefix, s->number + 1);
    int fd = openat(attempt.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return -1;
    if (s->segment >= 0) close(s->segment);
    s->segment = fd, s->number += 1, s->filled = 0;
    return fd;
}

/* Adds bytes to the segments. What cannot be kept costs the capture, never the training. */
static void keep(struct stream *s, const char *bytes, size_t length) {
    while (length > 0 && attempt.incomplete == NULL) {
        size_t room = SEGMENT_BYTES - s->filled;
        ssize_t wrote = -1;
        if (room > 0 || next_segment(s) >= 0) {
            room = SEGMENT_BYTES - s->filled;
            wrote = write(s->segment, bytes, length < room ? length : room);
        }
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) attempt.incomplete = wrote == 0 ? "no room" : strerror(errno);
        else bytes += wrote, length -= (size_t)wrote, s->filled += (size_t)wrote;
    }
}

/* Takes what one read gives; without `forward` it is kept but goes nowhere. False at the end. */
static bool take(struct stream *s, size_t most_bytes, bool onward) {
    if (s->sent == s->length) s->sent = s->length = 0;
    if (s->room - s->length < most_bytes) {
        char *larger = realloc(s->held, s->length + most_bytes);
        if (larger == NULL) return false;
        s->held = larger, s->room = s->length + most_bytes;
    }
    ssize_t size = read(s->from, s->held + s->length, most_bytes);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    keep(s, s->held + s->length, (size_t)size);
    if (onward) s->length += (size_t)size;
    return size > 0;
}

/* Takes what lies in the pipe now, be it still open somewhere or not, and closes our end. */
static void take_rest(struct stream *s, bool onward) {
    int waiting = 0;
    if (s->from < 0) return;
    if (ioctl(s->from, FIONREAD, &waiting) == 0 && waiting > 0) take(s, (size_t)waiting, onward);
    close(s->from);
    s->from = -1;
}

/* Lets go of where the stream went, so that its reader sees the end when the trainer made it. */
static void release(struct stream *s) {
    if (s->to < 0 || s->from >= 0 || s->sent < s->length) return;
    dup2(null_fd, s->to);
    s->to = -1;
}

/* Writes onward a piece that cannot block. A reader that is gone is gone for the trainer too. */
static void send_onward(struct stream *s, short seen) {
    size_t piece = s->length - s->sent < PIECE ? s->length - s->sent : PIECE;
    ssize_t wrote = piece > 0 && (seen & POLLOUT) ? write(s->to, s->held + s->sent, piece) : 0;
    if (wrote > 0) s->sent += (size_t)wrote;
    bool gone = (seen & (POLLERR | POLLHUP | POLLNVAL)) != 0 || (wrote < 0 && errno == EPIPE);
    if (gone) {
        take_rest(s, false);
        s->sent = s->length;
    } else if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
        s->sent = s->length; /* a full disk behind stdout, say: the next bytes may fare better */
    }
}

/* --- set-up: all or nothing ------------------------------------------------------------------ */

static int write_text(int dir, const char *name, const char *text, size_t length) {
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    ssize_t wrote = fd < 0 ? -1 : write(fd, text, length);
    if (wrote == (ssize_t)length) return fd;
    int cause = wrote < 0 ? errno : ENOSPC;
    if (fd >= 0) close(fd);
    errno = cause;
    return -1;
}

static long last_attempt(int run) {
    char text[64] = "";
    long number = 0;
    int fd = openat(run, ATTEMPT, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return 0;
    if (read(fd, text, sizeof text - 1) > 0) sscanf(text, "{\"attempt\": %9ld", &number);
    close(fd);
    return number < 0 ? 0 : number;
}

/* Says which attempt this is and, where the trainer writes a file, where that file ended. */
static int announce(int run) {
    char text[256], name[32], file[96] = "null";
    struct stat st;
    if (want.file != NULL && stat(want.file, &st) == 0)
        snprintf(file, sizeof file, "{\"inode\": %llu, \"size\": %lld}",
                 (unsigned long long)st.st_ino, (long long)st.st_size);
    int length = snprintf(text, sizeof text, "{\"attempt\": %ld, \"started\": %.6f, \"file\": %s}\n",
                          attempt.number, seconds(CLOCK_REALTIME), file);
    snprintf(name, sizeof name, ATTEMPT ".%ld", attempt.number);
    int fd = write_text(run, name, text, (size_t)length);
    if (fd < 0) return -1;
    close(fd);
    int copy = write_text(attempt.dir, ATTEMPT, text, (size_t)length);
    if (copy >= 0) close(copy);
    return copy >= 0 ? renameat(run, name, run, ATTEMPT) : -1;
}

/* The pod's clock began about when its volume was made. */
static double deadline_from(int run) {
    struct statx born;
    double wall = seconds(CLOCK_REALTIME), age = 0;
    if (statx(run, "", AT_EMPTY_PATH, STATX_BTIME, &born) == 0 && (born.stx_mask & STATX_BTIME))
        age = most(0, wall - (double)born.stx_btime.tv_sec - born.stx_btime.tv_nsec / 1e9);
    return now() + want.deadline - age - DEADLINE_MARGIN;
}

/* Makes attempts/N and all in it; returns what failed, with errno, or NULL. */
static const char *make_attempt(int attempts, int *pipes) {
    char number[32], reserved[RESERVED];
    do snprintf(number, sizeof number, "%ld", ++attempt.number);
    while (mkdirat(attempts, number, 0777) < 0 && errno == EEXIST);
    attempt.dir = openat(attempts, number, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (attempt.dir < 0) return "the attempt's directory";
    if (mkfifoat(attempt.dir, CONTROL, 0666) < 0) return "the control FIFO";
    attempt.control = openat(attempt.dir, CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (attempt.control < 0) return "the control FIFO";
    memset(reserved, ' ', sizeof reserved);
    attempt.record = write_text(attempt.dir, EXIT ".new", reserved, sizeof reserved);
    if (attempt.record < 0) return "the exit record";
    for (int i = 0; want.capture && i < 2; i++) {
        struct stream *s = &attempt.streams[i];
        int ends[2];
        if (next_segment(s) < 0) return "a segment";
        if (was_closed(s->to)) continue;
        if (s->to == 2 && pipes[1] >= 0 && one_file(1, 2)) { /* they stay one, in one order */
            pipes[2] = pipes[1];
            continue;
        }
        if (pipe2(ends, O_CLOEXEC) < 0) return "a pipe";
        fcntl(s->from = ends[0], F_SETFL, O_NONBLOCK);
        pipes[s->to] = ends[1];
    }
    return NULL;
}

static const char *set_up(int *pipes) {
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0) return "/dev/null";
    mkdir(want.run_dir, 0777);
    int run = open(want.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run < 0) return "the run directory";
    if (mkdirat(run, ATTEMPTS, 0777) < 0 && errno != EEXIST) return "the run directory";
    int attempts = openat(run, ATTEMPTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (attempts < 0) return "the run directory";
    attempt.number = last_attempt(run);
    attempt.deadline_at = deadline_from(run);
    const char *failed = make_attempt(attempts, pipes);
    if (failed == NULL && announce(run) < 0) failed = "the attempt's record";
    return failed; /* the directories close by themselves: at exec, or with us */
}

/* --- the life of an attempt ------------------------------------------------------------------ */

/* Kubernetes stops a container with a signal, any, and after the grace with SIGKILL. A signal
 * that we have outlived by the grace was somebody else's. */
static void note_told(double t) {
    if (t - attempt.told > want.grace) attempt.told = t;
}
static double told_until(void) {
    return attempt.told == -NEVER ? NEVER : attempt.told + want.grace - least(1, want.grace / 10);
}
static double hold_until(void) {
    double wait = attempt.following ? want.drain : least(want.drain, want.unfollowed);
    return least(least(attempt.hold_from + wait, attempt.deadline_at), told_until());
}

static void obey_signal(const struct signalfd_siginfo *got) {
    int number = (int)got->ssi_signo;
    if (!from_outside(got)) return;
    if (number != SIGCHLD && number != SIGCONT) note_told(now());
    if (attempt.ended) return;
    forward(attempt.trainer, got);
    if (number == SIGTERM) /* in time for the exit record, but never before half of the grace */
        attempt.kill_at = least(attempt.kill_at, attempt.told + most(want.grace / 2,
                                want.grace - most(5, want.grace / 5)));
}

static void obey(const char *line) {
    if (strcmp(line, FOLLOWING) == 0) attempt.following = true, attempt.delivered = false;
    if (strcmp(line, STOP) == 0 && !attempt.ended && !attempt.stopped) {
        attempt.stopped = true;
        attempt.stop_until = now() + want.grace;
        attempt.kill_at = least(attempt.kill_at, attempt.stop_until);
        kill(attempt.trainer, SIGTERM);
    }
    /* Before the record is there it would be a mistake: more is to come. */
    if (strcmp(line, DELIVERED) == 0 && attempt.recorded) attempt.delivered = true;
    if (strncmp(line, GAVE_UP, strlen(GAVE_UP)) == 0) attempt.delivered = true;
}

static void listen_to_collector(void) {
    char *words = attempt.words, *end;
    ssize_t size = read(attempt.control, words + attempt.words_length,
                        sizeof attempt.words - attempt.words_length);
    if (size <= 0) return;
    attempt.words_length += (size_t)size;
    while ((end = memchr(words, '\n', attempt.words_length)) != NULL) {
        *end = '\0';
        obey(words);
        attempt.words_length -= (size_t)(end + 1 - words);
        memmove(words, end + 1, attempt.words_length);
    }
    if (attempt.words_length == sizeof attempt.words) attempt.words_length = 0;
}

/* Reaps whatever has died; false where nobody is left. */
static bool reap(void) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != attempt.trainer || attempt.ended) continue;
        attempt.ended = true;
        attempt.status = status;
        attempt.ended_at = seconds(CLOCK_REALTIME);
        if (now() - attempt.told > want.grace) attempt.told = -NEVER;
        if (attempt.stopped) signal_others(SIGTERM); /* they have the rest of the grace */
    }
    return pid == 0;
}

/* The trainer's process has ended: ends the others, completes the segments, writes the record. */
static void finish(void) {
    char text[RESERVED], status[16], cause[128] = "null";
    int code = attempt.status;
    attempt.leftovers = kill_others();
    for (struct stream *s = attempt.streams; s < attempt.streams + 2; s++) take_rest(s, true);
    snprintf(status, sizeof status, "%d", WIFSIGNALED(code) ? WTERMSIG(code) : WEXITSTATUS(code));
    if (attempt.incomplete != NULL) snprintf(cause, sizeof cause, "\"%s\"", attempt.incomplete);
    int length = snprintf(
        text, sizeof text,
        "{\"attempt\": %ld, \"status\": %s, \"signal\": %s, \"ended\": %.6f, \"leftovers\": %d, "
        "\"complete\": %s, \"cause\": %s, \"stopped\": %s}\n",
        attempt.number, WIFEXITED(code) ? status : "null", WIFSIGNALED(code) ? status : "null",
        attempt.ended_at, attempt.leftovers, attempt.incomplete == NULL ? "true" : "false", cause,
        attempt.stopped ? "true" : "false");
    bool written = pwrite(attempt.record, text, (size_t)length, 0) == length &&
                   ftruncate(attempt.record, length) == 0 &&
                   renameat(attempt.dir, EXIT ".new", attempt.dir, EXIT) == 0;
    attempt.recorded = true;
    attempt.hold_from = now();
    if (!written) attempt.delivered = true; /* nobody will ever know: nothing to wait for */
}

/* The next moment at which something is due; does what is due now. NEVER: nothing is. */
static double keep_time(bool anybody) {
    double t = now();
    if (!attempt.ended && t >= attempt.kill_at) {
        kill(attempt.trainer, SIGKILL);
        attempt.kill_at = NEVER;
    }
    if (!attempt.ended) return attempt.kill_at;
    if (!attempt.recorded) {
        if (attempt.stopped && anybody && t < attempt.stop_until) return attempt.stop_until;
        finish();
    }
    return attempt.delivered ? told_until() : hold_until();
}

static bool is_over(void) {
    bool sent = true;
    for (struct stream *s = attempt.streams; s < attempt.streams + 2; s++) {
        release(s);
        sent = sent && s->to < 0;
    }
    double t = now();
    return attempt.recorded && (attempt.delivered || t >= hold_until()) && (sent || t >= told_until());
}

static void pump(struct stream *s, short from, short to) {
    if (from != 0 && !take(s, CHUNK, true)) {
        close(s->from);
        s->from = -1;
    }
    if (to == 0 && s->length > s->sent) { /* what was just taken may go at once */
        struct pollfd ready = {.fd = s->to, .events = POLLOUT};
        if (poll(&ready, 1, 0) == 1) to = ready.revents;
    }
    if (to != 0) send_onward(s, to);
}

static int watch(int signals) {
    bool anybody = true;
    for (;;) {
        double until = keep_time(anybody);
        if (is_over()) return attempt.stopped ? 0 : exit_code(attempt.status);
        struct pollfd fds[6] = {{.fd = signals, .events = POLLIN},
                                {.fd = attempt.control, .events = POLLIN}};
        for (int i = 0; i < 2; i++) { /* back-pressure: nothing is taken while something is held */
            struct stream *s = &attempt.streams[i];
            bool held = s->sent < s->length;
            fds[2 + i] = (struct pollfd){.fd = held ? -1 : s->from, .events = POLLIN};
            fds[4 + i] = (struct pollfd){.fd = s->to, .events = held ? POLLOUT : 0};
        }
        if (poll_until(fds, 6, until) <= 0) continue;
        struct signalfd_siginfo got;
        while (fds[0].revents != 0 && read(signals, &got, sizeof got) == sizeof got) {
            obey_signal(&got);
            if (got.ssi_signo == SIGCHLD) anybody = reap();
        }
        if (fds[1].revents != 0) listen_to_collector();
        for (int i = 0; i < 2; i++) pump(&attempt.streams[i], fds[2 + i].revents, fds[4 + i].revents);
    }
}

static int run(char **argv) {
    int pipes[3] = {-1, -1, -1};
    take_over();
    const char *failed = set_up(pipes);
    int signals = failed ? -1 : signalfd(-1, &every_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    if (failed == NULL && signals < 0) failed = "a signal descriptor";
    if (failed == NULL) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        attempt.trainer = start("launch run", argv, true, pipes);
        if (attempt.trainer < 0) failed = "a process";
    }
    if (failed != NULL) {
        say("launch run: cannot make %s (--run-dir %s): %s; the trainer runs without us, its "
            "metrics will be missing", failed, want.run_dir, strerror(errno));
        prctl(PR_SET_CHILD_SUBREAPER, 0);
        become("launch run", argv);
    }
    for (int fd = 1; fd <= 2; fd++)
        if (pipes[fd] >= 0 && !(fd == 2 && pipes[1] == pipes[2])) close(pipes[fd]);
    dup2(null_fd, STDIN_FILENO);
    return watch(signals);
}

/* --- the sidecar's PID 1 ---------------------------------------------------------------------- */

/* Statuses after which another try would end the same: done, bad usage, cannot be run. */
static bool is_final(int status) {
    int code = exit_code(status);
    return code == 0 || code == BAD_USAGE || code == NOT_RUN || code == NOT_FOUND;
}

static int supervise(char **argv) {
    int crashes = 0, told = 0, status = 0;
    pid_t worker = -1;
    double started = 0, start_at = 0, pause = RESTART;
    take_over();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int signals = signalfd(-1, &every_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) become("launch supervise", argv);
    for (;;) {
        if (worker < 0 && now() >= start_at) {
            /* One that is started after the end was announced finds SIGTERM blocked and pending,
             * so that it cannot die of it before it is ready: it has to unblock it. */
            if (told != 0) sigaddset(&inherited_mask, SIGTERM);
            worker = start("launch supervise", argv, false, NULL);
            started = now();
            if (worker < 0) start_at = started + 0.1;
            else if (told != 0) kill(worker, SIGTERM);
        }
        struct pollfd fds = {.fd = signals, .events = POLLIN};
        poll_until(&fds, 1, worker < 0 ? start_at : NEVER);
        struct signalfd_siginfo got;
        while (read(signals, &got, sizeof got) == sizeof got) {
            int number = (int)got.ssi_signo;
            if (!from_outside(&got)) continue;
            if (number == SIGTERM || number == SIGINT || number == SIGQUIT) told = number, start_at = 0;
            if (worker > 0) forward(worker, &got);
        }
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid != worker) continue;
            bool crashed = WIFSIGNALED(status) && WTERMSIG(status) != told;
            if (told != 0 ? !crashed || crashes > 5 : is_final(status)) return exit_code(status);
            worker = -1;
            crashes = now() - started >= STEADY ? 1 : crashes + 1;
            pause = crashes <= 5 ? RESTART : least(LONGEST_PAUSE, pause * 2);
            start_at = now() + pause;
            say("launch supervise: %s ended with status %d; starting it again in %.2f s", argv[0],
                exit_code(status), pause);
        }
    }
}

/* --- install ------------------------------------------------------------------------------------ */

static bool read_all(int fd, char *to, size_t size) {
    for (ssize_t got; size > 0; to += got, size -= (size_t)got)
        if ((got = read(fd, to, size)) <= 0) return false;
    return true;
}

static bool is_installed(const char *place, const char *program, size_t size) {
    struct stat st;
    bool equal = false;
    int fd = open(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *there = fd < 0 ? NULL : malloc(size);
    if (there != NULL && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0555) == 0555)
        equal = (size_t)st.st_size == size && read_all(fd, there, size) &&
                memcmp(there, program, size) == 0;
    free(there);
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
        /* A directory in our place: out of the way with it. */
        if (rename(place, aside) == 0 && rename(fresh, place) == 0) return 0;
    }
    int cause = wrote >= 0 && wrote < (ssize_t)size ? ENOSPC : errno;
    unlink(fresh);
    errno = cause;
    return -1;
}

/* A failing hook would kill the sidecar. So this fails only where nothing has been installed and
 * no trainer has run: then nothing is lost, the kubelet shows why, and it tries again. */
static int install(const char *place) {
    struct stat st;
    char sibling[PATH_MAX];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    size_t size = fd >= 0 && fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
    char *program = malloc(size + 1);
    if (size == 0 || program == NULL || !read_all(fd, program, size)) {
        say("launch install: cannot read /proc/self/exe: %s", strerror(errno));
    } else if (is_installed(place, program, size) || put(place, program, size) == 0) {
        return 0;
    } else {
        say("launch install: cannot write %s: %s", place, strerror(errno));
    }
    const char *slash = strrchr(place, '/');
    snprintf(sibling, sizeof sibling, "%.*s%s", slash ? (int)(slash + 1 - place) : 0, place, ATTEMPT);
    bool nothing = lstat(place, &st) < 0 && (errno == ENOENT || errno == ENOTDIR) &&
                   lstat(sibling, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
    return nothing ? 1 : 0;
}

/* --- the command line --------------------------------------------------------------------- */

static const char RUN_USAGE[] =
    "launch run --run-dir DIR [--capture] [--file PATH] [--drain S] [--grace S] [--deadline S] "
    "[--unfollowed S] -- COMMAND...";

__attribute__((noreturn)) static void refuse(const char *usage, const char *what,
                                             const char *which) {
    say("launch: %s%s\nusage: %s", what, which, usage);
    exit(BAD_USAGE);
}

static double as_seconds(const char *text) {
    char *end = NULL;
    double value = text[strspn(text, "0123456789.")] == '\0' ? strtod(text, &end) : 0;
    if (end == NULL || end == text || *end != '\0')
        refuse(RUN_USAGE, "a time is given in seconds, such as 30 or 0.5, not as ", text);
    return value;
}

/* The command behind `--`, which must stand first of what is left. */
static char **command(char **rest, const char *usage) {
    if (*rest == NULL) refuse(usage, "there is no `--` and no command", "");
    if (strcmp(*rest, "--") != 0) refuse(usage, "put `--` before the command: ", *rest);
    if (rest[1] == NULL) refuse(usage, "there is no command after `--`", "");
    return rest + 1;
}

static char **run_flags(char **at) {
    const struct { const char *name; const char **text; double *number; } known[] = {
        {"--run-dir", &want.run_dir, NULL},  {"--file", &want.file, NULL},
        {"--drain", NULL, &want.drain},      {"--grace", NULL, &want.grace},
        {"--deadline", NULL, &want.deadline}, {"--unfollowed", NULL, &want.unfollowed},
    };
    const size_t count = sizeof known / sizeof *known;
    for (; *at != NULL && strncmp(*at, "--", 2) == 0 && (*at)[2] != '\0'; at++) {
        size_t i = 0, length = strcspn(*at, "=");
        if (strcmp(*at, "--capture") == 0) {
            want.capture = true;
            continue;
        }
        while (i < count && (strlen(known[i].name) != length ||
                             strncmp(*at, known[i].name, length) != 0)) i++;
        if (i == count) refuse(RUN_USAGE, "unknown flag ", *at);
        const char *value = (*at)[length] == '=' ? *at + length + 1 : *++at;
        if (value == NULL || *value == '\0' || strcmp(value, "--") == 0)
            refuse(RUN_USAGE, "a value is missing after ", known[i].name);
        if (known[i].text != NULL) *known[i].text = value;
        else *known[i].number = as_seconds(value);
    }
    char **argv = command(at, RUN_USAGE);
    if (want.run_dir == NULL) refuse(RUN_USAGE, "--run-dir is missing", "");
    return argv;
}

int main(int argc, char **argv) {
    static const char usage[] =
        "launch run|supervise|install ...; each says more when called without arguments";
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "run") == 0) return run(run_flags(argv + 2));
    if (strcmp(word, "supervise") == 0)
        return supervise(command(argv + 2, "launch supervise -- COMMAND..."));
    if (strcmp(word, "install") == 0 && argc == 3) return install(argv[2]);
    if (strcmp(word, "install") == 0) refuse("launch install DEST", "install takes one path", "");
    refuse(usage, *word ? "no such word: " : "a word is missing", word);
}
