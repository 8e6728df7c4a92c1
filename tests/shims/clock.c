/* Loaded into a process (LD_PRELOAD): the clock that the user sets shows the seconds since 1970 that
 * stand in the file CLOCK_FILE, as long as there is one. The clock that nobody sets is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static __typeof__(&clock_gettime) next;
    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "clock_gettime");
    int result = next(clock, time);
    const char *path = getenv("CLOCK_FILE");
    int fd = clock == CLOCK_REALTIME && path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (result != 0 || fd < 0)
        return result;
    char text[32];
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length > 0) {
        text[length] = '\0';
        time->tv_sec = atoll(text);
    }
    return 0;
}
