/* The course of an attempt, and the command line. launch.h lists the files. */
#include "launch.h"

/* Kubernetes stops a container with a signal, which may be any, and with SIGKILL after the grace
 * period. If no SIGKILL came after the grace period, the signal did not announce the end. */
static void note_end_signal(double t) {
    if (t - attempt.end_signal_at > options.grace) attempt.end_signal_at = t;
}
static double end_signal_until(void) {
    if (attempt.end_signal_at == -NEVER) return NEVER;
    return attempt.end_signal_at + options.grace - min_of(1, options.grace / 10);
}
static double hold_until(void) {
    double wait = attempt.following ? options.drain : min_of(options.drain, options.unfollowed);
    return min_of(min_of(attempt.hold_from + wait, attempt.deadline_at), end_signal_until());
}

static void handle_signal(const struct signalfd_siginfo *info) {
    int number = (int)info->ssi_signo;
    if (!from_outside(info)) return;
    if (number != SIGCHLD && number != SIGCONT) note_end_signal(now());
    if (attempt.ended) return;
    forward_signal(attempt.trainer, info);
    if (number == SIGTERM) /* in time for the exit record, but not before half of the grace */
        attempt.kill_at = min_of(attempt.kill_at, now() + max_of(options.grace / 2,
                                options.grace - max_of(5, options.grace / 5)));
}

static void handle_line(const char *line) {
    if (strcmp(line, CONTROL_FOLLOWING) == 0) attempt.following = true, attempt.delivered = false;
    if (strcmp(line, CONTROL_STOP) == 0 && !attempt.ended && !attempt.stopped) {
        attempt.stopped = true;
        attempt.stop_until = now() + options.grace;
        attempt.kill_at = min_of(attempt.kill_at, attempt.stop_until);
        kill(attempt.trainer, SIGTERM);
    }
    /* Before the exit record exists, more bytes will follow: ignore the line. */
    if (strcmp(line, CONTROL_DELIVERED) == 0 && attempt.recorded) attempt.delivered = true;
    if (strncmp(line, CONTROL_GAVE_UP, strlen(CONTROL_GAVE_UP)) == 0) attempt.delivered = true;
}

static void read_control(void) {
    char *line = attempt.line, *end;
    ssize_t size = read(attempt.control, line + attempt.line_length,
                        sizeof attempt.line - attempt.line_length);
    if (size <= 0) return;
    attempt.line_length += (size_t)size;
    while ((end = memchr(line, '\n', attempt.line_length)) != NULL) {
        *end = '\0';
        handle_line(line);
        attempt.line_length -= (size_t)(end + 1 - line);
        memmove(line, end + 1, attempt.line_length);
    }
    if (attempt.line_length == sizeof attempt.line) attempt.line_length = 0;
}

/* Reaps all children that have died; false if no child is left. */
static bool reap(void) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != attempt.trainer || attempt.ended) continue;
        attempt.ended = true;
        attempt.status = status;
        attempt.ended_at = seconds(CLOCK_REALTIME);
        if (now() - attempt.end_signal_at > options.grace) attempt.end_signal_at = -NEVER;
        if (attempt.stopped) signal_others(SIGTERM); /* they have the rest of the grace period */
    }
    return pid == 0;
}

/* After the trainer's process: ends the others, completes the segments, writes the record. */
static void finish(void) {
    int leftovers = kill_others();
    for (struct stream *s = attempt.streams; s < attempt.streams + 2; s++) read_rest(s);
    if (!write_exit(leftovers)) attempt.delivered = true; /* the collector cannot know */
    attempt.recorded = true;
    attempt.hold_from = now();
}

/* Does what is due now; returns when the next thing is due, or NEVER. */
static double keep_time(bool children) {
    double t = now();
    if (!attempt.ended && t >= attempt.kill_at) {
        kill(attempt.trainer, SIGKILL);
        attempt.kill_at = NEVER;
    }
    if (!attempt.ended) return attempt.kill_at;
    if (!attempt.recorded) {
        if (attempt.stopped && children && t < attempt.stop_until) return attempt.stop_until;
        finish();
    }
    return attempt.delivered ? end_signal_until() : hold_until();
}

static bool is_over(void) {
    bool sent = true;
    for (struct stream *s = attempt.streams; s < attempt.streams + 2; s++) {
        release(s);
        sent = sent && s->to < 0;
    }
    double t = now();
    return attempt.recorded && (attempt.delivered || t >= hold_until()) &&
           (sent || t >= end_signal_until());
}

static void pump(struct stream *s, short from, short to) {
    if (from != 0 && !read_once(s, CHUNK)) {
        close(s->from);
        s->from = -1;
    }
    if (to == 0 && s->length > s->sent) { /* try to send the new bytes at once */
        struct pollfd ready = {.fd = s->to, .events = POLLOUT};
        if (poll(&ready, 1, 0) == 1) to = ready.revents;
    }
    if (to != 0) send_onward(s, to);
}

