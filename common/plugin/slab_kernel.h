/* slab_kernel.h: a kernel of your own for slabd, in C or C++.
 *
 * A plug-in is a shared library with one exported table of kernels:
 *
 *     #include <slab_kernel.h>
 *     #include <math.h>
 *
 *     static void fill(const slab_tile *tile) {
 *         const slab_view *in = &tile->inputs[0], *out = tile->output;
 *         const double exponent = tile->parameters[0].real;
 *         for (int64_t y = out->begin[0]; y < out->end[0]; ++y)
 *             for (int64_t x = out->begin[1]; x < out->end[1]; ++x)
 *                 *(float *)slab_at_2d(out, y, x) = (float)pow(*(const float *)slab_at_2d(in, y, x), exponent);
 *     }
 *
 *     static const slab_kernel kernels[] = {{
 *         .name = "power",
 *         .summary = "every element to a power",
 *         .inputs = {{.name = "image", .dtypes = "float32", .least_dimensions = 2, .most_dimensions = 2}},
 *         .parameters = {{.name = "exponent", .type = SLAB_REAL, .help = "the power", .default_value = "2"}},
 *         .output = {.dtype = "image", .shape = "image", .fill = fill},
 *     }};
 *     SLAB_PLUGIN(kernels)
 *
 * with this CMakeLists.txt:
 *
 *     cmake_minimum_required(VERSION 3.16)
 *     project(power LANGUAGES C)
 *     find_package(slab REQUIRED)
 *     add_library(power MODULE power.c)
 *     target_link_libraries(power PRIVATE slab::kernel m)
 *
 * `slab run --plugin ./libpower.so power in.npy -o out.npy --exponent 3` tries it in a private instance; a daemon loads
 * what `[kernels] plugins` of its configuration lists.
 *
 * What a kernel is stands in data, so that the daemon plans without running code of yours: shapes, halos and tile sizes
 * are short texts ("Sizes" below). The daemon reads the table in a process of its own and refuses, by name, what makes no
 * sense. Only the workers call `fill`, which must keep four promises:
 *
 *   - It writes every element of its tile and nothing else, and reads only what it is shown: a tile may run twice.
 *   - An element depends on its indices in the whole array, never on where its tile begins: the result must not depend
 *     on how the work is cut. Sums begin anew for each element. -ffast-math, and -ffp-contract=fast where the machine has
 *     fused multiply-add, let the compiler round differently at a row's end than within it: leave them out.
 *   - It starts no threads, keeps nothing from one call to the next, and leaves signals alone. It runs on one CPU; the
 *     other workers have the others.
 *   - It ends. One that works on a lease for longer than `workers.tile_deadline` is killed, with its worker. A tile that has
 *     cost three workers, by crashes or hangs, fails its job, and no other.
 *
 * A plug-in is code that runs in the workers, which can write the whole volume: install only what you trust with it.
 *
 * This file is C11 and C++20, and includes nothing else of slabd.
 */
#ifndef SLAB_KERNEL_H
#define SLAB_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counts up whenever anything below changes its layout or meaning. A daemon loads plug-ins of its own number only. */
#define SLAB_KERNEL_ABI 1

#define SLAB_MOST_DIMENSIONS 5
#define SLAB_MOST_INPUTS 16
#define SLAB_MOST_PARAMETERS 24
#define SLAB_MOST_WORKSPACES 8

/* Element types, as numpy names them: bool is a byte, complex numbers are two parts. */
enum {
    SLAB_BOOL = 0,
    SLAB_UINT8 = 1,
    SLAB_INT8 = 2,
    SLAB_UINT16 = 3,
    SLAB_INT16 = 4,
    SLAB_UINT32 = 5,
    SLAB_INT32 = 6,
    SLAB_UINT64 = 7,
    SLAB_INT64 = 8,
    SLAB_FLOAT32 = 9,
    SLAB_FLOAT64 = 10,
    SLAB_COMPLEX64 = 11,
    SLAB_COMPLEX128 = 12
};

/* ------------------------------------------------------------------------------------------------- what a tile sees */

/* A part of an array: the elements [begin, end) of each axis, counted in the whole array. Axes are in the user's order, as
 * numpy and nibabel show them; `strides` say how they lie in memory: of an array in C order the last axis is contiguous, of
 * one in Fortran order (NIfTI files) the first. Elements lie at multiples of their size (complex: of a part's). */
typedef struct slab_view {
    /* The element at `begin`; of an input for reading only. NULL: the phase reads nothing of this array. */
    char* data;
    int32_t dtype;
    int32_t dimensions;
    int64_t begin[SLAB_MOST_DIMENSIONS];
    int64_t end[SLAB_MOST_DIMENSIONS];
    int64_t strides[SLAB_MOST_DIMENSIONS]; /* bytes from one index to the next */
    int64_t shape[SLAB_MOST_DIMENSIONS];   /* of the whole array */
} slab_view;

