/* A disk that forgets: preloaded into the server, it keeps in a shadow folder exactly what is on disk for certain.
 *
 * fsync or fdatasync of a file in DISK_SHIM_HOME copies its content to <shadow>/i<inode>, that of a folder writes its
 * entries to <shadow>/d<inode>, "<f|d> <inode> <name>" a line. What was never synced is in no copy, so a data folder
 * that is made from the copies is what a power cut leaves at the worst.
 *
 * A flag file makes the disk misbehave while it is there: DISK_SHIM_LIES pretends to sync, DISK_SHIM_BROKEN fails to
 * sync (EIO), DISK_SHIM_FULL writes no more (ENOSPC). A text in it confines that to paths that contain the text. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void give_up(const char *what) {
    perror(what);
    abort();
}

/* Whether an open file is in the data folder; its path. */
static int inside(int fd, char path[PATH_MAX]) {
    const char *home = getenv("DISK_SHIM_HOME");
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = home ? readlink(link, path, PATH_MAX - 1) : -1;
    if (length < 0) return 0;
    path[length] = 0;
    size_t prefix = strlen(home);
    return strncmp(path, home, prefix) == 0 && (path[prefix] == 0 || path[prefix] == '/');
}

/* Whether a flag file is there and means this path. */
static int flagged(const char *variable, const char *path) {
    const char *flag = getenv(variable);
    int fd = flag ? open(flag, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    char part[256] = "";
    ssize_t length = read(fd, part, sizeof part - 1);
    close(fd);
    return length >= 0 && strstr(path, part) != NULL;
}

/* Writes the shadow of an inode whole or not at all: the process may be killed at any time. */
static void keep(char kind, ino_t inode, void (*fill)(int, FILE *, const char *), int fd, const char *path) {
    const char *shadow = getenv("DISK_SHIM_SHADOW");
    char draft[PATH_MAX], kept[PATH_MAX];
    snprintf(draft, sizeof draft, "%s/draft", shadow);
    snprintf(kept, sizeof kept, "%s/%c%lu", shadow, kind, (unsigned long)inode);
    FILE *out = fopen(draft, "we");
    if (!out) give_up(draft);
    fill(fd, out, path);
    if (fclose(out) != 0 || rename(draft, kept) != 0) give_up(kept);
}

static void content(int fd, FILE *out, const char *path) {
    static char buffer[1 << 20];
    /* Through the same descriptor if it can read: closing another one would drop SQLite's locks on the file. */
    int reader = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY ? open(path, O_RDONLY | O_CLOEXEC) : fd;
    ssize_t length;
    for (off_t at = 0; (length = pread(reader, buffer, sizeof buffer, at)) > 0; at += length)
        fwrite(buffer, 1, (size_t)length, out);
    if (length < 0) give_up(path);
    if (reader != fd) close(reader);
}

static void entries(int fd, FILE *out, const char *path) {
    (void)fd;
    DIR *folder = opendir(path);
    if (!folder) give_up(path);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            fprintf(out, "%c %lu %s\n", entry->d_type == DT_DIR ? 'd' : 'f', (unsigned long)entry->d_ino, entry->d_name);
    closedir(folder);
}

static int synced(int fd, int (*sync)(int)) {
    char path[PATH_MAX];
    struct stat stat;
    if (!inside(fd, path) || fstat(fd, &stat) != 0) return sync(fd);
    if (flagged("DISK_SHIM_BROKEN", path)) return errno = EIO, -1;
    if (flagged("DISK_SHIM_LIES", path) || !getenv("DISK_SHIM_SHADOW")) return 0;
    pthread_mutex_lock(&one_at_a_time);
    if (S_ISDIR(stat.st_mode)) keep('d', stat.st_ino, entries, fd, path);
    else keep('i', stat.st_ino, content, fd, path);
    pthread_mutex_unlock(&one_at_a_time);
    return 0;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

static int full(int fd) {
    const char *flag = getenv("DISK_SHIM_FULL");
    char path[PATH_MAX];
    return flag && access(flag, F_OK) == 0 && inside(fd, path) && flagged("DISK_SHIM_FULL", path);
}

#define UNLESS_FULL(name, ...) (full(fd) ? (errno = ENOSPC, -1) : REAL(name)(fd, __VA_ARGS__))
ssize_t write(int fd, const void *from, size_t length) { return UNLESS_FULL(write, from, length); }
ssize_t pwrite(int fd, const void *from, size_t length, off_t at) { return UNLESS_FULL(pwrite, from, length, at); }
ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) { return UNLESS_FULL(pwrite64, from, length, at); }
