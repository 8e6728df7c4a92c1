/* Runs a program in a network and a mount name space of its own:
 *
 *     network RESOLV_CONF NSSWITCH_CONF ADDRESSES PROGRAM...
 *
 * The network holds nothing but the loopback interface, which has the addresses too, separated by
 * commas. Ends with 77 and a reason where this machine does not permit it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

static void require(int done, const char *what) {
    if (done)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(77);
}

static void write_to(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    require(fd >= 0 && write(fd, text, strlen(text)) >= 0, path);
    close(fd);
}

/* Root has its rights already; anybody else gets them in a user name space. */
static void leave(void) {
    char users[64], groups[64];
    snprintf(users, sizeof users, "0 %d 1", geteuid());
    snprintf(groups, sizeof groups, "0 %d 1", getegid());
    int user = geteuid() == 0 ? 0 : CLONE_NEWUSER;
    require(unshare(user | CLONE_NEWNET | CLONE_NEWNS) == 0, "no name spaces");
    if (user) {
        write_to("/proc/self/setgroups", "deny");
        write_to("/proc/self/uid_map", users);
        write_to("/proc/self/gid_map", groups);
    }
}

static void add_address(const char *text, int number) {
    struct in6_ifreq v6 = {.ifr6_prefixlen = 128, .ifr6_ifindex = if_nametoindex("lo")};
    struct ifreq v4 = {0};
    struct sockaddr_in *address = (struct sockaddr_in *)&v4.ifr_addr;
    int is_v6 = inet_pton(AF_INET6, text, &v6.ifr6_addr) == 1;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (is_v6) {
        require(ioctl(fd, SIOCSIFADDR, &v6) == 0, text);
    } else {
        snprintf(v4.ifr_name, sizeof v4.ifr_name, "lo:%d", number);
        address->sin_family = AF_INET;
        require(inet_pton(AF_INET, text, &address->sin_addr) == 1, text);
        require(ioctl(fd, SIOCSIFADDR, &v4) == 0, text);
    }
    close(fd);
}

static void set_up_loopback(char *addresses) {
    struct ifreq lo = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), number = 1;
    require(ioctl(fd, SIOCGIFFLAGS, &lo) == 0, "lo");
    lo.ifr_flags |= IFF_UP;
    require(ioctl(fd, SIOCSIFFLAGS, &lo) == 0, "lo");
    close(fd);
    for (char *one = strtok(addresses, ","); one; one = strtok(NULL, ","))
        add_address(one, number++);
}

static void replace(const char *file, const char *by) {
    require(mount(by, file, NULL, MS_BIND, NULL) == 0, file);
}

int main(int count, char **arguments) {
    if (count < 5)
        return 2;
    leave();
    /* What is mounted here stays here. */
    require(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "/");
    replace("/etc/resolv.conf", arguments[1]);
    replace("/etc/nsswitch.conf", arguments[2]);
    set_up_loopback(arguments[3]);
    execv(arguments[4], arguments + 4);
    require(0, arguments[4]);
}
