// A stub of NVIDIA's driver library for tests: the same functions over host memory. It checks what a driver checks (a current context, valid handles) and
// has one kernel, y = a x + b, which reads the given arguments: a wrong layout gives wrong numbers.
// Streams are lazy: copies, fills, launches and frees in stream order run at the next wait, as late as a device may run them. Destroyed handles stay known,
// and so do the extents of memory: using destroyed ones gives INVALID_HANDLE, or ILLEGAL_ADDRESS when waiting.
// Devices: 0 has memory pools, 1 has none, 2 is prohibited.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default"))) int
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, INVALID_IMAGE = 200, INVALID_PTX = 218, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700, CAPTURES = 900, UPDATE_FAILURE = 910 };
enum { MEMORY = 64 << 20, MOST_NODES = 64 };
enum { STREAM = 71, EVENT, MODULE, GRAPH, EXECUTABLE, LINKER }; // first word of what a handle points to; 0 when destroyed

typedef struct { int kind; char* image; } module;
typedef struct { module* of; uint32_t grid[3], block, shared; char arguments[160]; } node;
typedef struct { int kind, count; node nodes[MOST_NODES]; } graph;
typedef struct op { struct op* next; enum { WRITE, READ, FILL, LAUNCH, FREE } what; char *to, *from, *owned; size_t bytes; int value; node launch; } op;
typedef struct stream { int kind, error; graph* capture; op *first, *last; int64_t queued, done; struct stream* next; } stream;
typedef struct { int kind; stream* on; int64_t at; } event;
typedef struct { uint64_t address; int64_t length; } view;
typedef struct { int kind; char* log; size_t bytes; char* cubin; } linker;
typedef struct block { struct block* next; char* at; size_t bytes; int host; } block;

static __thread void* current;
static char contexts[3];
static size_t used;
static block* blocks;
static stream* streams;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

#define NEED_CONTEXT if (current == 0) return INVALID_CONTEXT
#define NEED(handle, what) if ((handle) == 0 || (handle)->kind != what) return INVALID_HANDLE
#define LOCKED(expression) pthread_mutex_lock(&gate); int answer = expression; pthread_mutex_unlock(&gate); return answer

// The block that contains the memory completely.
static block** find(const void* at, size_t bytes, int host) {
    for (block** b = &blocks; *b; b = &(*b)->next)
        if ((*b)->host == host && (char*)at >= (*b)->at && (char*)at + bytes <= (*b)->at + (*b)->bytes) return b;
    return 0;
}
static int take(void** address, size_t bytes, int host) {
    if (!host && used + bytes > MEMORY) return OUT_OF_MEMORY;
    block* b = malloc(sizeof(block));
    *b = (block){ blocks, aligned_alloc(256, (bytes + 255) / 256 * 256), bytes, host };
    blocks = b;
    if (!host) used += bytes;
    memset(*address = b->at, 0xAA, bytes); // memory is not zero by default
    return OK;
}
static int give(void* address, int host) {
    block** at = find(address, 0, host);
    if (at == 0 || (*at)->at != address) return INVALID_HANDLE;
    block* b = *at;
    *at = b->next;
    if (!host) used -= b->bytes;
    free(b->at);
    free(b);
    return OK;
}