/* The element at an index of the whole array, which must lie within the view. */
static inline void* slab_at(const slab_view* view, const int64_t* index) {
    int64_t offset = 0;
    for (int32_t axis = 0; axis < view->dimensions; ++axis) {
        offset += (index[axis] - view->begin[axis]) * view->strides[axis];
    }
    return view->data + offset;
}

static inline void* slab_at_1d(const slab_view* view, int64_t i) {
    return view->data + (i - view->begin[0]) * view->strides[0];
}

static inline void* slab_at_2d(const slab_view* view, int64_t i, int64_t j) {
    return view->data + (i - view->begin[0]) * view->strides[0] + (j - view->begin[1]) * view->strides[1];
}

static inline void* slab_at_3d(const slab_view* view, int64_t i, int64_t j, int64_t k) {
    return view->data + (i - view->begin[0]) * view->strides[0] + (j - view->begin[1]) * view->strides[1] +
           (k - view->begin[2]) * view->strides[2];
}

/* A parameter's value, checked against its type and range. */
typedef struct slab_value {
    int32_t is_given; /* 0: left out, and there is no default; all else is 0 then */
    int64_t integer;  /* integer; flag: 0 or 1; choice: its place in the list, from 0 */
    double real;      /* real; of whole numbers the same as `integer` */
    int64_t integers
        [SLAB_MOST_DIMENSIONS]; /* integer per axis: one for each axis of the first input; axes: 1 if chosen */
    double reals[SLAB_MOST_DIMENSIONS]; /* real per axis; of whole numbers the same as `integers` */
    const char* text;                   /* text; choice: its name. Else NULL */
    const double* table;                /* table: row after row. Else NULL */
    int64_t rows, columns;              /* of the table */
} slab_value;

/* What `fill` gets. All of it is valid during the call only. */
typedef struct slab_tile {
    const slab_view* output; /* the tile: a part of the output, or of the workspace that this phase fills */
    const slab_view*
        inputs; /* of each input what the phase says it reads; inputs that repeat follow one another */
    const slab_view* workspaces;  /* likewise, of those before this phase */
    const slab_value* parameters; /* in the order of the description */
    size_t input_count;
    void* scratch; /* SLAB_SCRATCH_BYTES of the call's own, 64-byte aligned, contents undefined */
} slab_tile;

#define SLAB_SCRATCH_BYTES ((size_t)4 * 1024 * 1024)

/* ------------------------------------------------------------------------------------------------------ description
 *
 * Texts are UTF-8. What is left out is 0 or NULL, and lists end at the first entry without a name.
 *
 * Sizes. `shape`, `reads` and `tile` are lists with an entry for each axis, separated by commas. Entries compute with
 *   3, 0.5        numbers
 *   image         an input: its size along this axis; image[0], image[-1]: along that one
 *   radius        a parameter that is a number: its value (flag: 0 or 1; per axis: on this axis; axes: 1 if chosen;
 *                 choice: its place, from 0). radius[0]: per axis, on that one
 *   begin, end    in `reads` only: the tile, from its first index to behind its last; begin[0] along that axis
 *   axis          the number of this axis, from 0
 *   + - * / //    as in Python; // rounds down
 *   min(a, b)  max(a, b)  floor(a)  ceil(a)  round(a)
 *
 *   shape   "image"                            as the input's: an input without [ ] in a single entry stands for all its axes
 *           "y[0], x[0]"                       a row for each of y, a column for each of x
 *           "(image + factor - 1) // factor"   every axis divided, rounded up
 *           "image[:-1]"                       the axes of image but the last, as a slice in Python
 *           "image[:-1], 3"
 *   reads   left out                           the elements at the tile's own indices
 *           "begin - radius : end + radius"    those and a halo; one entry stands for all axes. It is cut off at the array's
 *                                              ends, so look at the view's begin and end, or at its shape, for the border
 *           "begin * factor : end * factor"
 *           ":"                                all of it
 *           "..., :"                           lines along the last axis, whole; ... stands for the tile's own indices
 *           "begin[1] : end[1]"                of a vector: what belongs to the tile's columns
 *           "none"                             nothing
 *   tile    left out                           cut as the scheduler likes: long along the contiguous axis
 *           "..., :"                           never cut along the last axis; ... leaves axes to the scheduler
 *           "64, 64"                           at least so large, where the array is; a wish, not a promise
 *
 * A tile's reads may only move forward with the tile: begin * factor with a factor of -1 is refused.
 */

