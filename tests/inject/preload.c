/*
 * Stands between a server and libc (LD_PRELOAD, see ld.so(8)), counts the calls, and lets one
 * fail as the driver has ordered in the file that INJECT names.
 *
 * A function here has the name of one of libc's, so the program finds this one first. It calls
 * the real one, which dlsym(3) finds as the next of that name. With _FORTIFY_SOURCE some calls
 * have another name in the object file (__read_chk), so those stand here, too.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE

#include "tests/inject/inject.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct inject *shared;

/* The real function, as a pointer of its type. POSIX lets void * hold one. */
#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* Before main(), and before the first call of ours is counted. */
__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("INJECT");
	void *map;
	int fd;

	if (path == NULL)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		_exit(126);
	map = REAL(mmap)(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (map == MAP_FAILED)
		_exit(126);
	shared = map;
}

/* Counts a call. @return the errno with which it is to fail; 0: it is not to */
static int fault(enum inject_call call)
{
	unsigned number;

	if (shared == NULL)
		return 0;
	atomic_fetch_add(&shared->total, 1);
	number = atomic_fetch_add(&shared->counts[call], 1) + 1;
	if ((int)call != shared->call || number < shared->at ||
	    atomic_load(&shared->lifted) ||
	    (shared->times > 0 && number >= shared->at + shared->times))
		return 0;
	atomic_fetch_add(&shared->injected, 1);
	if (call == INJECT_fsync || call == INJECT_fdatasync)
		atomic_fetch_add(&shared->failed_syncs, 1);
	return shared->error;
}

/* Such an error is not over with one call. */
static void end_connection(int fd, int error)
{
	if (error == ECONNRESET || error == EPIPE || error == ETIMEDOUT)
		REAL(shutdown)(fd, SHUT_RDWR);
}

static bool fails(enum inject_call call)
{
	int error = fault(call);

	if (error > 0)
		errno = error;
	return error > 0;
}

/* A record goes as a whole or not at all: so does the kernel do it. */
static bool takes_records(int fd)
{
	int type = 0;
	socklen_t length = sizeof type;

	return REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
	       type != SOCK_STREAM;
}

/* How much of @p size is to be done. @p failed receives whether it fails, with errno. */
static size_t portion(enum inject_call call, int fd, size_t size, bool *failed)
{
	int error = fault(call);

	*failed = error > 0;
	if (error > 0) {
		end_connection(fd, error);
		errno = error;
	}
	return error == INJECT_SHORT && size > 1 && !takes_records(fd) ? size / 2 : size;
}

/* ---- sockets ---- */

static void note_port(int fd)
{
	struct sockaddr_in where;
	socklen_t length = sizeof where;

	if (shared != NULL &&
	    REAL(getsockname)(fd, (struct sockaddr *)&where, &length) == 0 &&
	    where.sin_family == AF_INET)
		atomic_store(&shared->port, ntohs(where.sin_port));
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	return fails(INJECT_accept4) ? -1 : REAL(accept4)(fd, address, length, flags);
}

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
	bool failed;

	n = portion(INJECT_recv, fd, n, &failed);
	return failed ? -1 : REAL(recv)(fd, bytes, n, flags);
}

ssize_t __recv_chk(int fd, void *bytes, size_t n, size_t room, int flags);
ssize_t __recv_chk(int fd, void *bytes, size_t n, size_t room, int flags)
{
	return n <= room ? recv(fd, bytes, n, flags) : (abort(), -1);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
	bool failed;

	n = portion(INJECT_send, fd, n, &failed);
	return failed ? -1 : REAL(send)(fd, bytes, n, flags);
}