static int affine(const node* n) {
    view x, y, none; int width, x_pitch, y_pitch; int64_t count; float a, b;
    const char* at = n->arguments;
#define TAKE(value) memcpy(&value, at, sizeof value); at += 16
    TAKE(x); TAKE(y); TAKE(width); TAKE(x_pitch); TAKE(y_pitch); TAKE(count); TAKE(a); TAKE(b); TAKE(none);
    if (n->of->kind != MODULE || none.address || none.length || n->grid[1] != 1 || n->grid[2] != 1) return ILLEGAL_ADDRESS;
    if (!find((void*)x.address, 4 * x.length, 0) || !find((void*)y.address, 4 * y.length, 0)) return ILLEGAL_ADDRESS;
    for (int64_t i = 0; i < (int64_t)n->grid[0] * n->block && i < count; i++) {
        int64_t from = i / width * x_pitch + i % width, to = i / width * y_pitch + i % width;
        if (from < x.length && to < y.length) ((float*)y.address)[to] = a * ((float*)x.address)[from] + b;
    }
    return OK;
}
static int perform(op* o) {
    switch (o->what) {
        case LAUNCH: return affine(&o->launch);
        case FREE: return give(o->to, 0);
        case READ: if (!find(o->from, o->bytes, 0)) return ILLEGAL_ADDRESS; memcpy(o->to, o->from, o->bytes); return OK;
        case WRITE: if (!find(o->to, o->bytes, 0) || (!o->owned && !find(o->from, o->bytes, 1))) return ILLEGAL_ADDRESS; memcpy(o->to, o->from, o->bytes); return OK;
        default: if (!find(o->to, o->bytes, 0)) return ILLEGAL_ADDRESS; memset(o->to, o->value, o->bytes); return OK;
    }
}
// Runs the queue up to a position.
static int reach(stream* s, int64_t place) {
    while (s->first && s->done < place) {
        op* o = s->first;
        int error = perform(o);
        if (error && !s->error) s->error = error;
        s->first = o->next;
        if (!s->first) s->last = 0;
        s->done++;
        free(o->owned);
        free(o);
    }
    return s->error;
}
static int queue(stream* s, op o) {
    op* last = malloc(sizeof(op));
    *last = o;
    last->next = 0;
    if (s->last) s->last->next = last; else s->first = last;
    s->last = last;
    s->queued++;
    return OK;
}
// Whether a stream still needs host memory or a module.
static int pending(const char* memory, size_t bytes, const module* m) {
    for (stream* s = streams; s; s = s->next)
        for (op* o = s->first; o; o = o->next) {
            const char* host = o->what == WRITE ? o->from : o->what == READ ? o->to : 0;
            if ((m && o->what == LAUNCH && o->launch.of == m) || (bytes && host >= memory && host < memory + bytes)) return 1;
        }
    return 0;
}

API cuInit(unsigned flags) { return flags == 0 ? OK : INVALID_VALUE; }
API cuDriverGetVersion(int* version) { *version = 12040; return OK; }
API cuDeviceGetCount(int* count) { *count = 3; return OK; }
API cuDeviceGet(int* device, int ordinal) { *device = ordinal + 40; return ordinal < 3 ? OK : 101; }
API cuDeviceGetName(char* name, int bytes, int device) { snprintf(name, bytes, "Stub %d", device - 40); return OK; }
API cuDeviceTotalMem_v2(size_t* bytes, int device) { *bytes = MEMORY; return device >= 40 ? OK : 101; }
API cuDeviceGetAttribute(int* value, int attribute, int device) {
    int ordinal = device - 40;
    switch (attribute) {
        case 75: *value = ordinal == 1 ? 7 : 9; return OK;
        case 76: *value = ordinal == 1 ? 5 : 0; return OK;
        case 20: *value = ordinal == 2 ? 2 : 0; return OK;
        case 16: *value = 132; return OK;
        case 1: *value = 1024; return OK;
        case 97: *value = 232448; return OK;
        case 115: *value = ordinal == 0; return OK;
        default: return INVALID_VALUE;
    }
}
API cuDevicePrimaryCtxRetain(void** context, int device) { *context = &contexts[device - 40]; return OK; }
API cuDevicePrimaryCtxRelease_v2(int device) { return device >= 40 ? OK : 101; }
API cuCtxSetCurrent(void* context) { current = context; return OK; }

static int add(stream** s) { *s = calloc(1, sizeof(stream)); (*s)->kind = STREAM; (*s)->next = streams; streams = *s; return OK; }
static int drop(stream* s) {
    int error = reach(s, s->queued);
    for (stream** at = &streams; *at; at = &(*at)->next) if (*at == s) { *at = s->next; break; }
    s->kind = 0;
    return error;
}
API cuStreamCreate(stream** s, unsigned flags) { NEED_CONTEXT; if (flags != 1) return INVALID_VALUE; LOCKED(add(s)); }
API cuStreamDestroy_v2(stream* s) { NEED_CONTEXT; NEED(s, STREAM); LOCKED(drop(s)); }
API cuStreamSynchronize(stream* s) { NEED_CONTEXT; NEED(s, STREAM); if (s->capture) return CAPTURES; LOCKED(reach(s, s->queued)); }
API cuEventCreate(event** e, unsigned flags) { NEED_CONTEXT; *e = calloc(1, sizeof(event)); (*e)->kind = EVENT; return flags == 0 || flags == 2 ? OK : INVALID_VALUE; }
API cuEventDestroy_v2(event* e) { NEED_CONTEXT; NEED(e, EVENT); e->kind = 0; return OK; }
API cuEventRecord(event* e, stream* s) { NEED_CONTEXT; NEED(e, EVENT); NEED(s, STREAM); e->on = s; e->at = s->queued; return OK; }
API cuEventSynchronize(event* e) { NEED_CONTEXT; NEED(e, EVENT); NEED(e->on, STREAM); LOCKED(reach(e->on, e->at)); }
API cuEventElapsedTime(float* milliseconds, event* start, event* end) {
    NEED_CONTEXT; NEED(start, EVENT); NEED(end, EVENT); NEED(start->on, STREAM);
    *milliseconds = 1.5f;
    return end->on == start->on && end->at <= end->on->done ? OK : NOT_READY;
}

