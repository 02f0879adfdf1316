/* Kernels of the tests, one for each thing that a description can say. */
#include <slab_kernel.h>

#include <string.h>

/* Calls `visit` for every index of the tile. */
typedef void (*visit_element)(const slab_tile* tile, const int64_t* index);

static void for_each_element(const slab_tile* tile, visit_element visit) {
    const slab_view* out = tile->output;
    int64_t index[SLAB_MOST_DIMENSIONS] = {0};
    for (int32_t axis = 0; axis < out->dimensions; ++axis) {
        index[axis] = out->begin[axis];
    }
    for (;;) {
        visit(tile, index);
        int32_t axis = out->dimensions - 1;
        while (axis >= 0 && ++index[axis] == out->end[axis]) {
            index[axis] = out->begin[axis];
            --axis;
        }
        if (axis < 0) {
            return;
        }
    }
}

static double read_double(const slab_view* view, const int64_t* index) {
    return *(const double*)slab_at(view, index);
}

static void write_double(const slab_tile* tile, const int64_t* index, double value) {
    *(double*)slab_at(tile->output, index) = value;
}

/* plug_outer: vectors that belong to the output's axes. */
static void outer_element(const slab_tile* tile, const int64_t* index) {
    const double y = *(const double*)slab_at_1d(&tile->inputs[0], index[0]);
    const double x = *(const double*)slab_at_1d(&tile->inputs[1], index[1]);
    write_double(tile, index, y * x);
}
static void outer(const slab_tile* tile) {
    for_each_element(tile, outer_element);
}

/* plug_line_sum: one axis less, lines read whole. */
static void line_sum_element(const slab_tile* tile, const int64_t* index) {
    const slab_view* image = &tile->inputs[0];
    int64_t at[SLAB_MOST_DIMENSIONS];
    memcpy(at, index, sizeof(at));
    double sum = 0;
    for (at[image->dimensions - 1] = 0; at[image->dimensions - 1] < image->shape[image->dimensions - 1];
         ++at[image->dimensions - 1]) {
        sum += read_double(image, at);
    }
    write_double(tile, index, sum);
}
static void line_sum(const slab_tile* tile) {
    for_each_element(tile, line_sum_element);
}

/* plug_roughness: |image - mean of three along axis 0|, largest of the neighbours along axis 0 within `radius`. */
static void mean_element(const slab_tile* tile, const int64_t* index) {
    const slab_view* image = &tile->inputs[0];
    int64_t at[SLAB_MOST_DIMENSIONS];
    memcpy(at, index, sizeof(at));
    double sum = 0;
    int64_t count = 0;
    for (int64_t offset = -1; offset <= 1; ++offset) {
        at[0] = index[0] + offset;
        if (at[0] >= 0 && at[0] < image->shape[0]) {
            sum += read_double(image, at);
            ++count;
        }
    }
    write_double(tile, index, sum / (double)count);
}
static void mean(const slab_tile* tile) {
    for_each_element(tile, mean_element);
}
static void roughness_element(const slab_tile* tile, const int64_t* index) {
    const slab_view* image = &tile->inputs[0];
    const slab_view* smooth = &tile->workspaces[0];
    int64_t at[SLAB_MOST_DIMENSIONS];
    memcpy(at, index, sizeof(at));
    double roughest = 0;
    for (at[0] = index[0] - tile->parameters[0].integer; at[0] <= index[0] + tile->parameters[0].integer;
         ++at[0]) {
        if (at[0] >= 0 && at[0] < image->shape[0]) {
            const double difference = read_double(image, at) - read_double(smooth, at);
            const double distance = difference < 0 ? -difference : difference;
            roughest = distance > roughest ? distance : roughest;
        }
    }
    write_double(tile, index, roughest);
}
static void roughness(const slab_tile* tile) {
    for_each_element(tile, roughness_element);
}

/* plug_running_sum: tiles that are never cut along the last axis. Each line begins anew. */
static void running_sum(const slab_tile* tile) {
    const slab_view* image = &tile->inputs[0];
    const slab_view* out = tile->output;
    for (int64_t row = out->begin[0]; row < out->end[0]; ++row) {
        double sum = 0;
        for (int64_t column = 0; column < out->shape[1]; ++column) {
            sum += *(const double*)slab_at_2d(image, row, column);
            *(double*)slab_at_2d(out, row, column) = sum;
        }
    }
}