ssize_t sendfile(int fd, int file, off_t *offset, size_t n)
{
	bool failed;

	n = portion(INJECT_sendfile, fd, n, &failed);
	return failed ? -1 : REAL(sendfile)(fd, file, offset, n);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return fails(INJECT_recvmsg) ? -1 : REAL(recvmsg)(fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return fails(INJECT_sendmsg) ? -1 : REAL(sendmsg)(fd, message, flags);
}

int shutdown(int fd, int how)
{
	return fails(INJECT_shutdown) ? -1 : REAL(shutdown)(fd, how);
}

int socket(int family, int type, int protocol)
{
	return fails(INJECT_socket) ? -1 : REAL(socket)(family, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	int type = 0, result;
	socklen_t size = sizeof type;

	if (fails(INJECT_bind))
		return -1;
	result = REAL(bind)(fd, address, length);
	REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	if (result == 0 && type == SOCK_DGRAM)
		note_port(fd);
	return result;
}

int listen(int fd, int backlog)
{
	int result;

	if (fails(INJECT_listen))
		return -1;
	result = REAL(listen)(fd, backlog);
	if (result == 0)
		note_port(fd);
	return result;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	return fails(INJECT_setsockopt)
		       ? -1
		       : REAL(setsockopt)(fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	return fails(INJECT_getsockopt)
		       ? -1
		       : REAL(getsockopt)(fd, level, name, value, length);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return fails(INJECT_getsockname) ? -1 : REAL(getsockname)(fd, address, length);
}

int socketpair(int family, int type, int protocol, int ends[2])
{
	return fails(INJECT_socketpair) ? -1
					: REAL(socketpair)(family, type, protocol, ends);
}

/* ---- waiting ---- */

int pselect(int n, fd_set *readable, fd_set *writable, fd_set *others,
	    const struct timespec *time, const sigset_t *signals)
{
	return fails(INJECT_pselect)
		       ? -1
		       : REAL(pselect)(n, readable, writable, others, time, signals);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *time,
	  const sigset_t *signals)
{
	return fails(INJECT_ppoll) ? -1 : REAL(ppoll)(fds, n, time, signals);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *time,
		const sigset_t *signals, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *time,
		const sigset_t *signals, size_t room)
{
	return n * sizeof *fds <= room ? ppoll(fds, n, time, signals) : (abort(), -1);
}

int poll(struct pollfd *fds, nfds_t n, int milliseconds)
{
	return fails(INJECT_poll) ? -1 : REAL(poll)(fds, n, milliseconds);
}

int __poll_chk(struct pollfd *fds, nfds_t n, int milliseconds, size_t room);
int __poll_chk(struct pollfd *fds, nfds_t n, int milliseconds, size_t room)
{
	return n * sizeof *fds <= room ? poll(fds, n, milliseconds) : (abort(), -1);
}

int epoll_create1(int flags)
{
	return fails(INJECT_epoll_create1) ? -1 : REAL(epoll_create1)(flags);
}

int epoll_ctl(int poller, int operation, int fd, struct epoll_event *event)
{
	if (operation != EPOLL_CTL_DEL && fails(INJECT_epoll_ctl))
		return -1;
	return REAL(epoll_ctl)(poller, operation, fd, event);
}

int epoll_pwait(int poller, struct epoll_event *events, int most, int milliseconds,
		const sigset_t *signals)
{
	return fails(INJECT_epoll_pwait)
		       ? -1
		       : REAL(epoll_pwait)(poller, events, most, milliseconds, signals);
}

int eventfd(unsigned count, int flags)
{
	return fails(INJECT_eventfd) ? -1 : REAL(eventfd)(count, flags);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	if (shared != NULL)
		atomic_fetch_add(&shared->sleeps, 1);
	return REAL(nanosleep)(time, left);
}

/* ---- processes, threads, memory ---- */

pid_t fork(void)
{
	return fails(INJECT_fork) ? -1 : REAL(fork)();
}

/* Never let fail: what it says of crashes is what the driver wants to know. */
pid_t waitpid(pid_t pid, int *status, int options)
{
	int own = 0;
	pid_t ended = REAL(waitpid)(pid, &own, options);

	if (ended > 0 && shared != NULL && WIFSIGNALED(own) && WTERMSIG(own) != SIGKILL)
		atomic_fetch_add(&shared->crashes, 1);
	if (status != NULL)
		*status = own;
	return ended;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		   void *(*start)(void *), void *argument)
{
	int error = fault(INJECT_pthread_create);

	return error > 0 ? error
			 : REAL(pthread_create)(thread, attributes, start, argument);
}

void *mmap(void *where, size_t n, int protection, int flags, int fd, off_t offset)
{
	return fails(INJECT_mmap) ? MAP_FAILED
				  : REAL(mmap)(where, n, protection, flags, fd, offset);
}

/* dlsym(3) itself may call these; glibc has them under other names as well. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	return fails(INJECT_malloc) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(INJECT_calloc) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return fails(INJECT_realloc) ? NULL : __libc_realloc(memory, size);
}

/* ---- files ---- */

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return fails(INJECT_open) ? -1 : REAL(open)(path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open(path, flags);
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return fails(INJECT_openat) ? -1 : REAL(openat)(directory, path, flags, mode);
}

long syscall(long number, ...)
{
	va_list arguments;
	long a[6];

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
#ifdef SYS_openat2
	if (number == SYS_openat2 && fails(INJECT_openat2))
		return -1;
#endif
#ifdef SYS_io_uring_setup
	if ((number == SYS_io_uring_setup && fails(INJECT_uring_setup)) ||
	    (number == SYS_io_uring_register && fails(INJECT_uring_register)) ||
	    (number == SYS_io_uring_enter && fails(INJECT_uring_enter)))
		return -1;
#endif
	if (number == SYS_renameat2 && fails(INJECT_renameat2))
		return -1;
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The descriptor is closed all the same, as Linux does it (close(2)). */
int close(int fd)
{
	int error = fault(INJECT_close), result = REAL(close)(fd);

	if (error > 0) {
		errno = error;
		return -1;
	}
	return result;
}

/* Of a pipe, an eventfd or a terminal neither: what could fail there? */
static size_t portion_of_file(enum inject_call of_file, enum inject_call of_socket,
			      int fd, size_t n, bool *failed)
{
	struct stat status = { 0 };

	*failed = false;
	REAL(fstat)(fd, &status);
	if (S_ISREG(status.st_mode))
		return portion(of_file, fd, n, failed);
	return S_ISSOCK(status.st_mode) ? portion(of_socket, fd, n, failed) : n;
}

ssize_t read(int fd, void *bytes, size_t n)
{
	bool failed;

	n = portion_of_file(INJECT_read, INJECT_read_socket, fd, n, &failed);
	return failed ? -1 : REAL(read)(fd, bytes, n);
}

ssize_t __read_chk(int fd, void *bytes, size_t n, size_t room);
ssize_t __read_chk(int fd, void *bytes, size_t n, size_t room)
{
	return n <= room ? read(fd, bytes, n) : (abort(), -1);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t offset)
{
	bool failed;

	n = portion(INJECT_pread, fd, n, &failed);
	return failed ? -1 : REAL(pread)(fd, bytes, n, offset);
}

ssize_t __pread_chk(int fd, void *bytes, size_t n, off_t offset, size_t room);
ssize_t __pread_chk(int fd, void *bytes, size_t n, off_t offset, size_t room)
{
	return n <= room ? pread(fd, bytes, n, offset) : (abort(), -1);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	bool failed;

	n = portion_of_file(INJECT_write, INJECT_write_socket, fd, n, &failed);
	return failed ? -1 : REAL(write)(fd, bytes, n);
}

ssize_t pwritev2(int fd, const struct iovec *pieces, int count, off_t offset, int flags)
{
	return fails(INJECT_pwritev2) ? -1
				      : REAL(pwritev2)(fd, pieces, count, offset, flags);
}

int fsync(int fd)
{
	return fails(INJECT_fsync) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	return fails(INJECT_fdatasync) ? -1 : REAL(fdatasync)(fd);
}

int fcntl(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return fails(INJECT_fcntl) ? -1 : REAL(fcntl)(fd, command, argument);
}

int fstat(int fd, struct stat *status)
{
	return fails(INJECT_fstat) ? -1 : REAL(fstat)(fd, status);
}

int fstatat(int directory, const char *restrict path, struct stat *restrict status,
	    int flags)
{
	return fails(INJECT_fstatat) ? -1 : REAL(fstatat)(directory, path, status, flags);
}

int fstatvfs(int fd, struct statvfs *status)
{
	return fails(INJECT_fstatvfs) ? -1 : REAL(fstatvfs)(fd, status);
}

DIR *fdopendir(int fd)
{
	return fails(INJECT_fdopendir) ? NULL : REAL(fdopendir)(fd);
}

struct dirent *readdir(DIR *stream)
{
	return fails(INJECT_readdir) ? NULL : REAL(readdir)(stream);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
	return fails(INJECT_mkdirat) ? -1 : REAL(mkdirat)(directory, path, mode);
}

int renameat(int from, const char *name, int to, const char *new_name)
{
	return fails(INJECT_renameat) ? -1 : REAL(renameat)(from, name, to, new_name);
}

int linkat(int from, const char *name, int to, const char *new_name, int flags)
{
	return fails(INJECT_linkat) ? -1 : REAL(linkat)(from, name, to, new_name, flags);
}

int symlinkat(const char *target, int directory, const char *path)
{
	return fails(INJECT_symlinkat) ? -1 : REAL(symlinkat)(target, directory, path);
}

ssize_t readlinkat(int directory, const char *restrict path, char *restrict text,
		   size_t n)
{
	return fails(INJECT_readlinkat) ? -1 : REAL(readlinkat)(directory, path, text, n);
}

ssize_t __readlinkat_chk(int directory, const char *path, char *text, size_t n,
			 size_t room);
ssize_t __readlinkat_chk(int directory, const char *path, char *text, size_t n,
			 size_t room)
{
	return n <= room ? readlinkat(directory, path, text, n) : (abort(), -1);
}

int unlinkat(int directory, const char *path, int flags)
{
	return fails(INJECT_unlinkat) ? -1 : REAL(unlinkat)(directory, path, flags);
}

int ftruncate(int fd, off_t length)
{
	return fails(INJECT_ftruncate) ? -1 : REAL(ftruncate)(fd, length);
}

int futimens(int fd, const struct timespec times[2])
{
	return fails(INJECT_futimens) ? -1 : REAL(futimens)(fd, times);
}

int flock(int fd, int operation)
{
	return fails(INJECT_flock) ? -1 : REAL(flock)(fd, operation);
}
