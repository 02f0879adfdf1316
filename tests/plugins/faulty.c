/* A plug-in with a fault, chosen by a definition: -DCRASHES_IN_TILE, ... Without one it copies. */
#include <slab_kernel.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef KERNEL_NAME
#define KERNEL_NAME "faulty"
#endif
#ifndef PARAMETER
#define PARAMETER "row"
#endif
#ifndef DEFAULT
#define DEFAULT "0"
#endif
#ifndef MORE
#define MORE
#endif

static int holds_element(const slab_tile* tile) {
    for (int32_t axis = 0; axis < tile->output->dimensions; ++axis) {
        const int64_t wanted = axis == 0 ? tile->parameters[0].integer : 0;
        if (wanted < tile->output->begin[axis] || wanted >= tile->output->end[axis]) {
            return 0;
        }
    }
    return 1;
}

static void copy(const slab_tile* tile) {
    const slab_view* in = &tile->inputs[0];
    const slab_view* out = tile->output;
    for (int64_t y = out->begin[0]; y < out->end[0]; ++y) {
        for (int64_t x = out->begin[1]; x < out->end[1]; ++x) {
            memcpy(slab_at_2d(out, y, x), slab_at_2d(in, y, x), 8);
        }
    }
    if (holds_element(tile)) {
#if defined CRASHES_IN_TILE
        raise(SIGSEGV);
#elif defined HANGS_IN_TILE
        for (;;) {
            pause();
        }
#elif defined EXITS_IN_TILE
        exit(0);
#endif
    }
}

#if defined ABORTS_IN_CONSTRUCTOR
__attribute__((constructor)) static void construct(void) {
    abort();
}
#elif defined EXITS_IN_CONSTRUCTOR
__attribute__((constructor)) static void construct(void) {
    exit(0);
}
#elif defined HANGS_IN_CONSTRUCTOR
__attribute__((constructor)) static void construct(void) {
    for (;;) {
        pause();
    }
}
#elif defined ABORTS_IN_WORKERS
/* The daemon looks at a plug-in before it has forked a worker: a worker's name tells that it is one. */
__attribute__((constructor)) static void construct(void) {
    char title[64] = {0};
    FILE* const file = fopen("/proc/self/cmdline", "r");
    if (file != NULL && fread(title, 1, sizeof(title) - 1, file) > 0 && strstr(title, "worker") != NULL) {
        abort();
    }
}
#endif

#define THE_KERNEL                                                                                           \
    {                                                                                                        \
        .name = KERNEL_NAME, .summary = "a copy",                                                            \
        .inputs = {{.name = "image", .dtypes = "float64", .least_dimensions = 2, .most_dimensions = 2}},     \
        .parameters =                                                                                        \
            {{.name = PARAMETER, .help = "to go wrong at", .range = ">= 0", .default_value = DEFAULT}},      \
        .output = {.dtype = "float64", .shape = "image", .fill = copy}, MORE                                 \
    }
static const slab_kernel kernels[] = {
    THE_KERNEL,
#if defined TWICE
    THE_KERNEL,
#endif
};

#if defined OTHER_ABI
SLAB_EXPORTED const slab_plugin slab_plugin_table;
const slab_plugin slab_plugin_table = {SLAB_KERNEL_ABI + 41, (uint32_t)sizeof(slab_kernel), kernels, 1};
#elif defined OTHER_SIZE
SLAB_EXPORTED const slab_plugin slab_plugin_table;
const slab_plugin slab_plugin_table = {SLAB_KERNEL_ABI, 4711, kernels, 1};
#elif defined WILD_POINTER
SLAB_EXPORTED const slab_plugin slab_plugin_table;
const slab_plugin slab_plugin_table = {SLAB_KERNEL_ABI, (uint32_t)sizeof(slab_kernel), (const slab_kernel*)16,
                                       1};
#elif defined NO_TABLE
const slab_kernel* use_of_kernels(void) {
    return kernels;
}
#else
SLAB_PLUGIN(kernels)
#endif
