// trace.c: writes every kernel execution of a CUDA process, those within graphs too, to a CSV file that trace.py reads. It
// needs CUPTI (CUDA toolkit, or the nvidia-cuda-cupti wheel; 13.0 was used) and changes nothing in the program:
//
//   gcc -std=gnu11 -O2 -fPIC -shared -fvisibility=hidden trace.c -o trace.so (on one line)
//       -I$CUDA/include -I$CUDA/extras/CUPTI/include -L$CUDA/extras/CUPTI/lib64 -l:libcupti.so.13 -lpthread
//   CUDA_INJECTION64_PATH=$PWD/trace.so LD_LIBRARY_PATH=... TRACE_OUT=trace weft bench latency ... && trace.py trace.PID
//
//   TRACE_OUT       the file, to which .PID is appended; nothing is traced where it is unset
//   TRACE_BUF_MB    size of an activity buffer (8). CUPTI hands a buffer over when it is full, or at a flush when none of
//                   its kernels still runs: 1 suits weft, which never idles
//   TRACE_FLUSH_MS  time between flushes (1000)
//   TRACE_VERBOSE   1: say on stderr what happened
//
// Lines: start_ns,end_ns,grid,block,dynamic_smem,name in the order of CUPTI's records, which is not that of time. Lines that
// begin with # say what else happened.
//
// Nothing may rely on exit handlers: a Go program leaves by exit_group. So records are written when CUPTI hands a buffer
// over, by write(2): every flush by the thread below, and when the program begins to tear down (it destroys a graph or a
// context, or unloads a module), which is its last sign of life.
#define _GNU_SOURCE
#include <cuda.h>
#include <cupti_result.h>
#include <cupti_version.h>
#include <cupti_callbacks.h>
#include <cupti_activity.h>
#include <cupti_driver_cbid.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

// CUPTI 13.0 to 13.5 only append fields to this record: those used here lie where CUpti_ActivityKernel10 has them.
typedef CUpti_ActivityKernel10 kernel_record;

#define POOL 16  // buffers kept, zeroed and touched
#define OUT_SIZE (1 << 20)

static int out_fd = -1, verbose;
static size_t buffer_size = 8 << 20;
static long flush_ms = 1000;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER, pool_lock = PTHREAD_MUTEX_INITIALIZER;
static char out[OUT_SIZE];
static size_t out_used;
static uint8_t *pool[POOL];
static int pooled;
static uint64_t records, incomplete, others;
static atomic_ullong dropped;
static atomic_llong flushed_ns;  // when the last flush began

static int64_t now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void write_all(const char *p, size_t n) {
	while (n > 0) {
		ssize_t w = write(out_fd, p, n);
		if (w < 0 && errno == EINTR) continue;
		if (w <= 0) return;
		p += w, n -= w;
	}
}

static void drain(void) {
	write_all(out, out_used);
	out_used = 0;
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
	char line[512];
	va_list a;
	va_start(a, format);
	int n = vsnprintf(line, sizeof line - 1, format, a);
	va_end(a);
	if (n < 0) return;
	if (n > (int)sizeof line - 2) n = sizeof line - 2;
	line[n] = '\n';
	if (verbose || out_fd < 0) {
		dprintf(2, "trace.so: %.*s", n + 1, line);
	}
	if (out_fd >= 0) {
		pthread_mutex_lock(&write_lock);
		drain();
		write_all("# ", 2);
		write_all(line, n + 1);
		pthread_mutex_unlock(&write_lock);
	}
}

static int failed(CUptiResult r, const char *what) {
	if (r == CUPTI_SUCCESS) return 0;
	const char *text = NULL;
	if (cuptiGetResultString(r, &text) != CUPTI_SUCCESS || !text) text = "unknown";
	if (!verbose) dprintf(2, "trace.so: %s failed: %s (%d)\n", what, text, (int)r);
	note("%s failed: %s (%d)", what, text, (int)r);
	return 1;
}

// ---- the file

static char *put_uint(char *p, uint64_t v) {
	char d[20];
	int n = 0;
	do d[n++] = '0' + v % 10;
	while (v /= 10);
	while (n) *p++ = d[--n];
	return p;
}

static char *put_int(char *p, int64_t v) {
	if (v < 0) {
		*p++ = '-';
		v = -v;
	}
	return put_uint(p, v);
}

