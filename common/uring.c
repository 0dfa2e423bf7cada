/*
 * uring - the three system calls of io_uring, the shared memory, and the order of access.
 *
 * The picture is in uring.h. Why this way, and not by liburing: what the library hides is what one
 * wants to see here, and it is not much.
 *
 * IORING_SETUP_DEFER_TASKRUN (Linux 6.1) makes the kernel do its work for this ring only while the
 * program is in io_uring_enter(2). Otherwise each arrival interrupts the program. It also means
 * that no bytes are taken from a socket while the program looks at its completions.
 *
 * The kernel loses no completion if the completion ring is full (IORING_FEAT_NODROP): it keeps them
 * and adds them in the next io_uring_enter(2).
 *
 * Why a receive completes once, and not again and again (IORING_RECV_MULTISHOT)? A multishot receive
 * takes EAGAIN to mean that there are no bytes, and waits for the next arrival. On Linux 6.18 that is
 * not so at the urgent byte of a TCP stream while a signal is pending, even SIGSTOP, and a client that
 * waits for its reply would wait for ever. A single receive looks again before it waits. It costs a
 * request for each arrival, but no system call: the next io_uring_enter(2) passes it on.
 */
#ifdef __linux__
#define _GNU_SOURCE /* syscall, MAP_ANONYMOUS */
#endif

#include "common/uring.h"

#include <errno.h>
#include <string.h>

#if defined(__linux__) && defined(__has_include) && !defined(URING_LEFT_OUT)
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <sys/syscall.h>
#endif
#endif

/* The newest of the flags that are used: all others are older. */
#if defined(IORING_SETUP_DEFER_TASKRUN) && defined(SYS_io_uring_setup)

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum {
	OPERATION_BITS =
		URING_OWNER_ALIGNMENT - 1, /* of user_data; the others are the owner */
	KERNEL_SIGNALS = 8, /* bytes of a signal set of the kernel: 64 signals */
	GROUP = 0,          /* of the buffers: there is one */
	PROBED = 256,       /* operations that the kernel is asked about */
};

struct uring {
	int fd;

	/* The submission ring. The program owns the tail. */
	_Atomic uint32_t *requests_head, *requests_tail;
	uint32_t requests, requests_mask;
	struct io_uring_sqe *entries;

	/* The completion ring. The program owns the head. */
	_Atomic uint32_t *completions_head, *completions_tail;
	uint32_t completions_mask;
	const struct io_uring_cqe *results;

	/* The ring of buffers. The program owns the tail, which is in a field of the first entry that
	 * the kernel does not use otherwise. */
	struct io_uring_buf *buffer_ring;
	_Atomic uint16_t *buffers_tail;
	uint32_t buffers, buffers_mask;
	size_t buffer_bytes;
	char *memory;

	/* What was mapped. */
	void *rings;
	size_t rings_bytes, entries_bytes;
};

/* ---- opening --------------------------------------------------------------------------- */

bool uring_is_built_in(void)
{
	return true;
}

static int setup(unsigned entries, struct io_uring_params *params)
{
	return (int)syscall(SYS_io_uring_setup, entries, params);
}

static int register_with(const struct uring *uring, unsigned what, void *argument,
			 unsigned count)
{
	return (int)syscall(SYS_io_uring_register, uring->fd, what, argument, count);
}

/* The kernel lacks something: not a system call has failed. */
static int lacks(const char *what, struct failure *failure)
{
	errno = ENOSYS;
	return failure_set(failure, "io_uring: this kernel lacks %s", what);
}

static int refused(int error, struct failure *failure)
{
	switch (error) {
	case EINVAL:
		return lacks("IORING_SETUP_DEFER_TASKRUN (Linux 6.1)", failure);
	case EPERM:
		return failure_set(failure,
				   "io_uring: io_uring_setup: %s (a sandbox, or sysctl "
				   "kernel.io_uring_disabled)",
				   strerror(error));
	case ENOSYS:
		return failure_set(failure,
				   "io_uring: io_uring_setup: %s (an old kernel, or a "
				   "sandbox)",
				   strerror(error));
	default:
		return failure_set(failure, "io_uring: io_uring_setup: %s",
				   strerror(error));
	}
}