static int watch(int signals) {
    bool children = true;
    for (;;) {
        double until = keep_time(children);
        if (is_over()) return attempt.stopped ? 0 : exit_code(attempt.status);
        struct pollfd fds[6] = {{.fd = signals, .events = POLLIN},
                                {.fd = attempt.control, .events = POLLIN}};
        for (int i = 0; i < 2; i++) { /* back-pressure: read nothing while bytes wait to be sent */
            struct stream *s = &attempt.streams[i];
            bool held = s->sent < s->length;
            fds[2 + i] = (struct pollfd){.fd = held ? -1 : s->from, .events = POLLIN};
            fds[4 + i] = (struct pollfd){.fd = s->to, .events = held ? POLLOUT : 0};
        }
        if (poll_until(fds, 6, until) <= 0) continue;
        struct signalfd_siginfo info;
        while (fds[0].revents != 0 && read(signals, &info, sizeof info) == sizeof info) {
            handle_signal(&info);
            if (info.ssi_signo == SIGCHLD) children = reap();
        }
        if (fds[1].revents != 0) read_control();
        for (int i = 0; i < 2; i++)
            pump(&attempt.streams[i], fds[2 + i].revents, fds[4 + i].revents);
    }
}

static int run(char **argv) {
    int pipes[3] = {-1, -1, -1};
    note_inherited();
    const char *failed = set_up(pipes);
    int signals = failed ? -1 : signalfd(-1, &every_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    if (failed == NULL && signals < 0) failed = "a signal descriptor";
    if (failed == NULL) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        attempt.trainer = start("launch run", argv, true, pipes);
        if (attempt.trainer < 0) failed = "a process";
    }
    if (failed != NULL) {
        log_line("launch run: cannot make %s (--run-dir %s): %s; the trainer runs without the "
                 "launcher, without metrics", failed, options.run_dir, strerror(errno));
        prctl(PR_SET_CHILD_SUBREAPER, 0);
        become("launch run", argv);
    }
    for (int fd = 1; fd <= 2; fd++)
        if (pipes[fd] >= 0 && !(fd == 2 && pipes[1] == pipes[2])) close(pipes[fd]);
    dup2(null_fd, STDIN_FILENO);
    return watch(signals);
}


/* --- the command line ---------------------------------------------------------------------- */

static const char RUN_USAGE[] =
    "launch run --run-dir DIR [--capture] [--file PATH] [--drain S] [--grace S] [--deadline S] "
    "[--unfollowed S] -- COMMAND...";

static const char SUPERVISE_USAGE[] = "launch supervise -- COMMAND...";

__attribute__((noreturn)) static void refuse(const char *usage, const char *what,
                                             const char *which) {
    log_line("launch: %s%s\nusage: %s", what, which, usage);
    exit(BAD_USAGE);
}

/* Print the usage and end, if the user asks for help. */
static void help_if(const char *word, const char *usage) {
    if (word == NULL || (strcmp(word, "--help") != 0 && strcmp(word, "-h") != 0)) return;
    printf("usage: %s\n", usage);
    exit(fflush(stdout) == 0 ? 0 : 1);
}

static double as_seconds(const char *text) {
    char *end = NULL;
    double value = text[strspn(text, "0123456789.")] == '\0' ? strtod(text, &end) : 0;
    if (end == NULL || end == text || *end != '\0')
        refuse(RUN_USAGE, "times are in seconds, such as 30 or 0.5, not ", text);
    return value;
}

/* The command behind `--`, which must be the first of the remaining arguments. */
static char **command(char **rest, const char *usage) {
    if (*rest == NULL) refuse(usage, "there is no `--` and no command", "");
    if (strcmp(*rest, "--") != 0) refuse(usage, "put `--` before the command: ", *rest);
    if (rest[1] == NULL) refuse(usage, "there is no command after `--`", "");
    return rest + 1;
}

static char **run_flags(char **at) {
    const struct { const char *name; const char **text; double *number; } known[] = {
        {"--run-dir", &options.run_dir, NULL},  {"--file", &options.file, NULL},
        {"--drain", NULL, &options.drain},      {"--grace", NULL, &options.grace},
        {"--deadline", NULL, &options.deadline}, {"--unfollowed", NULL, &options.unfollowed},
    };
    const size_t count = sizeof known / sizeof *known;
    for (; *at != NULL && strncmp(*at, "--", 2) == 0 && (*at)[2] != '\0'; at++) {
        size_t i = 0, length = strcspn(*at, "=");
        if (strcmp(*at, "--capture") == 0) {
            options.capture = true;
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
    if (options.run_dir == NULL) refuse(RUN_USAGE, "--run-dir is missing", "");
    return argv;
}

int main(int argc, char **argv) {
    static const char usage[] =
        "launch run|supervise|install|await ...; each prints its usage without arguments";
    const char *word = argc > 1 ? argv[1] : "";
    const char *next = argc > 2 ? argv[2] : NULL;
    help_if(word, usage);
    if (strcmp(word, "run") == 0) {
        help_if(next, RUN_USAGE);
        return run(run_flags(argv + 2));
    }
    if (strcmp(word, "supervise") == 0) {
        help_if(next, SUPERVISE_USAGE);
        return supervise(command(argv + 2, SUPERVISE_USAGE));
    }
    if (strcmp(word, "install") == 0 && argc == 3) return install(argv[2]);
    if (strcmp(word, "install") == 0 && argc == 4) return install(argv[2]) || await(argv[3]);
    if (strcmp(word, "install") == 0)
        refuse("launch install DEST [PATH]", "install takes a path, and one to wait for", "");
    if (strcmp(word, "await") == 0 && argc == 3) return await(argv[2]);
    if (strcmp(word, "await") == 0) refuse("launch await PATH", "await takes one path", "");
    refuse(usage, *word ? "unknown command: " : "a command is missing", word);
}
