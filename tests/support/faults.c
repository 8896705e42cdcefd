/* A disk that fails on order: loaded with LD_PRELOAD, armed for one folder at a time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, FULL, WRITE_FAILS, SHORT, SYNC_FAILS, RENAME_FAILS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX], hit[PATH_MAX];
static int mode = -1;
static long limit, written, syncs, renames, failures;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void arm(const char *path, int new_mode, long new_limit) {
    strncpy(folder, path, PATH_MAX - 1);
    mode = new_mode;
    limit = new_limit;
    written = syncs = renames = failures = 0;
    hit[0] = 0;
}
void disarm(void) { mode = -1; }
long written_bytes(void) { return written; }
long sync_calls(void) { return syncs; }
long rename_calls(void) { return renames; }
long failed_calls(void) { return failures; }
const char *hit_path(void) { return hit; }

static int below(const char *path) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}
static int is_armed(int descriptor, char *path) {
    char link[64];
    if (mode < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}
static int fail(const char *path, int number) {
    if (!failures++) strncpy(hit, path, PATH_MAX - 1);
    errno = number;
    return -1;
}
/* Returns how many bytes may be written, or -1. */
static ssize_t allowed(int descriptor, size_t size) {
    char path[PATH_MAX];
    int before = errno;
    ssize_t most = size;
    if (!is_armed(descriptor, path)) {
        errno = before;
        return size;
    }
    pthread_mutex_lock(&lock);
    errno = before;
    long left = limit - written;
    if (mode == SHORT && size) most = (size + 2) / 3;
    if (mode == FULL && size && most > left) most = left > 0 ? left : fail(path, ENOSPC);
    if (mode == WRITE_FAILS && size && !failures && most > left) most = fail(path, EIO);
    if (most > 0) written += most;
    pthread_mutex_unlock(&lock);
    return most;
}
ssize_t write(int descriptor, const void *bytes, size_t size) {
    ssize_t most = allowed(descriptor, size);
    return most < 0 ? -1 : REAL(write)(descriptor, bytes, most);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    ssize_t most = allowed(descriptor, size);
    return most < 0 ? -1 : REAL(pwrite)(descriptor, bytes, most, offset);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset) {
    return pwrite(descriptor, bytes, size, offset);
}
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (!is_armed(descriptor, path)) return REAL(writev)(descriptor, parts, count);
    while (count && !parts->iov_len) parts++, count--;
    return count ? write(descriptor, parts->iov_base, parts->iov_len) : 0;
}
int fsync(int descriptor) {
    char path[PATH_MAX];
    if (is_armed(descriptor, path) && __sync_add_and_fetch(&syncs, 1) >= limit &&
        mode == SYNC_FAILS)
        return fail(path, EIO);
    return REAL(fsync)(descriptor);
}
static int rename_fails(const char *path) {
    return mode >= 0 && below(path) && ++renames == limit && mode == RENAME_FAILS &&
           fail(path, EIO);
}
int rename(const char *from, const char *to) {
    return rename_fails(to) ? -1 : REAL(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return rename_fails(to) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}
