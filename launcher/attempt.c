/* An attempt's files in the run directory: set-up, streams and segments, the exit record. */
#include "launch.h"
#include <sys/ioctl.h>

enum {
    PIECE = 4096,    /* PIPE_BUF: after POLLOUT a pipe accepts this much without blocking */
    TAIL = 64,       /* bytes at the end of the trainer's file, for the record */
    RESERVED = 1024, /* bytes for the exit record, so that it fits even on a full disk */
    DEADLINE_MARGIN = 10,
};

struct options options = {.drain = 300, .grace = 30, .deadline = NEVER, .unfollowed = 60};
struct attempt attempt = {
    .end_signal_at = -NEVER, .kill_at = NEVER, .stop_until = NEVER,
    .dir = -1, .control = -1, .record = -1,
    .streams = {{.prefix = OUT_SEGMENT, .from = -1, .to = 1, .segment = -1},
                {.prefix = ERR_SEGMENT, .from = -1, .to = 2, .segment = -1}},
};
int null_fd = -1;

/* --- streams and segments ------------------------------------------------------------------ */

static int next_segment(struct stream *s) {
    char name[32];
    snprintf(name, sizeof name, "%s%0*ld", s->prefix, SEGMENT_DIGITS, s->number + 1);
    int fd = openat(attempt.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return -1;
    if (s->segment >= 0) close(s->segment);
    s->segment = fd, s->number += 1, s->filled = 0;
    return fd;
}

/* Appends bytes to the segments. A fault ends the capture, not the training. */
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

/* Reads once, and copies the bytes to the segments; false at the end. CHUNK always fits. */
bool read_once(struct stream *s, size_t most_bytes) {
    if (s->sent == s->length) s->sent = s->length = 0;
    if (s->room - s->length < most_bytes) {
        char *larger = realloc(s->held, s->length + most_bytes);
        if (larger == NULL) {
            attempt.incomplete = strerror(ENOMEM);
            return false;
        }
        s->held = larger, s->room = s->length + most_bytes;
    }
    ssize_t size = read(s->from, s->held + s->length, most_bytes);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    keep(s, s->held + s->length, (size_t)size);
    s->length += (size_t)size;
    return size > 0;
}

/* Reads the bytes in the pipe, even if it is still open elsewhere; then closes it. */
void read_rest(struct stream *s) {
    int waiting = 0;
    if (s->from < 0) return;
    if (ioctl(s->from, FIONREAD, &waiting) == 0 && waiting > 0) read_once(s, (size_t)waiting);
    close(s->from);
    s->from = -1;
}

/* Closes the original output, so that its reader sees the end when the trainer's output ends. */
void release(struct stream *s) {
    if (s->to < 0 || s->from >= 0 || s->sent < s->length) return;
    dup2(null_fd, s->to);
    s->to = -1;
}

/* Writes a piece that cannot block. If the reader is gone, the trainer's pipe is closed too. */
void send_onward(struct stream *s, short seen) {
    size_t piece = s->length - s->sent < PIECE ? s->length - s->sent : PIECE;
    ssize_t wrote = piece > 0 && (seen & POLLOUT) ? write(s->to, s->held + s->sent, piece) : 0;
    if (wrote > 0) s->sent += (size_t)wrote;
    bool gone = (seen & (POLLERR | POLLHUP | POLLNVAL)) != 0 || (wrote < 0 && errno == EPIPE);
    if (gone) {
        read_rest(s);
        s->sent = s->length;
    } else if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
        s->sent = s->length; /* for example a full disk: the next bytes may succeed */
    }
}


/* --- set-up: all or nothing ---------------------------------------------------------------- */

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
    int fd = openat(run, ATTEMPT_FILE, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return 0;
    if (read(fd, text, sizeof text - 1) > 0) sscanf(text, "{\"attempt\": %9ld", &number);
    close(fd);
    return number < 0 ? 0 : number;
}

