/* The life of an attempt, and the command line. launch.h says what is where. */
#include "launch.h"

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
        attempt.kill_at = least(attempt.kill_at, now() + most(want.grace / 2,
                                want.grace - most(5, want.grace / 5)));
}

static void obey(const char *line) {
    if (strcmp(line, CONTROL_FOLLOWING) == 0) attempt.following = true, attempt.delivered = false;
    if (strcmp(line, CONTROL_STOP) == 0 && !attempt.ended && !attempt.stopped) {
        attempt.stopped = true;
        attempt.stop_until = now() + want.grace;
        attempt.kill_at = least(attempt.kill_at, attempt.stop_until);
        kill(attempt.trainer, SIGTERM);
    }
    /* Before the record is there it would be a mistake: more is to come. */
    if (strcmp(line, CONTROL_DELIVERED) == 0 && attempt.recorded) attempt.delivered = true;
    if (strncmp(line, CONTROL_GAVE_UP, strlen(CONTROL_GAVE_UP)) == 0) attempt.delivered = true;
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
    int leftovers = kill_others();
    for (struct stream *s = attempt.streams; s < attempt.streams + 2; s++) take_rest(s);
    if (!write_exit(leftovers)) attempt.delivered = true; /* nobody will know: no use to wait */
    attempt.recorded = true;
    attempt.hold_from = now();
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
    return attempt.recorded && (attempt.delivered || t >= hold_until()) &&
           (sent || t >= told_until());
}

static void pump(struct stream *s, short from, short to) {
    if (from != 0 && !take(s, CHUNK)) {
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
        for (int i = 0; i < 2; i++)
            pump(&attempt.streams[i], fds[2 + i].revents, fds[4 + i].revents);
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


/* --- the command line ---------------------------------------------------------------------- */

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
        "launch run|supervise|install|await ...; each says more when called without arguments";
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "run") == 0) return run(run_flags(argv + 2));
    if (strcmp(word, "supervise") == 0)
        return supervise(command(argv + 2, "launch supervise -- COMMAND..."));
    if (strcmp(word, "install") == 0 && argc == 3) return install(argv[2]);
    if (strcmp(word, "install") == 0) refuse("launch install DEST", "install takes one path", "");
    if (strcmp(word, "await") == 0 && argc == 3) return await(argv[2]);
    if (strcmp(word, "await") == 0) refuse("launch await PATH", "await takes one path", "");
    refuse(usage, *word ? "no such word: " : "a word is missing", word);
}
