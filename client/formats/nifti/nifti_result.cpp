#include "client/formats/nifti/nifti_result.hpp"

#include "client/formats/nifti/nifti_affine.hpp"
#include "client/formats/nifti/nifti_datatype.hpp"
#include "common/units/byte_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab {
namespace {

constexpr int cifti_extension = 32;
constexpr int aligned_code = 2;  // NIFTI_XFORM_ALIGNED_ANAT: to the input, here
constexpr int space_axes = 3;

bool has_both_orders(const Shape& shape) {
    return std::ranges::count_if(shape.values(), [](std::int64_t extent) { return extent > 1; }) <= 1;
}

Expected<void> check(const ArrayDescription& array, const NiftiOrigin& origin, const std::string& name) {
    if (array.order != MemoryOrder::fortran && !has_both_orders(array.shape)) {
        return std::unexpected(
            Error{ErrorKind::usage, name + ": the result cannot be written as NIfTI",
                  "NIfTI files have the first axis fastest (Fortran order); the input is in C order, and so "
                  "is the result",
                  "Save the input with numpy.asfortranarray(a), or write to a .npy file."});
    }
    if (origin.header && !origin.header->has_all_extensions) {
        return std::unexpected(
            Error{ErrorKind::usage, name + ": the input's extensions are too long to be carried",
                  fmt::format("they are longer than {}", byte_size_text(most_extension_bytes)),
                  "Write to a .npy file, or remove the input's extensions first."});
    }
    return {};
}

void write_dimensions(NiftiHeader& header, const Shape& shape) {
    const std::vector<std::size_t> axes = array_axes(header).value_or(std::vector<std::size_t>{});
    const bool has_same_axes = axes.size() == static_cast<std::size_t>(shape.rank) && !axes.empty();
    if (!has_same_axes) {
        header.dim.fill(1);
        header.dim[0] = std::max(shape.rank, 1);
    }
    for (int axis = 0; axis < shape.rank; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        header.dim[has_same_axes ? axes[a] : a + 1] = shape[axis];
    }
    if (std::ranges::any_of(header.dim, [](auto extent) { return extent > most_nifti_1_extent; })) {
        header.version = 2;
    }
}

void forget_slices(NiftiHeader& header) {
    header.slice_code = 0;
    header.slice_start = header.slice_end = 0;
    header.slice_duration = 0.0;
}

void forget_grid(NiftiHeader& header) {
    header.pixdim.fill(1.0);
    header.qform_code = header.sform_code = 0;
    header.quatern = header.qoffset = {};
    header.srow = {};
    header.xyzt_units = 0;
    header.toffset = 0.0;
    header.dim_info = 0;
    forget_slices(header);
}

void forget_meaning(NiftiHeader& header) {
    header.intent_code = 0;
    header.intent_p = {};
    header.intent_name = {};
    header.cal_min = header.cal_max = 0.0;
    header.glmin = header.glmax = 0;
}

// No axis of space is turned, mixed with another, or gone.
bool keeps_axes_of_space(const GridMap& map) {
    for (int row = 0; row < std::min(space_axes, map.input_rank); ++row) {
        for (int column = 0; column < map.output_rank; ++column) {
            if ((map.at(row, column) > 0.0) != (row == column) ||
                (row != column && map.at(row, column) != 0.0)) {
                return false;
            }
        }
        if (row >= map.output_rank) {
            return false;
        }
    }
    return true;
}

bool keeps_grid_of_space(const GridMap& map) {
    if (!keeps_axes_of_space(map)) {
        return false;
    }
    for (int axis = 0; axis < std::min(space_axes, map.input_rank); ++axis) {
        if (map.at(axis, axis) != 1.0 || map.offset[static_cast<std::size_t>(axis)] != 0.0) {
            return false;
        }
    }
    return true;
}

// Both forms, where the matrix can be told as turns and sizes; else sform alone. pixdim tells the steps' lengths.
void set_worlds(NiftiHeader& header, const WorldMatrix& sform, int sform_code, const WorldMatrix& qform,
                int qform_code) {
    header.srow = sform;
    header.sform_code = sform_code;
    const auto rigid = rigid_world(qform);
    header.qform_code = rigid ? qform_code : 0;
    header.pixdim[0] = rigid ? rigid->qfac : 1.0;
    header.quatern = rigid ? rigid->quatern : std::array<double, 3>{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        header.qoffset[axis] = rigid ? qform[axis][3] : 0.0;
        const double step = rigid ? rigid->sizes[axis] : step_length(sform, axis);
        header.pixdim[axis + 1] = step > 0.0 && std::isfinite(step) ? step : 1.0;
    }
}

// False where the first axes are none of space any more.
bool carry_space(NiftiHeader& header, const GridMap& map) {
    const CarriedWorld sform = carried(sform_of(header), map);
    const CarriedWorld qform = carried(qform_of(header), map);
    if (!sform.has_meaning) {
        return false;
    }
    if (header.sform_code > 0 && header.qform_code > 0) {
        set_worlds(header, sform.matrix, header.sform_code, qform.matrix, header.qform_code);
    } else if (header.sform_code > 0) {
        set_worlds(header, sform.matrix, header.sform_code, sform.matrix, header.sform_code);
    } else if (header.qform_code > 0) {
        set_worlds(header, qform.matrix, header.qform_code, qform.matrix, header.qform_code);
    } else if (keeps_axes_of_space(map)) {  // a file without a world stays one
        for (int axis = 0; axis < std::min(space_axes, map.output_rank); ++axis) {
            header.pixdim[static_cast<std::size_t>(axis) + 1] *= map.at(axis, axis);
        }
    } else {
        const WorldMatrix world = carried(world_of(header), map).matrix;
        set_worlds(header, world, aligned_code, world, aligned_code);
    }
    return true;
}

// Of axes behind those of space: the step of an axis that shows one axis of the input, else 1.
void carry_other_axes(NiftiHeader& header, const NiftiHeader& input, const GridMap& map,
                      const std::vector<std::size_t>& input_axes) {
    std::fill(header.pixdim.begin() + 4, header.pixdim.end(), 1.0);
    const bool has_same_axes = input_axes.size() == static_cast<std::size_t>(map.output_rank);
    bool has_time = false;
    for (int column = space_axes; column < map.output_rank; ++column) {
        const auto c = static_cast<std::size_t>(column);
        const std::size_t place = has_same_axes ? input_axes[c] : c + 1;
        int shown = -1;
        int count = 0;
        for (int row = 0; row < map.input_rank; ++row) {
            if (map.at(row, column) != 0.0) {
                shown = row;
                ++count;
            }
        }
        if (count == 1 && shown >= space_axes) {
            const std::size_t from = input_axes[static_cast<std::size_t>(shown)];
            header.pixdim[place] = input.pixdim[from] * std::abs(map.at(shown, column));
            if (from == 4 && place == 4) {
                has_time = true;
                header.toffset += input.pixdim[from] * map.offset[static_cast<std::size_t>(shown)];
            }
        }
    }
    if (map.output_rank > space_axes && !has_time) {
        header.toffset = 0.0;
        header.xyzt_units &= 7;  // the unit of length stays
    }
}

void carry_grid(NiftiHeader& header, const NiftiHeader& input, const GridMap& map) {
    const std::vector<std::size_t> axes = array_axes(input).value_or(std::vector<std::size_t>{});
    const bool has_same_extents = header.dim == input.dim;
    if (map == GridMap::same(map.input_rank) && has_same_extents) {
        return;
    }
    if (static_cast<std::size_t>(map.input_rank) != axes.size() || !carry_space(header, map)) {
        forget_grid(header);
        return;
    }
    carry_other_axes(header, input, map, axes);
    if (!keeps_axes_of_space(map)) {
        header.dim_info = 0;
    }
    if (!keeps_grid_of_space(map) ||
        !std::equal(header.dim.begin() + 1, header.dim.begin() + 4, input.dim.begin() + 1)) {
        forget_slices(header);
    }
}

}  // namespace

Expected<NiftiHeader> header_of_result(const ArrayDescription& array, const NiftiOrigin& origin,
                                       const std::string& name) {
    if (const auto good = check(array, origin, name); !good) {
        return std::unexpected(good.error());
    }
    NiftiHeader header = origin.header.value_or(NiftiHeader{});
    header.byte_order = std::endian::native == std::endian::little ? ByteOrder::little : ByteOrder::big;
    write_dimensions(header, array.shape);
    header.datatype = nifti_code_of(array.dtype);
    if (!origin.header) {
        return header;
    }
    if (origin.grid) {
        carry_grid(header, *origin.header, *origin.grid);
    } else {
        forget_grid(header);
    }
    if (!origin.only_moves) {
        header.scl_slope = 1.0;
        header.scl_inter = 0.0;
        forget_meaning(header);
    }
    if (header.dim != origin.header->dim) {  // it tells what each index is
        std::erase_if(header.extensions,
                      [](const NiftiExtension& extension) { return extension.code == cifti_extension; });
    }
    return header;
}

}  // namespace slab