static char *put_dim(char *p, int32_t x, int32_t y, int32_t z) {
	p = put_int(p, x), *p++ = 'x', p = put_int(p, y), *p++ = 'x', p = put_int(p, z);
	*p++ = ',';
	return p;
}

static void put_record(const kernel_record *k) {
	const char *name = k->name ? k->name : "?";
	size_t length = strnlen(name, 4000);
	if (out_used + length + 256 > OUT_SIZE) drain();
	char *p = out + out_used;
	p = put_uint(p, k->start), *p++ = ',';
	p = put_uint(p, k->end), *p++ = ',';
	p = put_dim(p, k->gridX, k->gridY, k->gridZ);
	p = put_dim(p, k->blockX, k->blockY, k->blockZ);
	p = put_int(p, k->dynamicSharedMemory), *p++ = ',';
	memcpy(p, name, length), p += length;
	*p++ = '\n';
	out_used = p - out;
}

// ---- CUPTI's buffers

static void CUPTIAPI requested(uint8_t **buffer, size_t *size, size_t *max_records) {
	uint8_t *b = NULL;
	pthread_mutex_lock(&pool_lock);
	if (pooled > 0) b = pool[--pooled];
	pthread_mutex_unlock(&pool_lock);
	if (!b) {
		b = mmap(NULL, buffer_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (b == MAP_FAILED) b = NULL;
	}
	*buffer = b;
	*size = b ? buffer_size : 0;
	*max_records = 0;
}

static void recycle(uint8_t *b, size_t used) {
	memset(b, 0, used);  // CUPTI was told that it need not
	pthread_mutex_lock(&pool_lock);
	int kept = pooled < POOL;
	if (kept) pool[pooled++] = b;
	pthread_mutex_unlock(&pool_lock);
	if (!kept) munmap(b, buffer_size);
}

static void CUPTIAPI completed(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid) {
	if (!buffer) return;
	CUpti_Activity *r = NULL;
	pthread_mutex_lock(&write_lock);
	while (valid > 0 && cuptiActivityGetNextRecord(buffer, valid, &r) == CUPTI_SUCCESS) {
		if (r->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL && r->kind != CUPTI_ACTIVITY_KIND_KERNEL) {
			others++;
			continue;
		}
		const kernel_record *k = (const kernel_record *)r;
		if (k->start == 0 || k->end == 0) {  // a forced flush, or CUPTI had no room for the times
			incomplete++;
			continue;
		}
		put_record(k);
		records++;
	}
	drain();
	pthread_mutex_unlock(&write_lock);
	size_t lost = 0;
	if (cuptiActivityGetNumDroppedRecords(context, stream, &lost) == CUPTI_SUCCESS && lost > 0)
		note("dropped %zu records, %llu in all", lost, (unsigned long long)(atomic_fetch_add(&dropped, lost) + lost));
	recycle(buffer, size < buffer_size ? size : buffer_size);
}

static void flush(uint32_t flag) {
	atomic_store(&flushed_ns, now_ns());
	CUptiResult r = cuptiActivityFlushAll(flag);
	static atomic_int said;
	if (r != CUPTI_SUCCESS && !atomic_exchange(&said, 1)) failed(r, "cuptiActivityFlushAll");
}

static void summary(const char *when) {
	pthread_mutex_lock(&write_lock);
	uint64_t a = records, b = incomplete, c = others;
	pthread_mutex_unlock(&write_lock);
	note("%s: %llu kernels, %llu without times, %llu other records, %llu dropped", when, (unsigned long long)a,
	     (unsigned long long)b, (unsigned long long)c, (unsigned long long)atomic_load(&dropped));
}

static void *flusher(void *unused) {
	pthread_setname_np(pthread_self(), "trace-flush");
	for (;;) {
		struct timespec t = {flush_ms / 1000, flush_ms % 1000 * 1000000};
		while (nanosleep(&t, &t) && errno == EINTR) {}
		flush(0);
	}
	return unused;
}

// tearing_down is called on entry to what a program does before it ends. The default flush hands over only what is
// complete; before a context goes, all that is left is asked for.
static void CUPTIAPI tearing_down(void *user, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void *data) {
	if (domain == CUPTI_CB_DOMAIN_DRIVER_API) {
		if (((const CUpti_CallbackData *)data)->callbackSite != CUPTI_API_ENTER) return;
		if (id == CUPTI_DRIVER_TRACE_CBID_cuGraphExecDestroy || id == CUPTI_DRIVER_TRACE_CBID_cuModuleUnload ||
		    id == CUPTI_DRIVER_TRACE_CBID_cuLibraryUnload) {
			if (now_ns() - atomic_load(&flushed_ns) < 20000000) return;  // there are many of these in a row
			flush(0);
			return;
		}
	} else if (domain != CUPTI_CB_DOMAIN_RESOURCE || id != CUPTI_CBID_RESOURCE_CONTEXT_DESTROY_STARTING) {
		return;
	}
	flush(0);
	flush(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
	summary("a context goes");
}

static void at_exit(void) {
	flush(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
	summary("exit");
}

static void set(CUpti_ActivityAttribute attribute, size_t size, void *value, const char *what) {
	failed(cuptiActivitySetAttribute(attribute, &size, value), what);
}

static long from_env(const char *name, long otherwise) {
	const char *v = getenv(name);
	return v && atol(v) > 0 ? atol(v) : otherwise;
}

static void start_flusher(void) {
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);  // signals are the program's threads'
	pthread_t thread;
	int err = pthread_create(&thread, NULL, flusher, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		note("no thread to flush: %s", strerror(err));
	else
		pthread_detach(thread);
}

// InitializeInjection returns 1 whatever happens: a program that cannot be traced runs on untraced.
__attribute__((visibility("default"))) int InitializeInjection(void) {
	static atomic_int once;
	if (atomic_exchange(&once, 1)) return 1;
	verbose = from_env("TRACE_VERBOSE", 0) != 0;
	buffer_size = (size_t)from_env("TRACE_BUF_MB", 8) << 20;
	flush_ms = from_env("TRACE_FLUSH_MS", 1000);
	const char *path = getenv("TRACE_OUT");
	if (!path || !*path) {
		dprintf(2, "trace.so: TRACE_OUT is not set: nothing is traced\n");
		return 1;
	}
	char name[4096];
	if (snprintf(name, sizeof name, "%s.%d", path, (int)getpid()) >= (int)sizeof name) return 1;
	out_fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (out_fd < 0) {
		dprintf(2, "trace.so: cannot write %s: %s\n", name, strerror(errno));
		return 1;
	}
	uint32_t version = 0;
	cuptiGetVersion(&version);
	note("start_ns,end_ns,grid,block,dynamic_smem,name; CUPTI %u, headers %d", version, CUPTI_API_VERSION);

	for (int i = 0; i < 4; i++) {
		uint8_t *b = NULL;
		size_t size, max;
		requested(&b, &size, &max);
		if (b) recycle(b, buffer_size);
	}
	uint8_t yes = 1;
	set(CUPTI_ACTIVITY_ATTR_ZEROED_OUT_ACTIVITY_BUFFER, sizeof yes, &yes, "setting ZEROED_OUT_ACTIVITY_BUFFER");
	CUpti_SubscriberHandle subscriber;
	if (!failed(cuptiSubscribe(&subscriber, tearing_down, NULL), "cuptiSubscribe")) {
		static const CUpti_CallbackId calls[] = {
			CUPTI_DRIVER_TRACE_CBID_cuGraphExecDestroy,           CUPTI_DRIVER_TRACE_CBID_cuModuleUnload,
			CUPTI_DRIVER_TRACE_CBID_cuLibraryUnload,              CUPTI_DRIVER_TRACE_CBID_cuDevicePrimaryCtxRelease,
			CUPTI_DRIVER_TRACE_CBID_cuDevicePrimaryCtxRelease_v2, CUPTI_DRIVER_TRACE_CBID_cuDevicePrimaryCtxReset,
			CUPTI_DRIVER_TRACE_CBID_cuDevicePrimaryCtxReset_v2,   CUPTI_DRIVER_TRACE_CBID_cuCtxDestroy,
			CUPTI_DRIVER_TRACE_CBID_cuCtxDestroy_v2,
		};
		for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
			failed(cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API, calls[i]), "cuptiEnableCallback");
		failed(cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_RESOURCE, CUPTI_CBID_RESOURCE_CONTEXT_DESTROY_STARTING),
		       "cuptiEnableCallback");
	}
	if (failed(cuptiActivityRegisterCallbacks(requested, completed), "cuptiActivityRegisterCallbacks") ||
	    failed(cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL), "cuptiActivityEnable"))
		return 1;
	atexit(at_exit);
	start_flusher();
	note("tracing: buffers of %zu MB, a flush every %ld ms", buffer_size >> 20, flush_ms);
	return 1;
}
