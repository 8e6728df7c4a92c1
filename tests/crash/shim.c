/* Loaded into the process that is killed (LD_PRELOAD). Before each call of the C library that
 * changes the journal's folder or reaches the network, and after those that others may act upon,
 * is a place to die at; the process kills itself at the one that it was told.
 *
 * CRASH_FOLDER  the journal's folder, as an absolute path
 * CRASH_TRACE   a file that every place is noted in, before the process dies there; with a star
 *               where the disk may not have all yet
 * CRASH_AT      the number of the place to die at; 0 for none
 * CRASH_POWER   set if the power goes: what was not synced is gone too
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
/* Longer than any record of the test. */
#define MAX_RECORD 65536

static const char *folder;
static int trace = -1;
static int death;
static atomic_int places;

/* What the disk may have lost when the power goes. The library writes one record at a time. */
static int power;
static char unsynced[PATH_MAX];
static char renamed_from[PATH_MAX], renamed_to[PATH_MAX];
static char replaced[MAX_RECORD];
static ssize_t replaced_length;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CRASH_TRACE"), *at = getenv("CRASH_AT");
    folder = getenv("CRASH_FOLDER");
    if (!folder || !path || !at)
        return;
    power = getenv("CRASH_POWER") != NULL;
    death = atoi(at);
    trace = NEXT(open64)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The part of a path below the folder; NULL if it lies elsewhere. */
static const char *within(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    if (trace < 0 || strncmp(path, folder, length) != 0)
        return NULL;
    if (path[length] == '\0')
        return ".";
    return path[length] == '/' ? path + length + 1 : NULL;
}

static const char *path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
    return within(path);
}

static ssize_t read_whole(const char *path, char *content) {
    int fd = NEXT(open64)(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, content, MAX_RECORD);
    close(fd);
    return length;
}

/* The content of the last file, or else its new name. */
static void lose_what_is_unsynced(void) {
    if (unsynced[0]) {
        if (truncate(unsynced, 0) != 0)
            abort();
    } else if (renamed_to[0]) {
        NEXT(rename)(renamed_to, renamed_from);
        if (replaced_length < 0)
            return;
        int fd = NEXT(open64)(renamed_to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (NEXT(write)(fd, replaced, replaced_length) != replaced_length)
            abort();
    }
}

static void place(const char *when, const char *what, const char *name) {
    char line[PATH_MAX + 64];
    int number = atomic_fetch_add(&places, 1) + 1;
    const char *star = unsynced[0] || renamed_to[0] ? " *" : "";
    int length = snprintf(line, sizeof line, "%s %s %s%s\n", when, what, name, star);
    if (NEXT(write)(trace, line, length) != length)
        abort();
    if (number != death)
        return;
    if (power)
        lose_what_is_unsynced();
    kill(getpid(), SIGKILL);
    pause();
}

/* ---- the folder ---- */

static int open_file(__typeof__(&open64) next, const char *path, int flags, mode_t mode) {
    const char *name = within(path);
    /* What is only read is the same before and after. */
    if (!name || (!(flags & O_CREAT) && strcmp(name, ".") != 0))
        return next(path, flags, mode);
    place("before", "open", name);
    return next(path, flags, mode);
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_file((__typeof__(&open64))NEXT(open), path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_file(NEXT(open64), path, flags, mode);
}

int mkdir(const char *path, mode_t mode) {
    const char *name = within(path);
    if (!name)
        return NEXT(mkdir)(path, mode);
    place("before", "mkdir", name);
    return NEXT(mkdir)(path, mode);
}

/* In four parts, so that it can end after the first byte, in the middle, and before the last. */
ssize_t write(int fd, const void *content, size_t count) {
    char path[PATH_MAX];
    const char *name = trace < 0 || fd == trace ? NULL : path_of(fd, path);
    if (!name)
        return NEXT(write)(fd, content, count);
    size_t ends[] = {1, count / 2, count - 1, count}, done = 0;
    place("before", "write", name);
    strcpy(unsynced, path);
    for (int part = 0; part < 4; part++) {
        size_t wanted = ends[part] - done;
        ssize_t written = NEXT(write)(fd, (const char *)content + done, wanted);
        if (written < 0)
            return -1;
        done += written;
        if ((size_t)written < wanted)
            break;
        if (part < 3)
            place("within", "write", name);
    }
    return done;
}

int fsync(int fd) {
    char path[PATH_MAX];
    const char *name = path_of(fd, path);
    if (!name)
        return NEXT(fsync)(fd);
    place("before", "fsync", name);
    int result = NEXT(fsync)(fd);
    if (strcmp(name, ".") != 0) {
        unsynced[0] = '\0';
        return result;
    }
    renamed_to[0] = '\0';
    place("after", "fsync", name);
    return result;
}

int rename(const char *from, const char *to) {
    const char *name = within(to);
    if (!name)
        return NEXT(rename)(from, to);
    place("before", "rename", name);
    replaced_length = read_whole(to, replaced);
    int result = NEXT(rename)(from, to);
    if (strcmp(unsynced, from) == 0)
        strcpy(unsynced, to);
    strcpy(renamed_from, from);
    strcpy(renamed_to, to);
    return result;
}

int unlink(const char *path) {
    const char *name = within(path);
    if (!name)
        return NEXT(unlink)(path);
    place("before", "unlink", name);
    int result = NEXT(unlink)(path);
    place("after", "unlink", name);
    return result;
}

/* ---- the network ---- */

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (trace < 0 || address->sa_family != AF_INET)
        return NEXT(connect)(fd, address, length);
    place("before", "connect", "-");
    int result = NEXT(connect)(fd, address, length);
    place("after", "connect", "-");
    return result;
}

/* What a request is, of which the secrets stay out of the trace. */
static const char *kind(const void *content, size_t length) {
    if (memmem(content, length, "cancel=1", 8))
        return "cancel";
    return memmem(content, length, "/callback/", 10) ? "callback" : "other";
}

ssize_t send(int fd, const void *content, size_t length, int flags) {
    if (trace < 0)
        return NEXT(send)(fd, content, length, flags);
    place("before", "send", kind(content, length));
    ssize_t result = NEXT(send)(fd, content, length, flags);
    place("after", "send", kind(content, length));
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    struct stat status;
    if (trace < 0 || fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode))
        return NEXT(writev)(fd, parts, count);
    place("before", "send", kind(parts[0].iov_base, parts[0].iov_len));
    ssize_t result = NEXT(writev)(fd, parts, count);
    place("after", "send", kind(parts[0].iov_base, parts[0].iov_len));
    return result;
}