/* Writes where the trainer's file ends, and its last bytes, by which it is recognized later. */
static void format_border(char *text, size_t room) {
    unsigned char tail[TAIL];
    struct stat st;
    if (options.file == NULL || stat(options.file, &st) != 0) return;
    off_t from = st.st_size > TAIL ? st.st_size - TAIL : 0;
    int fd = S_ISREG(st.st_mode) ? open(options.file, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    ssize_t count = fd < 0 ? 0 : pread(fd, tail, (size_t)(st.st_size - from), from);
    if (fd >= 0) close(fd);
    size_t end = (size_t)snprintf(text, room, "{\"inode\": %llu, \"size\": %lld, \"tail\": \"",
                                  (unsigned long long)st.st_ino, (long long)st.st_size);
    for (ssize_t i = 0; i < count; i++, end += 2) snprintf(text + end, room - end, "%02x", tail[i]);
    snprintf(text + end, room - end, "\"}");
}

/* Writes the record of the attempt: its number, and where the metrics file ends. */
static int announce(int run) {
    char text[384], name[32], file[256] = "null";
    format_border(file, sizeof file);
    int length = snprintf(text, sizeof text,
                          "{\"attempt\": %ld, \"started\": %.6f, \"file\": %s}\n",
                          attempt.number, seconds(CLOCK_REALTIME), file);
    snprintf(name, sizeof name, ATTEMPT_FILE ".%ld", attempt.number);
    int fd = write_text(run, name, text, (size_t)length);
    if (fd < 0) return -1;
    close(fd);
    int copy = write_text(attempt.dir, ATTEMPT_FILE, text, (size_t)length);
    if (copy >= 0) close(copy);
    return copy >= 0 ? renameat(run, name, run, ATTEMPT_FILE) : -1;
}

/* The pod's deadline counts from about the time when its volume was made. */
static double deadline_from(int run) {
    struct statx born;
    double wall = seconds(CLOCK_REALTIME), age = 0;
    if (statx(run, "", AT_EMPTY_PATH, STATX_BTIME, &born) == 0 && (born.stx_mask & STATX_BTIME))
        age = max_of(0, wall - (double)born.stx_btime.tv_sec - born.stx_btime.tv_nsec / 1e9);
    return now() + options.deadline - age - DEADLINE_MARGIN;
}

static bool one_file(int a, int b) {
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Makes attempts/N and its files; returns what failed, with errno, or NULL. */
static const char *make_attempt(int attempts, int *pipes) {
    char number[32], reserved[RESERVED];
    do snprintf(number, sizeof number, "%ld", ++attempt.number);
    while (mkdirat(attempts, number, 0777) < 0 && errno == EEXIST);
    attempt.dir = openat(attempts, number, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (attempt.dir < 0) return "the attempt's directory";
    if (mkfifoat(attempt.dir, CONTROL_FIFO, 0666) < 0) return "the control FIFO";
    attempt.control = openat(attempt.dir, CONTROL_FIFO, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (attempt.control < 0) return "the control FIFO";
    memset(reserved, ' ', sizeof reserved);
    attempt.record = write_text(attempt.dir, EXIT_FILE ".new", reserved, sizeof reserved);
    if (attempt.record < 0) return "the exit record";
    for (int i = 0; options.capture && i < 2; i++) {
        struct stream *s = &attempt.streams[i];
        int ends[2];
        if (next_segment(s) < 0) return "a segment";
        if (was_closed(s->to)) continue;
        if (s->to == 2 && pipes[1] >= 0 && one_file(1, 2)) { /* they stay one stream */
            pipes[2] = pipes[1];
            continue;
        }
        if (pipe2(ends, O_CLOEXEC) < 0) return "a pipe";
        if ((s->held = malloc(s->room = CHUNK)) == NULL) return "a buffer";
        fcntl(s->from = ends[0], F_SETFL, O_NONBLOCK);
        pipes[s->to] = ends[1];
    }
    return NULL;
}

const char *set_up(int *pipes) {
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0) return "/dev/null";
    mkdir(options.run_dir, 0777);
    int run = open(options.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run < 0) return "the run directory";
    if (mkdirat(run, ATTEMPTS_DIR, 0777) < 0 && errno != EEXIST) return "the run directory";
    int attempts = openat(run, ATTEMPTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (attempts < 0) return "the run directory";
    attempt.number = last_attempt(run);
    attempt.deadline_at = deadline_from(run);
    const char *failed = make_attempt(attempts, pipes);
    if (failed == NULL && announce(run) < 0) failed = "the attempt's record";
    return failed; /* exec or exit closes the directories */
}


/* --- the end --------------------------------------------------------------------------------- */

/* Writes the exit record; false if that failed. */
bool write_exit(int leftovers) {
    char text[RESERVED], status[16], cause[128] = "null";
    int code = attempt.status;
    snprintf(status, sizeof status, "%d", WIFSIGNALED(code) ? WTERMSIG(code) : WEXITSTATUS(code));
    if (attempt.incomplete != NULL) snprintf(cause, sizeof cause, "\"%s\"", attempt.incomplete);
    int length = snprintf(
        text, sizeof text,
        "{\"attempt\": %ld, \"status\": %s, \"signal\": %s, \"ended\": %.6f, \"leftovers\": %d, "
        "\"complete\": %s, \"cause\": %s, \"stopped\": %s}\n",
        attempt.number, WIFEXITED(code) ? status : "null", WIFSIGNALED(code) ? status : "null",
        attempt.ended_at, leftovers, attempt.incomplete == NULL ? "true" : "false", cause,
        attempt.stopped ? "true" : "false");
    return pwrite(attempt.record, text, (size_t)length, 0) == length &&
                   ftruncate(attempt.record, length) == 0 &&
                   renameat(attempt.dir, EXIT_FILE ".new", attempt.dir, EXIT_FILE) == 0;
}
