/* A trainer for tests: a static program that does its arguments' words one after the other.
 *
 *   print TEXT        a line on stdout
 *   err TEXT          a line on stderr
 *   file PATH TEXT    a line at the end of a file
 *   private PATH TEXT the same, and nobody else may read it
 *   first PATH STATUS where PATH is not there yet: make it, and end with STATUS
 *   count N MS        N lines "step=I loss=1/I", one each MS milliseconds
 *   now NAME          a line "NAME=SECONDS", of the clock
 *   sleep MS
 *   await PATH        until it is there
 *   fork WORD...      a child does the rest; the parent waits for it
 *   eat               memory, until there is no more
 *   exit STATUS
 *   kill SIGNAL       itself
 *   stubborn          from here on, ignore SIGTERM
 *
 * Called sh or ls, it prints how it was called, as a metric.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left)) continue;
}

static void await(const char *path) {
    while (access(path, F_OK)) nap(50);
}

static void line(int fd, const char *text) {
    dprintf(fd, "%s\n", text);
}

static void append(const char *path, const char *text, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, mode);
    if (fd < 0) {
        perror(path);
        exit(99);
    }
    line(fd, text);
    close(fd);
}

static void fail_first(const char *path, const char *status) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd >= 0) exit(atoi(status));
}

static int tell_the_name(char **word) {
    while (*word) dprintf(1, "own program's word: %s\n", *word++);
    line(1, "loss=0.25");
    return 0;
}

static void count(int steps, long pause) {
    for (int step = 1; step <= steps; step++) {
        dprintf(1, "step=%d loss=%.6f\n", step, 1.0 / step);
        nap(pause);
    }
}

static void tell_the_time(const char *name) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    dprintf(1, "%s=%ld.%06ld\n", name, (long)now.tv_sec, now.tv_nsec / 1000);
}

static void eat(void) {
    for (;;) {
        char *piece = malloc(1 << 20);
        if (piece) memset(piece, 1, 1 << 20);
    }
}

static void follow_child(void) {
    pid_t child = fork();
    int status = 0;
    if (child == 0) return;
    waitpid(child, &status, 0);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv) {
    char **word = argv + 1;
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    (void)argc;
    if (!strcmp(name, "sh") || !strcmp(name, "ls")) return tell_the_name(argv);
    while (*word) {
        const char *what = *word++;
        if (!strcmp(what, "print")) line(1, *word++);
        else if (!strcmp(what, "err")) line(2, *word++);
        else if (!strcmp(what, "file")) append(word[0], word[1], 0644), word += 2;
        else if (!strcmp(what, "private")) append(word[0], word[1], 0600), word += 2;
        else if (!strcmp(what, "first")) fail_first(word[0], word[1]), word += 2;
        else if (!strcmp(what, "count")) count(atoi(word[0]), atol(word[1])), word += 2;
        else if (!strcmp(what, "now")) tell_the_time(*word++);
        else if (!strcmp(what, "sleep")) nap(atol(*word++));
        else if (!strcmp(what, "await")) await(*word++);
        else if (!strcmp(what, "fork")) follow_child();
        else if (!strcmp(what, "eat")) eat();
        else if (!strcmp(what, "exit")) return atoi(*word);
        else if (!strcmp(what, "kill")) raise(atoi(*word++));
        else if (!strcmp(what, "stubborn")) signal(SIGTERM, SIG_IGN);
        else return 64;
    }
    return 0;
}
