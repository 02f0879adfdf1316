/* Two kernels of one's own: one with a halo that follows from a parameter, one that changes the shape. */
#include <slab_kernel.h>

#include <math.h>

/* ---------------------------------------------------------------------------------------------------- bilateral */

/* As the sizes in `reads` have it: ceil(2 * sigma). */
enum { SIGMA, RANGE_SIGMA };

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Two dimensions are three, of which the first has one index: `lead` is how many are missing. */
static void index_of(int32_t lead, const int64_t* three, int64_t* index) {
    for (int32_t axis = lead; axis < 3; ++axis) {
        index[axis - lead] = three[axis];
    }
}

static void bilateral(const slab_tile* tile) {
    const slab_view* image = &tile->inputs[0];
    const slab_view* out = tile->output;
    const double* sigma = tile->parameters[SIGMA].reals;
    const double range = tile->parameters[RANGE_SIGMA].real;
    const int32_t lead = 3 - out->dimensions;
    int64_t begin[3] = {0}, end[3] = {1, 1, 1}, last[3] = {0}, radius[3] = {0};
    double scale[3] = {0};
    for (int32_t axis = lead; axis < 3; ++axis) {
        begin[axis] = out->begin[axis - lead];
        end[axis] = out->end[axis - lead];
        last[axis] = out->shape[axis - lead] - 1;
        radius[axis] = (int64_t)ceil(2 * sigma[axis - lead]);
        scale[axis] = sigma[axis - lead] > 0 ? -0.5 / (sigma[axis - lead] * sigma[axis - lead]) : 0;
    }
    const double range_scale = -0.5 / (range * range);
    int64_t at[3], near[3], index[3];
    for (at[0] = begin[0]; at[0] < end[0]; ++at[0]) {
        for (at[1] = begin[1]; at[1] < end[1]; ++at[1]) {
            for (at[2] = begin[2]; at[2] < end[2]; ++at[2]) {
                index_of(lead, at, index);
                const double here = *(const float*)slab_at(image, index);
                double sum = 0, weights = 0;
                /* Beyond the array's ends there is nothing: not beyond the tile's. */
                for (near[0] = most(0, at[0] - radius[0]); near[0] <= least(last[0], at[0] + radius[0]);
                     ++near[0]) {
                    for (near[1] = most(0, at[1] - radius[1]); near[1] <= least(last[1], at[1] + radius[1]);
                         ++near[1]) {
                        for (near[2] = most(0, at[2] - radius[2]);
                             near[2] <= least(last[2], at[2] + radius[2]); ++near[2]) {
                            int64_t neighbour[3];
                            index_of(lead, near, neighbour);
                            const double value = *(const float*)slab_at(image, neighbour);
                            double exponent = range_scale * (value - here) * (value - here);
                            for (int axis = 0; axis < 3; ++axis) {
                                const double distance = (double)(near[axis] - at[axis]);
                                exponent += scale[axis] * distance * distance;
                            }
                            const double weight = exp(exponent);
                            sum += weight * value;
                            weights += weight;
                        }
                    }
                }
                *(float*)slab_at(out, index) = (float)(sum / weights);
            }
        }
    }
}

/* --------------------------------------------------------------------------------------------------- block_mean */

static void block_mean(const slab_tile* tile) {
    const slab_view* image = &tile->inputs[0];
    const slab_view* out = tile->output;
    const int64_t* factor = tile->parameters[0].integers;
    for (int64_t y = out->begin[0]; y < out->end[0]; ++y) {
        for (int64_t x = out->begin[1]; x < out->end[1]; ++x) {
            double sum = 0;
            int64_t count = 0;
            for (int64_t i = y * factor[0]; i < least((y + 1) * factor[0], image->shape[0]); ++i) {
                for (int64_t j = x * factor[1]; j < least((x + 1) * factor[1], image->shape[1]); ++j) {
                    sum += *(const float*)slab_at_2d(image, i, j);
                    ++count;
                }
            }
            *(float*)slab_at_2d(out, y, x) = (float)(sum / (double)count);
        }
    }
}

static const slab_kernel kernels[] = {
    {
        .name = "bilateral",
        .summary = "smooth, and keep edges (bilateral filter)",
        .details = "The mean of the neighbours within 2 sigma, weighted by exp(-d^2 / (2 sigma^2)) for their "
                   "distance d and by "
                   "exp(-v^2 / (2 range_sigma^2)) for how far their value v is off (Tomasi and Manduchi "
                   "1998). Neighbours beyond "
                   "the array's ends do not count.",
        .example = "slab run bilateral slice.npy -o calm.npy --sigma 2 --range-sigma 30",
        .inputs = {{.name = "image", .dtypes = "float32", .least_dimensions = 2, .most_dimensions = 3}},
        .parameters =
            {
                [SIGMA] = {.name = "sigma",
                           .type = SLAB_REAL_PER_AXIS,
                           .help = "in elements, for all axes or for each",
                           .range = "0 to 32",
                           .default_value = "1.5"},
                [RANGE_SIGMA] = {.name = "range_sigma",
                                 .type = SLAB_REAL,
                                 .help = "differences of value up to here are smoothed away",
                                 .range = "> 0",
                                 .default_value = "1"},
            },
        .output = {.dtype = "float32",
                   .shape = "image",
                   .reads = {"begin - ceil(2 * sigma) : end + ceil(2 * sigma)"},
                   .fill = bilateral},
    },
    {
        .name = "block_mean",
        .summary = "shrink an image: the mean of each block",
        .details = "Element [y, x] is the mean of factor by factor elements from [y * factor, x * factor] "
                   "on, or of those that "
                   "there are at the ends.",
        .example = "slab run block_mean slice.npy -o small.npy --factor 4",
        .inputs = {{.name = "image", .dtypes = "float32", .least_dimensions = 2, .most_dimensions = 2}},
        .parameters = {{.name = "factor",
                        .type = SLAB_INTEGER_PER_AXIS,
                        .help = "the block's size, for all axes or for each",
                        .range = "1 to 1000",
                        .default_value = "2"}},
        .output = {.dtype = "float32",
                   .shape = "(image + factor - 1) // factor",
                   .reads = {"begin * factor : end * factor"},
                   .fill = block_mean},
    },
};
SLAB_PLUGIN(kernels)
