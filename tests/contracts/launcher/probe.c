/* A trainer that prints what it inherits, as one JSON object. Its first argument is its end:
 * a status, or -N for death by signal N. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void hex(const char *bytes, size_t length) {
    putchar('"');
    for (size_t i = 0; i < length; i++) printf("%02x", (unsigned char)bytes[i]);
    putchar('"');
}

static void texts(const char *name, char **list) {
    printf("\"%s\": [", name);
    for (char **at = list; *at; at++) {
        if (at != list) printf(", ");
        hex(*at, strlen(*at));
    }
    printf("], ");
}

int main(int argc, char **argv, char **environment) {
    char text[65536], line[256];
    putchar('{');
    texts("argv", argv);
    texts("environ", environment);
    printf("\"cwd\": ");
    hex(getcwd(text, sizeof text), strlen(text));
    size_t length = 0;
    for (ssize_t got; (got = read(0, text + length, sizeof text - length)) > 0;) length += (size_t)got;
    printf(", \"stdin\": ");
    hex(text, length);
    mode_t mask = umask(0);
    printf(", \"umask\": %d, \"leads\": %s, ", mask,
           getsid(0) == getpid() && getpgrp() == getpid() ? "true" : "false");
    FILE *status = fopen("/proc/self/status", "re");
    while (fgets(line, sizeof line, status)) {
        static const char *const fields[] = {"SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd", "CapEff",
                                           "CapInh", "CapAmb", "NoNewPrivs", "Uid", "Gid", "Groups"};
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            size_t size = strlen(fields[i]);
            if (strncmp(line, fields[i], size) || line[size] != ':') continue;
            printf("\"%s\": ", fields[i]);
            hex(line + size + 1, strlen(line + size + 1));
            printf(", ");
        }
    }
    fclose(status);
    printf("\"open\": [");
    const char *comma = "";
    for (int fd = 0; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0) printf("%s%d", comma, fd), comma = ", ";
    printf("], \"limits\": [");
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;
        getrlimit(i, &limit);
        printf("%s%lu, %lu", i ? ", " : "", limit.rlim_cur, limit.rlim_max);
    }
    int reaper = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    printf("], \"subreaper\": %d, \"nice\": %d}\n", reaper, getpriority(PRIO_PROCESS, 0));
    fflush(stdout);
    fprintf(stderr, "to the other stream\n");
    int end = argc > 1 ? atoi(argv[1]) : 0;
    if (end >= 0) return end;
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    signal(-end, SIG_DFL);
    raise(-end);
    return 99;
}
