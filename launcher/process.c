/* Inherited state, the start of the command, and the end of the processes that it left. */
#include "launch.h"
#include <dirent.h>
#include <stdarg.h>
#include <stdint.h>

enum { CLEARING = 5 }; /* seconds to wait for killed processes to end */

extern char **environ;
pid_t self;
sigset_t inherited_mask, every_signal;
static struct sigaction inherited_chld;
static mode_t inherited_umask;

void log_line(const char *form, ...) {
    char line[1024];
    va_list values;
    va_start(values, form);
    int length = vsnprintf(line, sizeof line - 1, form, values);
    va_end(values);
    size_t used = length < 0 ? 0 : (size_t)min_of(length, sizeof line - 2);
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0) return; /* one write, so that lines stay whole */
}

double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
double now(void) { return seconds(CLOCK_MONOTONIC); }
double min_of(double a, double b) { return a < b ? a : b; }
double max_of(double a, double b) { return a > b ? a : b; }

int poll_until(struct pollfd *fds, nfds_t count, double until) {
    double ms = max_of(0, (until - now()) * 1000 + 1);
    return poll(fds, count, until == NEVER ? -1 : (int)min_of(ms, INT_MAX));
}

int exit_code(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}


/* --- the trainer's side of a fork --------------------------------------------------------- */

/* Like execvp, but a file in an unknown format is refused, as the kubelet refuses it; execvp would
 * run it with /bin/sh. Returns only after a failure, with errno. */
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

/* Becomes the command, with all inherited state restored. */
void become(const char *program, char **argv) {
    umask(inherited_umask);
    sigaction(SIGCHLD, &inherited_chld, NULL);
    sigprocmask(SIG_SETMASK, &inherited_mask, NULL);
    execute(argv);
    int cause = errno;
    if (cause == ENOENT && strchr(argv[0], '/') == NULL)
        log_line("%s: cannot run \"%s\": not found in PATH=%s", program, argv[0],
            getenv("PATH") ? getenv("PATH") : "(unset)");
    else
        log_line("%s: cannot run \"%s\": %s%s", program, argv[0], strerror(cause),
            cause == ENOENT ? " (the file, or the interpreter that it names)" : "");
    _exit(cause == ENOENT || cause == ENOTDIR ? NOT_FOUND : NOT_RUN);
}

/* Starts the command, with `session` in its own session; it ends with this process. */
pid_t start(const char *program, char **argv, bool session, const int *streams) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    if (session) setsid();
    if (self != 1) { /* if PID 1 ends, the kernel ends all others */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self) _exit(128 + SIGKILL);
    }
    for (int fd = 1; streams != NULL && fd <= 2; fd++)
        if (streams[fd] >= 0) dup2(streams[fd], fd);
    become(program, argv);
}

/* Notes the inherited state, and blocks every signal. */
void note_inherited(void) {
    self = getpid();
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigfillset(&every_signal);
    sigprocmask(SIG_SETMASK, &every_signal, &inherited_mask);
    sigaction(SIGCHLD, &plain, &inherited_chld); /* ignored, it drops exit statuses */
    inherited_umask = umask(0);
    for (int fd = 0; fd <= 2; fd++) /* a later file must not get a number from 0 to 2 */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0) return;
}

/* Only descriptors from note_inherited close at exec; inherited ones have survived an exec. */
bool was_closed(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

/* Sent by another process, and not raised by our own failed write (SIGPIPE, SIGXFSZ)? */
bool from_outside(const struct signalfd_siginfo *info) {
    return info->ssi_code <= 0 && !(info->ssi_code == SI_USER && info->ssi_pid == (uint32_t)self);
}
void forward_signal(pid_t pid, const struct signalfd_siginfo *info) {
    union sigval value = {.sival_ptr = (void *)(uintptr_t)info->ssi_ptr};
    if (info->ssi_code == SI_QUEUE) sigqueue(pid, (int)info->ssi_signo, value);
    else kill(pid, (int)info->ssi_signo);
}


/* --- what the trainer leaves behind ------------------------------------------------------- */

struct seen {
    pid_t parent; /* 0 where the process is gone */
    char state;
};

static struct seen look(pid_t pid) {
    char path[64], text[512];
    struct seen seen = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return seen;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = '\0';
    const char *name_end = strrchr(text, ')'); /* a name may contain any character, also ")" */
    if (name_end == NULL || strlen(name_end) <= 4) return seen;
    seen.state = name_end[2];
    seen.parent = (pid_t)strtol(name_end + 4, NULL, 10);
    return seen;
}

/* As PID 1, signals every other process; otherwise every descendant. A subreaper's orphans become
 * its children, in any session. */
void signal_others(int signal) {
    if (self == 1) {
        kill(-1, signal);
        return;
    }
    DIR *processes = opendir("/proc");
    if (processes == NULL) return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), at = pid;
        while (at > 1 && at != self) at = look(at).parent;
        if (pid > 0 && pid != self && at == self) kill(pid, signal);
    }
    closedir(processes);
}

/* Whether a process that is not our child runs beside PID 1, and may be killed: `kubectl exec`
 * starts such processes. We cannot reap them, so their state shows whether they have ended. */
static bool foreign_processes_run(void) {
    bool found = false;
    DIR *processes = self == 1 ? opendir("/proc") : NULL;
    if (processes == NULL) return false;
    for (struct dirent *entry; !found && (entry = readdir(processes)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 1) continue;
        char state = look(pid).state;
        found = state != '\0' && state != 'Z' && state != 'X' && kill(pid, 0) == 0;
    }
    closedir(processes);
    return found;
}

/* Kills and reaps until no other process runs; returns how many children were killed. */
int kill_others(void) {
    double until = now() + CLEARING; /* some cannot be killed, or hang in the kernel */
    int killed = 0;
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0) killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (pid > 0) continue;
        if ((pid < 0 && !foreign_processes_run()) || now() >= until) break;
        signal_others(SIGKILL);
        poll(NULL, 0, 1);
    }
    return killed;
}
