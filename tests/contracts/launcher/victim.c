/* A trainer for signals. `victim TRUTH MICROSECONDS STATUS [CAUGHT_SIGNAL CAUGHT_STATUS]` ends with
 * STATUS after that time, or with CAUGHT_STATUS when it catches the signal. Once it has decided, no
 * signal can change that, and the decision stands in the file TRUTH. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *truth, *caught;

static void decide(const char *status) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    int fd = open(truth, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (write(fd, status, strlen(status)) < 0) _exit(99);
    _exit(atoi(status));
}

static void on_signal(int number) {
    (void)number;
    decide(caught);
}

int main(int argc, char **argv) {
    truth = argv[1];
    if (argc > 5) {
        caught = argv[5];
        signal(atoi(argv[4]), on_signal);
    }
    long wait = atol(argv[2]);
    struct timespec pause = {wait / 1000000, wait % 1000000 * 1000};
    nanosleep(&pause, NULL);
    decide(argv[3]);
}
