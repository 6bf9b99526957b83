// Stands for NVIDIA's driver library in tests: the same functions over host memory. It checks what a driver checks (a current context, known handles) and
// has one kernel, y = a x + b, which it runs from the arguments that it is handed: wrong layout gives wrong numbers.
// Devices: 0 has memory pools, 1 has none, 2 may not be used.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default"))) int
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, INVALID_IMAGE = 200, INVALID_PTX = 218, NOT_FOUND = 500, UPDATE_FAILURE = 910 };
enum { MEMORY = 64 << 20, MOST_NODES = 64 };

typedef struct { uint32_t grid[3], block, shared; char arguments[160]; } node;
typedef struct { int count; node nodes[MOST_NODES]; } graph;
typedef struct { graph* capture; int unfit; } stream;
typedef struct { uint64_t address; int64_t length; } view;
typedef struct { char* log; size_t bytes; char* cubin; } linker;

static __thread void* current;
static char contexts[3];
static size_t used;

#define NEED_CONTEXT if (current == 0) return INVALID_CONTEXT

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

API cuStreamCreate(stream** s, unsigned flags) { NEED_CONTEXT; *s = calloc(1, sizeof(stream)); return flags == 1 ? OK : INVALID_VALUE; }
API cuStreamDestroy_v2(stream* s) { free(s); return OK; }
API cuStreamSynchronize(stream* s) { NEED_CONTEXT; return s->capture ? 900 : OK; }
API cuEventCreate(void** e, unsigned flags) { NEED_CONTEXT; *e = malloc(8); return flags == 0 || flags == 2 ? OK : INVALID_VALUE; }
API cuEventDestroy_v2(void* e) { free(e); return OK; }
API cuEventRecord(void* e, stream* s) { NEED_CONTEXT; return e && s ? OK : INVALID_VALUE; }
API cuEventSynchronize(void* e) { return e ? OK : INVALID_VALUE; }
API cuEventElapsedTime(float* milliseconds, void* start, void* end) { *milliseconds = 1.5f; return start && end ? OK : INVALID_VALUE; }

static int allocate(void** address, size_t bytes) {
    if (used + bytes > MEMORY) return OUT_OF_MEMORY;
    size_t* block = aligned_alloc(256, 256 + (bytes + 255) / 256 * 256);
    block[0] = bytes;
    used += bytes;
    *address = (char*)block + 256;
    memset(*address, 0xAA, bytes); // memory is not zero by itself
    return OK;
}
static int release(void* address) { size_t* block = (size_t*)((char*)address - 256); used -= block[0]; free(block); return OK; }
API cuMemAlloc_v2(void** address, size_t bytes) { NEED_CONTEXT; return allocate(address, bytes); }
API cuMemFree_v2(void* address) { NEED_CONTEXT; return release(address); }
API cuMemAllocAsync(void** address, size_t bytes, stream* s) { NEED_CONTEXT; return s ? allocate(address, bytes) : INVALID_VALUE; }
API cuMemFreeAsync(void* address, stream* s) { NEED_CONTEXT; return s ? release(address) : INVALID_VALUE; }
API cuDeviceGetDefaultMemPool(void** pool, int device) { *pool = (void*)(intptr_t)(1000 + device); return OK; }
API cuMemPoolSetAttribute(void* pool, int attribute, void* value) { return pool && attribute == 4 && *(uint64_t*)value == UINT64_MAX ? OK : INVALID_VALUE; }
API cuMemPoolTrimTo(void* pool, size_t bytes) { return pool && bytes == 0 ? OK : INVALID_VALUE; }
API cuMemGetInfo_v2(size_t* unused, size_t* total) { NEED_CONTEXT; *unused = MEMORY - used; *total = MEMORY; return OK; }
API cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) { NEED_CONTEXT; *memory = malloc(bytes); return flags == 0 ? OK : INVALID_VALUE; }
API cuMemFreeHost(void* memory) { free(memory); return OK; }
API cuMemcpyHtoDAsync_v2(void* target, const void* source, size_t bytes, stream* s) { NEED_CONTEXT; memcpy(target, source, bytes); return s ? OK : INVALID_VALUE; }
API cuMemcpyDtoHAsync_v2(void* target, const void* source, size_t bytes, stream* s) { NEED_CONTEXT; memcpy(target, source, bytes); return s ? OK : INVALID_VALUE; }
API cuMemsetD8Async(void* target, unsigned char value, size_t bytes, stream* s) { NEED_CONTEXT; memset(target, value, bytes); return s ? OK : INVALID_VALUE; }