static int reach_all(void) { int error = OK; for (stream* s = streams; s; s = s->next) { int e = reach(s, s->queued); if (e) error = e; } return error; }
static int free_now(void* address) { int error = reach_all(), other = give(address, 0); return other ? other : error; }
static int free_host(char* memory) {
    block** b = find(memory, 0, 1);
    int error = b && pending(memory, (*b)->bytes, 0) ? INVALID_VALUE : OK; // a copy from it was not waited for
    if (error) reach_all();
    int other = give(memory, 1);
    return other ? other : error;
}
static int write(char* target, char* source, size_t bytes, stream* s) {
    op o = { .what = WRITE, .to = target, .from = source, .bytes = bytes };
    if (!find(source, bytes, 1)) o.from = memcpy(o.owned = malloc(bytes), source, bytes); // unlike pinned memory, it can be reused at once
    return queue(s, o);
}
API cuMemAlloc_v2(void** address, size_t bytes) { NEED_CONTEXT; LOCKED(take(address, bytes, 0)); }
API cuMemFree_v2(void* address) { NEED_CONTEXT; LOCKED(free_now(address)); }
API cuMemAllocAsync(void** address, size_t bytes, stream* s) { NEED_CONTEXT; NEED(s, STREAM); LOCKED(take(address, bytes, 0)); }
API cuMemFreeAsync(void* address, stream* s) { NEED_CONTEXT; NEED(s, STREAM); LOCKED(find(address, 1, 0) ? queue(s, (op){ .what = FREE, .to = address }) : INVALID_HANDLE); }
API cuDeviceGetDefaultMemPool(void** pool, int device) { *pool = (void*)(intptr_t)(1000 + device); return OK; }
API cuMemPoolSetAttribute(void* pool, int attribute, void* value) { return pool && attribute == 4 && *(uint64_t*)value == UINT64_MAX ? OK : INVALID_VALUE; }
API cuMemPoolTrimTo(void* pool, size_t bytes) { return pool && bytes == 0 ? OK : INVALID_VALUE; }
API cuMemGetInfo_v2(size_t* unused, size_t* total) { NEED_CONTEXT; *unused = MEMORY - used; *total = MEMORY; return OK; }
API cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) { NEED_CONTEXT; if (flags) return INVALID_VALUE; LOCKED(take(memory, bytes, 1)); }
API cuMemFreeHost(void* memory) { NEED_CONTEXT; LOCKED(free_host(memory)); }
API cuMemcpyHtoDAsync_v2(void* target, void* source, size_t bytes, stream* s) { NEED_CONTEXT; NEED(s, STREAM); LOCKED(write(target, source, bytes, s)); }
API cuMemcpyDtoHAsync_v2(void* target, void* source, size_t bytes, stream* s) { NEED_CONTEXT; NEED(s, STREAM); LOCKED(queue(s, (op){ .what = READ, .to = target, .from = source, .bytes = bytes })); }
API cuMemsetD8Async(void* target, unsigned char value, size_t bytes, stream* s) { NEED_CONTEXT; NEED(s, STREAM); LOCKED(queue(s, (op){ .what = FILL, .to = target, .bytes = bytes, .value = value })); }

