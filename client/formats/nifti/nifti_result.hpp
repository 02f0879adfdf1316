#pragma once

#include "client/formats/nifti/nifti_header.hpp"
#include "common/array/grid_map.hpp"
#include "common/errors/error.hpp"

namespace slab {

// What a result's header is made of.
struct NiftiOrigin {
    // Of the input in whose grid the result lies, or, where it lies in none, of the first input that has one. Absent: no
    // input is a NIfTI file.
    std::optional<NiftiHeader> header = {};
    // Where in that input's grid. Absent: places mean nothing any more.
    std::optional<GridMap> grid = {};
    // The elements are the input's own: their scaling and what they stand for hold.
    bool only_moves = false;
};

// The header of a result: NIfTI-2 where the input was, or an extent needs it. The input's affines go through the grid
// (sform and, where turns and sizes say it all, qform); nothing of the header is lost that still holds. `name` is the
// output's, for errors: an array in C order, extensions that are too long to be carried.
Expected<NiftiHeader> header_of_result(const ArrayDescription& array, const NiftiOrigin& origin,
                                       const std::string& name);

}  // namespace slab