API cuLinkCreate_v2(unsigned count, int* names, void** values, linker** state) {
    NEED_CONTEXT;
    *state = calloc(1, sizeof(linker));
    for (unsigned i = 0; i < count; i++) {
        if (names[i] == 5) (*state)->log = values[i];
        if (names[i] == 6) (*state)->bytes = (size_t)values[i];
    }
    return OK;
}
API cuLinkAddData_v2(linker* state, int type, void* data, size_t bytes, const char* name, unsigned count, void* options, void* values) {
    if (type != 1 || ((char*)data)[bytes - 1] != 0 || strcmp(name, "kernel.ptx") || count) return INVALID_VALUE;
    if (strstr(data, "mistake")) { snprintf(state->log, state->bytes, "kernel.ptx, line 1: this is a mistake"); return INVALID_PTX; }
    state->cubin = malloc(bytes + 6);
    sprintf(state->cubin, "cubin:%s", (char*)data);
    return OK;
}
API cuLinkComplete(linker* state, void** cubin, size_t* bytes) { *cubin = state->cubin; *bytes = strlen(state->cubin) + 1; return OK; }
API cuLinkDestroy(linker* state) { free(state->cubin); free(state); return OK; }
API cuModuleLoadDataEx(void** module, const char* image, unsigned count, int* names, void** values) { NEED_CONTEXT; if (strncmp(image, "cubin:", 6)) return INVALID_IMAGE; *module = malloc(8); return OK; }
API cuModuleUnload(void* module) { NEED_CONTEXT; free(module); return OK; }
API cuModuleGetFunction(void** function, void* module, const char* name) { *function = (void*)77; return strcmp(name, "affine") ? NOT_FOUND : OK; }
API cuFuncSetAttribute(void* function, int attribute, int value) { return attribute == 8 && value > 49152 && value <= 232448 ? OK : INVALID_VALUE; }
API cuFuncGetAttribute(int* value, int attribute, void* function) { *value = 0; return OK; }

static void affine(const node* n) {
    view x, y, none; int width, x_pitch, y_pitch; int64_t count; float a, b;
    const char* at = n->arguments;
#define TAKE(value) memcpy(&value, at, sizeof value); at += 16
    TAKE(x); TAKE(y); TAKE(width); TAKE(x_pitch); TAKE(y_pitch); TAKE(count); TAKE(a); TAKE(b); TAKE(none);
    if (none.address || none.length || n->grid[1] != 1 || n->grid[2] != 1) return;
    for (int64_t i = 0; i < (int64_t)n->grid[0] * n->block && i < count; i++) {
        int64_t from = i / width * x_pitch + i % width, to = i / width * y_pitch + i % width;
        if (from < x.length && to < y.length) ((float*)y.address)[to] = a * ((float*)x.address)[from] + b;
    }
}
API cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, stream* s, void** parameters, void** extra) {
    NEED_CONTEXT;
    static const int sizes[] = { 16, 16, 4, 4, 4, 8, 4, 4, 16 };
    if (function != (void*)77 || by != 1 || bz != 1 || extra) return INVALID_VALUE;
    node n = { { gx, gy, gz }, bx, shared, { 0 } };
    for (int i = 0; i < 9; i++) memcpy(n.arguments + 16 * i, parameters[i], sizes[i]);
    if (s->capture) { if (s->capture->count == MOST_NODES) return OUT_OF_MEMORY; s->capture->nodes[s->capture->count++] = n; }
    else affine(&n);
    return OK;
}
API cuStreamBeginCapture_v2(stream* s, int mode) { NEED_CONTEXT; s->capture = calloc(1, sizeof(graph)); return mode == 1 ? OK : INVALID_VALUE; }
API cuStreamEndCapture(stream* s, graph** g) { NEED_CONTEXT; *g = s->capture; s->capture = 0; return *g ? OK : 901; }
API cuGraphInstantiateWithFlags(graph** executable, graph* g, unsigned long long flags) { NEED_CONTEXT; *executable = malloc(sizeof(graph)); **executable = *g; return flags == 0 ? OK : INVALID_VALUE; }
API cuGraphExecUpdate_v2(graph* executable, graph* g, void* information) { if (executable->count != g->count) return UPDATE_FAILURE; *executable = *g; memset(information, 0, 24); return OK; }
API cuGraphLaunch(graph* executable, stream* s) { NEED_CONTEXT; for (int i = 0; i < executable->count; i++) affine(&executable->nodes[i]); return s ? OK : INVALID_VALUE; }
API cuGraphExecDestroy(graph* executable) { free(executable); return OK; }
API cuGraphDestroy(graph* g) { free(g); return OK; }
API cuGetErrorName(int error, const char** name) {
    *name = error == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : error == INVALID_PTX ? "CUDA_ERROR_INVALID_PTX" : 0;
    return *name ? OK : INVALID_VALUE;
}