static const struct {
	unsigned flag;
	const char *name;
} features[] = {
	{ IORING_FEAT_SINGLE_MMAP, "IORING_FEAT_SINGLE_MMAP (Linux 5.4)" },
	{ IORING_FEAT_NODROP, "IORING_FEAT_NODROP (Linux 5.5)" },
	{ IORING_FEAT_EXT_ARG, "IORING_FEAT_EXT_ARG (Linux 5.11)" },
};

static const struct {
	unsigned code;
	const char *name;
} operations[] = {
	{ IORING_OP_ACCEPT, "IORING_OP_ACCEPT" },
	{ IORING_OP_RECV, "IORING_OP_RECV" },
	{ IORING_OP_POLL_ADD, "IORING_OP_POLL_ADD" },
	{ IORING_OP_ASYNC_CANCEL, "IORING_OP_ASYNC_CANCEL" },
};

static int check_features(unsigned present, struct failure *failure)
{
	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		if (!(present & features[i].flag))
			return lacks(features[i].name, failure);
	return 0;
}

static int check_operations(const struct uring *uring, struct failure *failure)
{
	struct io_uring_probe *probe =
		calloc(1, sizeof *probe + PROBED * sizeof *probe->ops);
	int result = 0;

	if (probe == NULL ||
	    register_with(uring, IORING_REGISTER_PROBE, probe, PROBED) < 0)
		result = failure_set(failure,
				     "io_uring: IORING_REGISTER_PROBE (Linux 5.6): %s",
				     strerror(errno));
	for (size_t i = 0; result == 0 && i < sizeof operations / sizeof *operations; i++)
		if (!(probe->ops[operations[i].code].flags & IO_URING_OP_SUPPORTED))
			result = lacks(operations[i].name, failure);
	free(probe);
	return result;
}

/* One mapping contains both rings, a second one the entries of the submission ring. */
static int map_rings(struct uring *uring, const struct io_uring_params *params)
{
	const struct io_sqring_offsets *in = &params->sq_off;
	const struct io_cqring_offsets *out = &params->cq_off;
	size_t in_bytes = in->array + params->sq_entries * sizeof(uint32_t);
	size_t out_bytes = out->cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	uint32_t *order;
	char *rings;

	uring->rings_bytes = in_bytes > out_bytes ? in_bytes : out_bytes;
	uring->rings = mmap(NULL, uring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			    uring->fd, IORING_OFF_SQ_RING);
	if (uring->rings == MAP_FAILED) {
		uring->rings = NULL;
		return -1;
	}
	uring->entries_bytes = params->sq_entries * sizeof *uring->entries;
	uring->entries = mmap(NULL, uring->entries_bytes, PROT_READ | PROT_WRITE,
			      MAP_SHARED, uring->fd, IORING_OFF_SQES);
	if (uring->entries == MAP_FAILED) {
		uring->entries = NULL;
		return -1;
	}
	rings = uring->rings;
	uring->requests_head = (_Atomic uint32_t *)(rings + in->head);
	uring->requests_tail = (_Atomic uint32_t *)(rings + in->tail);
	uring->requests = params->sq_entries;
	uring->requests_mask = params->sq_entries - 1;
	uring->completions_head = (_Atomic uint32_t *)(rings + out->head);
	uring->completions_tail = (_Atomic uint32_t *)(rings + out->tail);
	uring->completions_mask = params->cq_entries - 1;
	uring->results = (const struct io_uring_cqe *)(rings + out->cqes);
	/* The submission ring holds numbers of entries. Entry i is always in place i. */
	order = (uint32_t *)(rings + in->array);
	for (uint32_t i = 0; i < params->sq_entries; i++)
		order[i] = i;
	return 0;
}