/* plug_flip: never cut along the first axis, which bands go along. */
static void flip_element(const slab_tile* tile, const int64_t* index) {
    int64_t at[SLAB_MOST_DIMENSIONS];
    memcpy(at, index, sizeof(at));
    at[0] = tile->output->shape[0] - 1 - index[0];
    write_double(tile, index, read_double(&tile->inputs[0], at));
}
static void flip(const slab_tile* tile) {
    for_each_element(tile, flip_element);
}

/* plug_shift: values per axis, arrays of any dimensions, axes alike. The element `steps` back, 0 before the begin. */
static void shift_element(const slab_tile* tile, const int64_t* index) {
    int64_t at[SLAB_MOST_DIMENSIONS] = {0};
    for (int32_t axis = 0; axis < tile->output->dimensions; ++axis) {
        at[axis] = index[axis] - tile->parameters[0].integers[axis];
        if (at[axis] < 0) {
            write_double(tile, index, 0);
            return;
        }
    }
    write_double(tile, index, read_double(&tile->inputs[0], at));
}
static void shift(const slab_tile* tile) {
    for_each_element(tile, shift_element);
}

/* plug_index: 100 * the index of axis 0 + that of axis 1: the user's axes, whatever the order in memory. */
static void index_element(const slab_tile* tile, const int64_t* index) {
    write_double(tile, index, (double)(100 * index[0] + index[1]));
}
static void tell_index(const slab_tile* tile) {
    for_each_element(tile, index_element);
}

/* plug_total: an input that repeats. */
static void total_element(const slab_tile* tile, const int64_t* index) {
    double sum = 0;
    for (size_t input = 0; input < tile->input_count; ++input) {
        sum += read_double(&tile->inputs[input], index);
    }
    write_double(tile, index, sum);
}
static void total(const slab_tile* tile) {
    for_each_element(tile, total_element);
}

/* plug_values: what the parameters came to. */
enum { WHOLE, REAL, CHOICE, WHOLES, REALS, TABLE, FLAG, AXES, TEXT, LEFT_OUT };
static void values(const slab_tile* tile) {
    const slab_value* given = tile->parameters;
    double told[20] = {0};
    told[0] = (double)given[WHOLE].integer;
    told[1] = given[REAL].real;
    told[2] = (double)given[CHOICE].integer;
    told[3] = (double)strlen(given[CHOICE].text);
    for (int axis = 0; axis < 3; ++axis) {
        told[4 + axis] = (double)given[WHOLES].integers[axis];
        told[7 + axis] = given[REALS].reals[axis];
        told[10 + axis] = (double)given[AXES].integers[axis];
    }
    told[13] = (double)given[TABLE].rows;
    told[14] = (double)given[TABLE].columns;
    told[15] = given[TABLE].table[given[TABLE].rows * given[TABLE].columns - 1];
    told[16] = (double)given[FLAG].integer;
    told[17] = (double)strlen(given[TEXT].text);
    told[18] = (double)given[LEFT_OUT].is_given;
    told[19] = tile->inputs[0].data == NULL ? 1 : 0;
    for (int64_t i = tile->output->begin[0]; i < tile->output->end[0]; ++i) {
        *(double*)slab_at_1d(tile->output, i) = told[i];
    }
}

