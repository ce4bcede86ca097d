/* A disk that a test can rob of its power, fill, or break: loaded before libc into the process under test.
 *
 * DISK_FOLDER  the folder it is the disk of; files elsewhere are left alone
 * DISK_SYNCED  where a copy of each file is kept as it was when it was last synced
 * DISK_FAILS   "17": the 17th write or sync fails; "/some/path": all fail while this file exists
 * DISK_ERRNO   how it fails, as a number of errno
 * DISK_ORDER   gets an S for each sync that succeeded, and an A before each line on standard output
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static long calls;

static int is_ours(int fd, char *name, size_t size) {
    const char *folder = getenv("DISK_FOLDER");
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = folder ? readlink(link, name, size - 1) : -1;
    if (length < 0) return 0;
    name[length] = 0;
    /* The index of a write-ahead log is shared memory: no disk ever needs it. */
    if (length > 4 && !strcmp(name + length - 4, "-shm")) return 0;
    return !strncmp(name, folder, strlen(folder));
}

static int fails(void) {
    const char *when = getenv("DISK_FAILS");
    if (!when) return 0;
    if (when[0] == '/' ? access(when, F_OK) : ++calls != atol(when)) return 0;
    errno = atoi(getenv("DISK_ERRNO"));
    return 1;
}

static void put(const char *path, const void *bytes, size_t size, int flags) {
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    syscall(SYS_write, fd, bytes, size);
    close(fd);
}

static void note(const char *what) {
    if (getenv("DISK_ORDER")) put(getenv("DISK_ORDER"), what, 1, O_APPEND);
}

/* The copy takes the place of the last one at once: a kill in between leaves one of the two whole. */
static void keep(const char *name) {
    char path[4096], fresh[4096], bytes[65536];
    if (!getenv("DISK_SYNCED")) return;
    snprintf(path, sizeof path, "%s/%s", getenv("DISK_SYNCED"), strrchr(name, '/') + 1);
    snprintf(fresh, sizeof fresh, "%s.fresh", path);
    unlink(fresh);
    int fd = open(name, O_RDONLY);
    for (ssize_t size; (size = read(fd, bytes, sizeof bytes)) > 0;) put(fresh, bytes, size, O_APPEND);
    close(fd);
    rename(fresh, path);
}

static int synced(int fd, const char *call) {
    char name[4096];
    if (!is_ours(fd, name, sizeof name)) return ((int (*)(int))dlsym(RTLD_NEXT, call))(fd);
    if (fails()) return -1;
    int result = ((int (*)(int))dlsym(RTLD_NEXT, call))(fd);
    if (!result) {
        keep(name);
        note("S");
    }
    return result;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

ssize_t write(int fd, const void *bytes, size_t size) {
    char name[4096];
    if (fd == 1) note("A");
    if (is_ours(fd, name, sizeof name) && fails()) return -1;
    return syscall(SYS_write, fd, bytes, size);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    char name[4096];
    if (is_ours(fd, name, sizeof name) && fails()) return -1;
    return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) { return pwrite64(fd, bytes, size, offset); }
