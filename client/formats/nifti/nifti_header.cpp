#include "client/formats/nifti/nifti_header.hpp"

#include <algorithm>
#include <cmath>

namespace slab {

std::optional<std::vector<std::size_t>> array_axes(const NiftiHeader& header) {
    constexpr std::size_t first_after_space = 4;
    std::vector<std::size_t> axes;
    for (std::size_t axis = 1; axis <= static_cast<std::size_t>(header.dim[0]); ++axis) {
        axes.push_back(axis);
    }
    for (std::size_t i = axes.size(); i-- > 0 && axes.size() > static_cast<std::size_t>(max_rank);) {
        if (axes[i] >= first_after_space && header.dim[axes[i]] == 1) {
            axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    return axes.size() <= static_cast<std::size_t>(max_rank) ? std::optional(axes) : std::nullopt;
}

std::optional<NiftiScaling> scaling_of(const NiftiHeader& header) {
    const NiftiScaling scaling{header.scl_slope, header.scl_inter};
    if (!std::isfinite(scaling.slope) || scaling.slope == 0.0 || scaling == NiftiScaling{}) {
        return std::nullopt;
    }
    return scaling;
}

}  // namespace slab