static const slab_kernel kernels[] = {
    {
        .name = "plug_outer",
        .summary = "outer product",
        .inputs = {{.name = "y", .dtypes = "float64", .most_dimensions = 1},
                   {.name = "x", .dtypes = "y", .most_dimensions = 1}},
        .output = {.dtype = "y",
                   .shape = "y[0], x[0]",
                   .reads = {"begin[0] : end[0]", "begin[1] : end[1]"},
                   .fill = outer},
    },
    {
        .name = "plug_line_sum",
        .summary = "sums along the last axis",
        .inputs = {{.name = "image", .dtypes = "float64", .least_dimensions = 2}},
        .output = {.dtype = "float64", .shape = "image[:-1]", .reads = {"..., :"}, .fill = line_sum},
    },
    {
        .name = "plug_roughness",
        .summary = "two phases with halos",
        .inputs = {{.name = "image", .dtypes = "float64"}},
        .parameters = {{.name = "radius", .help = "of the second", .range = "0 to 9", .default_value = "1"}},
        .workspaces = {{.name = "smooth",
                        .dtype = "float64",
                        .shape = "image",
                        .reads = {"begin - 1 : end + 1, ..."},
                        .fill = mean}},
        .output = {.dtype = "float64",
                   .shape = "image",
                   .reads = {"begin - radius : end + radius, ..."},
                   .reads_workspaces = {"begin - radius : end + radius, ..."},
                   .fill = roughness},
    },
    {
        .name = "plug_running_sum",
        .summary = "running sums along the last axis",
        .inputs = {{.name = "image", .dtypes = "float64", .least_dimensions = 2, .most_dimensions = 2}},
        .output = {.dtype = "float64",
                   .shape = "image",
                   .reads = {"..., :"},
                   .tile = "..., :",
                   .fill = running_sum},
    },
    {
        .name = "plug_flip",
        .summary = "turned around along the first axis",
        .inputs = {{.name = "image", .dtypes = "float64"}},
        .output = {.dtype = "float64", .shape = "image", .reads = {":, ..."}, .tile = ":, ...", .fill = flip},
        .flags = SLAB_GRID_LOST,
    },
    {
        .name = "plug_shift",
        .summary = "moved to higher indices",
        .inputs = {{.name = "image", .dtypes = "float64"}},
        .parameters = {{.name = "steps",
                        .type = SLAB_INTEGER_PER_AXIS,
                        .help = "along each axis",
                        .range = ">= 0",
                        .default_value = "1"}},
        .output =
            {.dtype = "float64", .shape = "image", .reads = {"begin - steps : end - steps"}, .fill = shift},
        .flags = SLAB_AXES_ALIKE,
    },
    {
        .name = "plug_index",
        .summary = "indices as the user counts them",
        .inputs = {{.name = "image", .least_dimensions = 2, .most_dimensions = 2}},
        .output = {.dtype = "float64", .shape = "image", .reads = {"none"}, .fill = tell_index},
    },
    {
        .name = "plug_total",
        .summary = "the sum of all inputs",
        .inputs = {{.name = "image", .dtypes = "float64", .shape = "image", .repeats = 1}},
        .output = {.dtype = "float64", .shape = "image", .fill = total},
    },
    {
        .name = "plug_values",
        .summary = "tells its parameters",
        .inputs = {{.name = "image", .least_dimensions = 3, .most_dimensions = 3}},
        .parameters =
            {
                [WHOLE] = {.name = "whole", .type = SLAB_INTEGER, .help = "told", .default_value = "7"},
                [REAL] = {.name = "real", .type = SLAB_REAL, .help = "told", .default_value = "0.5"},
                [CHOICE] = {.name = "choice",
                            .type = SLAB_CHOICE,
                            .help = "told",
                            .choices = "some, other",
                            .default_value = "other"},
                [WHOLES] =
                    {.name = "wholes", .type = SLAB_INTEGER_PER_AXIS, .help = "told", .default_value = "3"},
                [REALS] =
                    {.name = "reals", .type = SLAB_REAL_PER_AXIS, .help = "told", .default_value = "0.25"},
                [TABLE] = {.name = "table", .type = SLAB_TABLE, .help = "told", .default_value = "1,2;3,4"},
                [FLAG] = {.name = "flag", .type = SLAB_FLAG, .help = "told"},
                [AXES] = {.name = "axes", .type = SLAB_AXES, .help = "told"},
                [TEXT] = {.name = "text", .type = SLAB_TEXT, .help = "told", .default_value = "four"},
                [LEFT_OUT] = {.name = "left_out", .type = SLAB_REAL, .help = "told"},
            },
        .output = {.dtype = "float64", .shape = "20", .reads = {"none"}, .fill = values},
    },
};
SLAB_PLUGIN(kernels)