static void *map_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Adds a buffer at the place of the tail. The kernel sees it when the tail has moved. */
static void add_buffer(struct uring *uring, unsigned buffer)
{
	uint16_t tail = atomic_load_explicit(uring->buffers_tail, memory_order_relaxed);
	struct io_uring_buf *entry = &uring->buffer_ring[tail & uring->buffers_mask];

	entry->addr = (uintptr_t)(uring->memory + buffer * uring->buffer_bytes);
	entry->len = (uint32_t)uring->buffer_bytes;
	entry->bid = (uint16_t)buffer;
	atomic_store_explicit(uring->buffers_tail, (uint16_t)(tail + 1),
			      memory_order_release);
}

static int provide_buffers(struct uring *uring, unsigned count, size_t bytes)
{
	struct io_uring_buf_reg registration = { .ring_entries = count, .bgid = GROUP };

	uring->buffers = count;
	uring->buffers_mask = count - 1;
	uring->buffer_bytes = bytes;
	uring->buffer_ring = map_memory(count * sizeof *uring->buffer_ring);
	uring->memory = map_memory(count * bytes);
	if (uring->buffer_ring == NULL || uring->memory == NULL)
		return -1;
	registration.ring_addr = (uintptr_t)uring->buffer_ring;
	if (register_with(uring, IORING_REGISTER_PBUF_RING, &registration, 1) < 0)
		return -1;
	uring->buffers_tail =
		(_Atomic uint16_t *)((char *)uring->buffer_ring +
				     offsetof(struct io_uring_buf_ring, tail));
	for (unsigned i = 0; i < count; i++)
		add_buffer(uring, i);
	return 0;
}

/* From now on the ring does its operations and no other one, such as to open a file or to connect a
 * socket: a system call filter does not see what a ring does. Until then it was disabled. */
static int restrict_operations(const struct uring *uring)
{
	enum { OPERATIONS = sizeof operations / sizeof *operations };
	struct io_uring_restriction allowed[OPERATIONS + 2] = {
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
		  .sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_ENABLE_RINGS },
	};

	for (size_t i = 0; i < OPERATIONS; i++)
		allowed[2 + i] = (struct io_uring_restriction){
			.opcode = IORING_RESTRICTION_SQE_OP,
			.sqe_op = (unsigned char)operations[i].code,
		};
	if (register_with(uring, IORING_REGISTER_RESTRICTIONS, allowed, OPERATIONS + 2) <
	    0)
		return -1;
	return register_with(uring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int open_ring(struct uring *uring, const struct uring_sizes *sizes,
		     struct failure *failure)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
			 IORING_SETUP_R_DISABLED,
		.cq_entries = sizes->completions,
	};

	uring->fd = setup(sizes->requests, &params); /* it is closed by exec(2) */
	if (uring->fd < 0)
		return refused(errno, failure);
	if (check_features(params.features, failure) < 0 ||
	    check_operations(uring, failure) < 0)
		return -1;
	if (map_rings(uring, &params) < 0)
		return failure_set(failure, "io_uring: mmap: %s", strerror(errno));
	if (sizes->buffers > 0 &&
	    provide_buffers(uring, sizes->buffers, sizes->buffer_bytes) < 0)
		return failure_set(failure,
				   "io_uring: IORING_REGISTER_PBUF_RING, %u buffers of "
				   "%zu bytes: %s",
				   sizes->buffers, sizes->buffer_bytes, strerror(errno));
	if (restrict_operations(uring) < 0)
		return failure_set(
			failure,
			"io_uring: IORING_REGISTER_RESTRICTIONS (Linux 5.10): %s",
			strerror(errno));
	return 0;
}

