/* The function of rows.h as a plug-in. */
#include "rows.h"

#include <slab_kernel.h>

static void fill(const slab_tile* tile) {
    const slab_view* out = tile->output;
    for (int64_t y = out->begin[0]; y < out->end[0]; ++y) {
        fill_row((const double*)slab_at_2d(&tile->inputs[0], y, out->begin[1]),
                 (double*)slab_at_2d(out, y, out->begin[1]), out->end[1] - out->begin[1]);
    }
}

static const slab_kernel kernels[] = {{
    .name = "plug_rows",
    .summary = "sqrt(a) + a * a",
    .inputs = {{.name = "a", .dtypes = "float64", .least_dimensions = 2, .most_dimensions = 2}},
    .parameters =
        {{.name = "unused", .type = SLAB_INTEGER, .help = "as most kernels have one", .default_value = "1"}},
    .output = {.dtype = "float64", .shape = "a", .fill = fill},
}};
SLAB_PLUGIN(kernels)
