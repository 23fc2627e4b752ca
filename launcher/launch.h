/* launch: runs a trainer in its own container, which looks unchanged. Contract: docs/launcher.md.
 *
 *   launch.c    the course of an attempt; the command line
 *   attempt.c   the files in the run directory: set-up, segments, the exit record
 *   process.c   inherited state, the start of the command, the end of its processes
 *   sidecar.c   supervise, install and await, for the collector's container
 *
 * One thread, one poll loop, no dependency. All signals stay blocked and are read from a
 * descriptor. So no disposition changes, and the trainer inherits what the launcher inherited. */
#ifndef LAUNCH_H
#define LAUNCH_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The names and words of api/names.py and api/run_directory.py; a test compares them. */
#define ATTEMPT_FILE "attempt"
#define ATTEMPTS_DIR "attempts"
#define CONTROL_FIFO "control"
#define EXIT_FILE "exit"
#define OUT_SEGMENT "out-"
#define ERR_SEGMENT "err-"
#define SEGMENT_DIGITS 8
#define SEGMENT_BYTES 1048576
#define CONTROL_FOLLOWING "following"
#define CONTROL_STOP "stop"
#define CONTROL_DELIVERED "delivered ok"
#define CONTROL_GAVE_UP "delivered gave-up: "

#define NEVER __builtin_inf() /* a time that never comes */
enum { CHUNK = 65536 }; /* bytes of one read from a stream */
enum { BAD_USAGE = 2, NOT_RUN = 126, NOT_FOUND = 127 };

/* process.c */
extern pid_t self;
extern sigset_t inherited_mask, every_signal;
__attribute__((format(printf, 1, 2))) void log_line(const char *form, ...);
double seconds(clockid_t clock);
double now(void);
double min_of(double a, double b);
double max_of(double a, double b);
int poll_until(struct pollfd *fds, nfds_t count, double until);
void note_inherited(void);
bool was_closed(int fd);
__attribute__((noreturn)) void become(const char *program, char **argv);
pid_t start(const char *program, char **argv, bool session, const int *streams);
bool from_outside(const struct signalfd_siginfo *info);
void forward_signal(pid_t pid, const struct signalfd_siginfo *info);
int exit_code(int status);
void signal_others(int number);
int kill_others(void);

/* attempt.c */
struct stream {
    const char *prefix;
    int from, to, segment; /* the trainer's pipe, the original output, the current segment */
    long number;
    size_t filled;         /* bytes in the current segment */
    char *held;            /* in a segment, not yet written to `to`: held[sent..length) */
    size_t length, sent, room;
};

struct options {
    const char *run_dir, *file;
    bool capture;
    double drain, grace, deadline, unfollowed;
};

struct attempt {
    long number;
    int dir, control, record; /* attempts/N, its FIFO, the reserved exit record */
    pid_t trainer;
    int status;
    bool ended, recorded, stopped, following, delivered;
    const char *incomplete; /* why bytes are missing in the segments, or NULL */
    double ended_at;        /* wall clock; all other times are monotonic */
    double end_signal_at, kill_at, stop_until, hold_from, deadline_at;
    char line[2048];        /* the unfinished line from the control FIFO */
    size_t line_length;
    struct stream streams[2];
};

extern struct options options;
extern struct attempt attempt;
extern int null_fd;
const char *set_up(int *pipes);
bool write_exit(int leftovers);
bool read_once(struct stream *s, size_t most_bytes);
void read_rest(struct stream *s);
void send_onward(struct stream *s, short seen);
void release(struct stream *s);

/* sidecar.c */
int supervise(char **argv);
int install(const char *place);
int await(const char *path);

#endif
