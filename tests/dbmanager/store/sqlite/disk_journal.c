/* Preloaded into a program: writes to a journal what the program does to the files of a directory.
 *
 * TRIALWATCH_JOURNAL is the journal, TRIALWATCH_WATCHED the directory. power_cut.py has the format
 * of an entry. An entry is written after its call has succeeded, so a sync is never noted early.
 * SQLite's index of the WAL (-shm) is left out: it is made anew when the database is opened. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct entry {
    uint8_t act; /* C reate, W rite, T runcate, S ync, D irectory sync, U nlink */
    uint8_t name_length;
    uint64_t offset;
    uint64_t length; /* of the data behind the name */
} __attribute__((packed));

static void note(char act, const char *name, off_t offset, const void *data, size_t length) {
    static int journal = -1;
    if (journal < 0)
        journal = REAL(open)(getenv("TRIALWATCH_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                             0600);
    struct entry entry = {(uint8_t)act, (uint8_t)strlen(name), (uint64_t)offset, length};
    struct iovec parts[] = {{&entry, sizeof entry}, {(void *)name, strlen(name)},
                            {(void *)data, length}};
    if (writev(journal, parts, 3) != (ssize_t)(sizeof entry + strlen(name) + length)) abort();
}

/* Returns the name of a watched file within the directory, "" for the directory, or NULL. */
static const char *watched(const char *path) {
    const char *directory = getenv("TRIALWATCH_WATCHED");
    size_t length = strlen(directory);
    if (strncmp(path, directory, length) != 0) return NULL;
    if (path[length] == '\0') return "";
    const char *name = path + length + 1;
    return path[length] == '/' && strstr(name, "-shm") == NULL ? name : NULL;
}
static const char *opened(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return NULL;
    path[length] = '\0';
    return watched(path);
}

#define OPEN(call)                                                                       \
    int call(const char *path, int flags, ...) {                                         \
        va_list more;                                                                    \
        va_start(more, flags);                                                           \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;                        \
        va_end(more);                                                                    \
        created = (flags & O_CREAT) && access(path, F_OK) != 0;                         \
        int file = REAL(call)(path, flags, mode);                                        \
        const char *name = file < 0 || !created ? NULL : watched(path);                 \
        if (name != NULL) note('C', name, 0, NULL, 0);                                   \
        return file;                                                                     \
    }
static __thread int created;
OPEN(open)
OPEN(open64)

#define PWRITE(call, offset_type)                                                        \
    ssize_t call(int file, const void *data, size_t size, offset_type offset) {          \
        char path[PATH_MAX];                                                             \
        ssize_t done = REAL(call)(file, data, size, offset);                             \
        const char *name = done > 0 ? opened(file, path) : NULL;                         \
        if (name != NULL) note('W', name, offset, data, (size_t)done);                   \
        return done;                                                                     \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int file, const void *data, size_t size) {
    char path[PATH_MAX];
    ssize_t done = REAL(write)(file, data, size);
    const char *name = done > 0 ? opened(file, path) : NULL;
    if (name != NULL) note('W', name, lseek(file, 0, SEEK_CUR) - done, data, (size_t)done);
    return done;
}

#define TRUNCATE(call, size_type)                                                        \
    int call(int file, size_type size) {                                                 \
        char path[PATH_MAX];                                                             \
        int failed = REAL(call)(file, size);                                             \
        const char *name = failed ? NULL : opened(file, path);                           \
        if (name != NULL) note('T', name, size, NULL, 0);                                \
        return failed;                                                                   \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(call)                                                                       \
    int call(int file) {                                                                 \
        char path[PATH_MAX];                                                             \
        int failed = REAL(call)(file);                                                   \
        const char *name = failed ? NULL : opened(file, path);                           \
        if (name != NULL) note(*name ? 'S' : 'D', name, 0, NULL, 0);                     \
        return failed;                                                                   \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    int failed = REAL(unlink)(path);
    const char *name = failed ? NULL : watched(path);
    if (name != NULL) note('U', name, 0, NULL, 0);
    return failed;
}