struct uring *uring_open(const struct uring_sizes *sizes, struct failure *failure)
{
	struct uring *uring = calloc(1, sizeof *uring);
	int error;

	if (uring == NULL) {
		failure_set(failure, "io_uring: %s", strerror(errno));
		return NULL;
	}
	if (open_ring(uring, sizes, failure) < 0) {
		error = errno;
		uring_close(uring);
		errno = error;
		return NULL;
	}
	return uring;
}

static void unmap(void *memory, size_t bytes)
{
	if (memory != NULL)
		munmap(memory, bytes);
}

void uring_close(struct uring *uring)
{
	if (uring == NULL)
		return;
	if (uring->fd >= 0)
		close(uring->fd);
	unmap(uring->rings, uring->rings_bytes);
	unmap(uring->entries, uring->entries_bytes);
	unmap(uring->buffer_ring, uring->buffers * sizeof *uring->buffer_ring);
	unmap(uring->memory, uring->buffers * uring->buffer_bytes);
	free(uring);
}

/* ---- requests -------------------------------------------------------------------------- */

static int enter(const struct uring *uring, unsigned requests, unsigned completions,
		 unsigned flags, const void *argument, size_t bytes)
{
	return (int)syscall(SYS_io_uring_enter, uring->fd, requests, completions, flags,
			    argument, bytes);
}

/* The requests that the kernel has not taken yet. */
static uint32_t waiting(const struct uring *uring)
{
	return atomic_load_explicit(uring->requests_tail, memory_order_relaxed) -
	       atomic_load_explicit(uring->requests_head, memory_order_acquire);
}

/* Writes the next entry, and moves the tail. */
static bool request(struct uring *uring, struct io_uring_sqe entry,
		    enum uring_operation operation, void *owner)
{
	uint32_t tail = atomic_load_explicit(uring->requests_tail, memory_order_relaxed);

	if (waiting(uring) == uring->requests)
		(void)enter(uring, uring->requests, 0, 0, NULL, 0);
	if (waiting(uring) == uring->requests)
		return false;
	entry.user_data = (uintptr_t)owner | (unsigned)operation;
	uring->entries[tail & uring->requests_mask] = entry;
	atomic_store_explicit(uring->requests_tail, tail + 1, memory_order_release);
	return true;
}

bool uring_accept(struct uring *uring, int listener, struct address *peer, void *owner)
{
	memset(peer, 0, sizeof *peer);
	peer->length = (socklen_t)sizeof peer->v6;
	return request(uring,
		       (struct io_uring_sqe){
			       .opcode = IORING_OP_ACCEPT,
			       .fd = listener,
			       .addr = (uintptr_t)&peer->any,
			       .addr2 = (uintptr_t)&peer->length,
			       .accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK,
		       },
		       URING_ACCEPT, owner);
}

bool uring_receive(struct uring *uring, int socket, void *owner)
{
	return request(uring,
		       (struct io_uring_sqe){
			       .opcode = IORING_OP_RECV,
			       .fd = socket,
			       .flags = IOSQE_BUFFER_SELECT,
			       .buf_group = GROUP,
		       },
		       URING_RECEIVE, owner);
}

/* The kernel wants the two halves of the events swapped on a big-endian machine. */
static uint32_t poll_events(short events)
{
	uint32_t bits = (uint16_t)events;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	bits = bits << 16 | bits >> 16;
#endif
	return bits;
}

bool uring_poll(struct uring *uring, int fd, short events, void *owner)
{
	return request(uring,
		       (struct io_uring_sqe){
			       .opcode = IORING_OP_POLL_ADD,
			       .fd = fd,
			       .poll32_events = poll_events(events),
		       },
		       URING_POLL, owner);
}

bool uring_cancel(struct uring *uring, enum uring_operation operation, void *owner)
{
	return request(uring,
		       (struct io_uring_sqe){
			       .opcode = IORING_OP_ASYNC_CANCEL,
			       .fd = -1,
			       .flags = IOSQE_CQE_SKIP_SUCCESS,
			       .addr = (uintptr_t)owner | (unsigned)operation,
		       },
		       URING_CANCEL, NULL);
}

