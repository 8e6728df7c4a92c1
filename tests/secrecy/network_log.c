/*
 * Stands before the C library, by LD_PRELOAD, and writes down every name that is looked up and
 * every address that something is connected or sent to. It knows no name but localhost, so that no
 * test asks a real resolver.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void record(const char *what, const char *whom)
{
    int before = errno;
    char line[512];
    int length = snprintf(line, sizeof line, "%s %s\n", what, whom);
    const char *path = getenv("NETWORK_LOG");
    int file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    /* What is not recorded must not pass for what did not happen. */
    if (file < 0 || length >= (int)sizeof line || write(file, line, length) != length)
        abort();
    close(file);
    errno = before;
}

static void record_address(const struct sockaddr *address)
{
    char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + sizeof "[]:65535"];
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof ip);
        snprintf(text, sizeof text, "%s:%u", ip, ntohs(v4->sin_port));
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof ip);
        snprintf(text, sizeof text, "[%s]:%u", ip, ntohs(v6->sin6_port));
    } else {
        snprintf(text, sizeof text, "family %u", address->sa_family);
    }
    record("connect", text);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int connect(int socket, const struct sockaddr *address, socklen_t length)
{
    record_address(address);
    return REAL(connect)(socket, address, length);
}

ssize_t sendto(int socket, const void *bytes, size_t count, int flags,
               const struct sockaddr *address, socklen_t length)
{
    if (address)
        record_address(address);
    return REAL(sendto)(socket, bytes, count, flags, address, length);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
    if (message->msg_name)
        record_address(message->msg_name);
    return REAL(sendmsg)(socket, message, flags);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    record("lookup", name ? name : "");
    if (!name || strcmp(name, "localhost") != 0)
        return EAI_NONAME;
    return REAL(getaddrinfo)(name, service, hints, found);
}

struct hostent *gethostbyname(const char *name)
{
    record("lookup", name);
    h_errno = HOST_NOT_FOUND;
    return NULL;
}

int gethostbyname_r(const char *name, struct hostent *entry, char *bytes, size_t count,
                    struct hostent **found, int *problem)
{
    (void)entry, (void)bytes, (void)count;
    record("lookup", name);
    *found = NULL;
    *problem = HOST_NOT_FOUND;
    return HOST_NOT_FOUND;
}