API cuLinkCreate_v2(unsigned count, int* names, void** values, linker** state) {
    NEED_CONTEXT;
    *state = calloc(1, sizeof(linker));
    (*state)->kind = LINKER;
    for (unsigned i = 0; i < count; i++) {
        if (names[i] == 5) (*state)->log = values[i];
        if (names[i] == 6) (*state)->bytes = (size_t)values[i];
    }
    return OK;
}
API cuLinkAddData_v2(linker* state, int type, void* data, size_t bytes, const char* name, unsigned count, void* options, void* values) {
    NEED(state, LINKER);
    if (type != 1 || ((char*)data)[bytes - 1] != 0 || strcmp(name, "kernel.ptx") || count) return INVALID_VALUE;
    if (strstr(data, "mistake")) { snprintf(state->log, state->bytes, "kernel.ptx, line 1: this is a mistake"); return INVALID_PTX; }
    state->cubin = malloc(bytes + 6);
    sprintf(state->cubin, "cubin:%s", (char*)data);
    return OK;
}
API cuLinkComplete(linker* state, void** cubin, size_t* bytes) { NEED(state, LINKER); *cubin = state->cubin; *bytes = strlen(state->cubin) + 1; return OK; }
API cuLinkDestroy(linker* state) { NEED(state, LINKER); free(state->cubin); state->kind = 0; return OK; }
API cuModuleLoadDataEx(module** m, const char* image, unsigned count, int* names, void** values) {
    NEED_CONTEXT;
    if (strncmp(image, "cubin:", 6)) return INVALID_IMAGE;
    *m = calloc(1, sizeof(module));
    (*m)->kind = MODULE;
    (*m)->image = strdup(image);
    return OK;
}
static int unload(module* m) { int error = pending(0, 0, m) ? INVALID_VALUE : OK; m->kind = 0; free(m->image); return error; }
API cuModuleUnload(module* m) { NEED_CONTEXT; NEED(m, MODULE); LOCKED(unload(m)); }
API cuModuleGetFunction(module** function, module* m, const char* name) { NEED(m, MODULE); *function = m; return strcmp(name, "affine") && !(strstr(m->image, ".entry") && strstr(m->image, name)) ? NOT_FOUND : OK; }
API cuFuncSetAttribute(module* function, int attribute, int value) { NEED(function, MODULE); return attribute == 8 && value > 49152 && value <= 232448 ? OK : INVALID_VALUE; }
API cuLaunchKernel(module* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, stream* s, void** parameters, void** extra) {
    NEED_CONTEXT; NEED(function, MODULE); NEED(s, STREAM);
    static const int sizes[] = { 16, 16, 4, 4, 4, 8, 4, 4, 16 };
    if (by != 1 || bz != 1 || extra) return INVALID_VALUE;
    node n = { function, { gx, gy, gz }, bx, shared, { 0 } };
    for (int i = 0; i < 9; i++) memcpy(n.arguments + 16 * i, parameters[i], sizes[i]);
    if (!s->capture) { LOCKED(queue(s, (op){ .what = LAUNCH, .launch = n })); }
    if (s->capture->count == MOST_NODES) return OUT_OF_MEMORY;
    s->capture->nodes[s->capture->count++] = n;
    return OK;
}
API cuStreamBeginCapture_v2(stream* s, int mode) { NEED_CONTEXT; NEED(s, STREAM); s->capture = calloc(1, sizeof(graph)); s->capture->kind = GRAPH; return mode == 1 ? OK : INVALID_VALUE; }
API cuStreamEndCapture(stream* s, graph** g) { NEED_CONTEXT; NEED(s, STREAM); *g = s->capture; s->capture = 0; return *g ? OK : 901; }
API cuGraphInstantiateWithFlags(graph** executable, graph* g, unsigned long long flags) {
    NEED_CONTEXT; NEED(g, GRAPH);
    *executable = malloc(sizeof(graph));
    **executable = *g;
    (*executable)->kind = EXECUTABLE;
    return flags == 0 ? OK : INVALID_VALUE;
}
API cuGraphExecUpdate_v2(graph* executable, graph* g, void* information) {
    NEED(executable, EXECUTABLE); NEED(g, GRAPH);
    if (executable->count != g->count) return UPDATE_FAILURE;
    memcpy(executable->nodes, g->nodes, sizeof g->nodes);
    memset(information, 0, 24);
    return OK;
}
static int replay(graph* executable, stream* s) { for (int i = 0; i < executable->count; i++) queue(s, (op){ .what = LAUNCH, .launch = executable->nodes[i] }); return OK; }
API cuGraphLaunch(graph* executable, stream* s) { NEED_CONTEXT; NEED(executable, EXECUTABLE); NEED(s, STREAM); LOCKED(replay(executable, s)); }
API cuGraphExecDestroy(graph* executable) { NEED_CONTEXT; NEED(executable, EXECUTABLE); executable->kind = 0; return OK; }
API cuGraphDestroy(graph* g) { NEED_CONTEXT; NEED(g, GRAPH); g->kind = 0; return OK; }
API cuGetErrorName(int error, const char** name) {
    *name = error == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : error == INVALID_PTX ? "CUDA_ERROR_INVALID_PTX" : 0;
    return *name ? OK : INVALID_VALUE;
}
