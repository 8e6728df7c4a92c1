/* Loaded into a process (LD_PRELOAD), for files below DISK_FOLDER:
 *
 * DISK_FSYNC_MS    how much longer each fsync takes
 * DISK_UNREADABLE  the name of a file that cannot be opened, as on a phone that is still locked
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The part of a path below the folder, or NULL. */
static const char *within(const char *path) {
    const char *folder = getenv("DISK_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    if (!folder || strncmp(path, folder, length) != 0)
        return NULL;
    return path + length;
}

int fsync(int fd) {
    char link[64], path[PATH_MAX];
    const char *millis = getenv("DISK_FSYNC_MS");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    if (millis && within(path)) {
        long wait = atol(millis);
        struct timespec time = {wait / 1000, wait % 1000 * 1000000};
        nanosleep(&time, NULL);
    }
    return NEXT(fsync)(fd);
}

static int is_unreadable(const char *path) {
    const char *name = within(path), *unreadable = getenv("DISK_UNREADABLE");
    return name && unreadable && *name == '/' && strcmp(name + 1, unreadable) == 0;
}

static int open_file(__typeof__(&open64) next, const char *path, int flags, va_list arguments) {
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    if (is_unreadable(path)) {
        errno = EACCES;
        return -1;
    }
    return next(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int fd = open_file((__typeof__(&open64))NEXT(open), path, flags, arguments);
    va_end(arguments);
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int fd = open_file(NEXT(open64), path, flags, arguments);
    va_end(arguments);
    return fd;
}
