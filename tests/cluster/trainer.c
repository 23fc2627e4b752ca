/* A trainer for tests: a static program that does its arguments' words one after the other.
 *
 *   print TEXT        a line on stdout
 *   err TEXT          a line on stderr
 *   file PATH TEXT    a line at the end of a file
 *   count N MS        N lines "step=I loss=1/I", one each MS milliseconds
 *   sleep MS
 *   fork WORD...      a child does the rest; the parent waits for it
 *   eat               memory, until there is no more
 *   exit STATUS
 *   kill SIGNAL       itself
 *   stubborn          from here on, ignore SIGTERM
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

static void line(int fd, const char *text) {
    dprintf(fd, "%s\n", text);
}

static void append(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0) {
        perror(path);
        exit(99);
    }
    line(fd, text);
    close(fd);
}

static void count(int steps, long pause) {
    for (int step = 1; step <= steps; step++) {
        dprintf(1, "step=%d loss=%.6f\n", step, 1.0 / step);
        nap(pause);
    }
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
    (void)argc;
    while (*word) {
        const char *what = *word++;
        if (!strcmp(what, "print")) line(1, *word++);
        else if (!strcmp(what, "err")) line(2, *word++);
        else if (!strcmp(what, "file")) append(word[0], word[1]), word += 2;
        else if (!strcmp(what, "count")) count(atoi(word[0]), atol(word[1])), word += 2;
        else if (!strcmp(what, "sleep")) nap(atol(*word++));
        else if (!strcmp(what, "fork")) follow_child();
        else if (!strcmp(what, "eat")) eat();
        else if (!strcmp(what, "exit")) return atoi(*word);
        else if (!strcmp(what, "kill")) raise(atoi(*word++));
        else if (!strcmp(what, "stubborn")) signal(SIGTERM, SIG_IGN);
        else return 64;
    }
    return 0;
}