/* What a parameter's value looks like. */
enum {
    SLAB_INTEGER = 0,
    SLAB_REAL = 1,
    SLAB_CHOICE = 2,           /* one of `choices` */
    SLAB_INTEGER_PER_AXIS = 3, /* one for all axes of the first input, or one for each */
    SLAB_REAL_PER_AXIS = 4,
    SLAB_TABLE = 5, /* rows of numbers: a matrix, weights */
    SLAB_FLAG = 6,  /* on or off; off is the default */
    SLAB_AXES = 7,  /* some axes of the first input; all unless given */
    SLAB_TEXT = 8   /* that the kernel reads itself, at most 4096 bytes */
};

typedef struct slab_parameter {
    const char* name; /* lower_snake: --like-this on the command line, like_this in Python */
    int32_t type;
    const char* help;          /* one line */
    const char* range;         /* numbers: "> 0", ">= 0", "< 1", "<= 9" or "0 to 64". NULL: any finite one */
    const char* choices;       /* SLAB_CHOICE: "nearest, reflect" */
    const char* default_value; /* as a user would type it. NULL: may be left out; see slab_value.is_given */
} slab_parameter;

typedef struct slab_input {
    const char* name; /* lower_snake */
    /* NULL: all. Else a list of numpy's names, of the groups bool, integers, floats, complex, and of inputs before this
     * one, whose type it then has: "integers, float32", "image". */
    const char* dtypes;
    int32_t least_dimensions; /* 0: 1 */
    int32_t most_dimensions;  /* 0: SLAB_MOST_DIMENSIONS */
    /* NULL: any. Else which it must have, as a list of sizes: "image" of a mask, "image[-1]" of weights. */
    const char* shape;
    /* Not 0, of the last input only: one or more arrays, shown to `fill` one after the other. In sizes its name stands for
     * the first of them, also in its own `shape`. */
    int32_t repeats;
} slab_input;

typedef void (*slab_fill)(const slab_tile* tile);

/* An array that tiles fill: the output, or a workspace. */
typedef struct slab_array {
    const char* name; /* lower_snake, of workspaces; the output has none */
    /* A numpy name; the name of an input, for its dtype; or that of a choice parameter whose choices are dtypes. */
    const char* dtype;
    const char* shape;
    const char* reads[SLAB_MOST_INPUTS];                /* of each described input */
    const char* reads_workspaces[SLAB_MOST_WORKSPACES]; /* of each workspace before this array */
    const char* tile;
    slab_fill fill;
} slab_array;

/* slab_kernel.flags */
enum {
    /* All axes are treated alike, but for values per axis: of arrays in Fortran order `fill` may be shown the axes reversed,
     * so that the last one is always contiguous, and sizes are computed so. Faster there. */
    SLAB_AXES_ALIKE = 1,
    /* Output index [i, j, k] does not show what lay at [i, j, k] of an input although the shape is the same: NIfTI files are
     * written without the input's affine. */
    SLAB_GRID_LOST = 2
};

/* A kernel computes its workspaces, one after the other, then its output. All of an array that a tile reads is there
 * before. Of arrays that do not fit in memory only bands are there at a time; what `reads` says keeps that invisible. */
typedef struct slab_kernel {
    const char* name;    /* lower_snake, at most 40 bytes, of no other kernel */
    const char* summary; /* one line */
    const char* details; /* what is computed, exactly */
    const char* example; /* a whole command line. NULL: one is made up */
    slab_input inputs[SLAB_MOST_INPUTS];
    slab_parameter parameters[SLAB_MOST_PARAMETERS];
    slab_array workspaces[SLAB_MOST_WORKSPACES];
    slab_array output;
    uint32_t flags;
} slab_kernel;

/* The table that a plug-in exports. The first two members stay where they are in every version. */
typedef struct slab_plugin {
    uint32_t abi;          /* SLAB_KERNEL_ABI */
    uint32_t kernel_bytes; /* sizeof(slab_kernel) */
    const slab_kernel* kernels;
    size_t kernel_count;
} slab_plugin;

#define SLAB_PLUGIN_SYMBOL "slab_plugin_table"

#ifdef __cplusplus
}
#define SLAB_EXPORTED extern "C" __attribute__((visibility("default")))
#else
#define SLAB_EXPORTED __attribute__((visibility("default")))
#endif

/* Exports an array of kernels. Once in a library, at file scope. */
#define SLAB_PLUGIN(kernels)                                                                                 \
    SLAB_EXPORTED const slab_plugin slab_plugin_table;                                                       \
    const slab_plugin slab_plugin_table = {SLAB_KERNEL_ABI, (uint32_t)sizeof(slab_kernel), (kernels),        \
                                           sizeof(kernels) / sizeof((kernels)[0])};

#endif