/* ---- completions ----------------------------------------------------------------------- */

static uint32_t ready(const struct uring *uring)
{
	return atomic_load_explicit(uring->completions_tail, memory_order_acquire) -
	       atomic_load_explicit(uring->completions_head, memory_order_relaxed);
}

int uring_wait(struct uring *uring, const sigset_t *mask, int64_t timeout)
{
	struct timespec time = clock_timespec(timeout);
	const struct __kernel_timespec kernel_time = { time.tv_sec, time.tv_nsec };
	const struct io_uring_getevents_arg argument = {
		.sigmask = (uintptr_t)mask,
		.sigmask_sz = KERNEL_SIGNALS,
		.ts = timeout == CLOCK_NEVER ? 0 : (uintptr_t)&kernel_time,
	};
	int result = enter(uring, waiting(uring), 1,
			   IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument,
			   sizeof argument);
	uint32_t count = ready(uring);

	if (count == 0 && result < 0)
		return errno == ETIME ? 0 : -1;
	return (int)count;
}

bool uring_next(struct uring *uring, struct uring_completion *completion)
{
	uint32_t head =
		atomic_load_explicit(uring->completions_head, memory_order_relaxed);
	const struct io_uring_cqe *result =
		&uring->results[head & uring->completions_mask];

	if (ready(uring) == 0)
		return false;
	*completion = (struct uring_completion){
		.owner = (void *)(uintptr_t)(result->user_data &
					     ~(uint64_t)OPERATION_BITS),
		.operation = (enum uring_operation)(result->user_data & OPERATION_BITS),
		.result = result->res,
	};
	if (result->flags & IORING_CQE_F_BUFFER) {
		completion->buffer = result->flags >> IORING_CQE_BUFFER_SHIFT;
		completion->bytes =
			uring->memory + completion->buffer * uring->buffer_bytes;
	}
	atomic_store_explicit(uring->completions_head, head + 1, memory_order_release);
	return true;
}

void uring_give_back(struct uring *uring, const struct uring_completion *completion)
{
	if (completion->bytes != NULL)
		add_buffer(uring, completion->buffer);
}

#else /* no headers of Linux, or old ones; or CPPFLAGS=-DURING_LEFT_OUT */

bool uring_is_built_in(void)
{
	return false;
}

struct uring *uring_open(const struct uring_sizes *sizes, struct failure *failure)
{
	(void)sizes;
	errno = ENOSYS;
	failure_set(failure, "io_uring is not available in this build");
	return NULL;
}

/* Nothing below is called: there is no ring. */

void uring_close(struct uring *uring)
{
	(void)uring;
}

bool uring_accept(struct uring *uring, int listener, struct address *peer, void *owner)
{
	(void)uring, (void)listener, (void)peer, (void)owner;
	return false;
}

bool uring_receive(struct uring *uring, int socket, void *owner)
{
	(void)uring, (void)socket, (void)owner;
	return false;
}

bool uring_poll(struct uring *uring, int fd, short events, void *owner)
{
	(void)uring, (void)fd, (void)events, (void)owner;
	return false;
}

bool uring_cancel(struct uring *uring, enum uring_operation operation, void *owner)
{
	(void)uring, (void)operation, (void)owner;
	return false;
}

int uring_wait(struct uring *uring, const sigset_t *mask, int64_t timeout)
{
	(void)uring, (void)mask, (void)timeout;
	errno = ENOSYS;
	return -1;
}

bool uring_next(struct uring *uring, struct uring_completion *completion)
{
	(void)uring, (void)completion;
	return false;
}

void uring_give_back(struct uring *uring, const struct uring_completion *completion)
{
	(void)uring, (void)completion;
}

#endif
