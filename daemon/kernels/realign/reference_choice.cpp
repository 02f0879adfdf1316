#include "daemon/kernels/realign/reference_choice.hpp"

#include "daemon/kernels/interpolation/working_type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace slab::kernels::realign {
namespace {

constexpr double same_place_in_mm = 0.1;

Error usage(std::string what, std::string because, std::string remedy) {
    return {ErrorKind::usage, std::move(what), std::move(because), std::move(remedy)};
}

// The largest distance between where two grids put a corner of the volume.
double distance_of(const WorldMatrix& a, const WorldMatrix& b, const std::array<std::int64_t, 3>& extents) {
    double largest = 0.0;
    for (unsigned corner = 0; corner < 8; ++corner) {
        double squares = 0.0;
        for (std::size_t row = 0; row < 3; ++row) {
            double difference = a[row][3] - b[row][3];
            for (std::size_t axis = 0; axis < 3; ++axis) {
                const bool is_far = (corner >> axis & 1) != 0;
                difference +=
                    is_far ? (a[row][axis] - b[row][axis]) * static_cast<double>(extents[axis] - 1) : 0.0;
            }
            squares += difference * difference;
        }
        largest = std::max(largest, std::sqrt(squares));
    }
    return largest;
}

std::string remedy_of(std::string_view name) {
    return fmt::format("Bring the {} into the grid of the series first, with slab run reslice or zoom.",
                       name);
}

Expected<void> check_grid(const PlanRequest& request, std::size_t input, std::string_view name) {
    const Shape& series = request.inputs[0].shape;
    const ArrayDescription& image = request.inputs[input];
    if (part_dtype(image.dtype) != image.dtype) {
        return std::unexpected(usage(fmt::format("the {} must hold real numbers", name),
                                     fmt::format("it is {}", name_of(image.dtype)), "Give its magnitude."));
    }
    const bool is_reversed = request.axes == AxisOrder::reversed;
    if (image.shape != Shape{series[1], series[2], series[3]}) {
        const auto shown = [&](Shape shape) { return to_text(is_reversed ? reversed(shape) : shape); };
        return std::unexpected(usage(fmt::format("the {} is of another grid than the frames", name),
                                     fmt::format("its shape is {}, theirs {}", shown(image.shape),
                                                 shown(Shape{series[1], series[2], series[3]})),
                                     remedy_of(name)));
    }
    const auto frames = request.world_of(0);
    const auto own = request.world_of(input);
    std::array<std::int64_t, 3> extents{series[1], series[2], series[3]};
    if (is_reversed) {
        std::ranges::reverse(extents);
    }
    const double distance = frames && own ? distance_of(*frames, *own, extents) : 0.0;
    if (!(distance <= same_place_in_mm)) {
        return std::unexpected(usage(
            fmt::format("the {} lies elsewhere than the frames", name),
            fmt::format("their files' affines put a corner {:.3g} mm apart", distance), remedy_of(name)));
    }
    return {};
}

}  // namespace

Expected<ReferenceChoice> choose_reference(const PlanRequest& request) {
    const std::int64_t frames = request.inputs[0].shape[0];
    const auto* const given = request.parameters.get<std::string>("reference");
    const std::string name = given == nullptr ? "first" : *given;
    if (const auto input = input_named(name)) {
        const auto checked = check_grid(request, *input, "reference");
        return checked ? Expected<ReferenceChoice>({frames, static_cast<std::int64_t>(*input), false})
                       : std::unexpected(checked.error());
    }
    if (name == "first" || name == "mean") {
        return ReferenceChoice{0, 0, name == "mean"};
    }
    if (name == "middle" || name == "last") {
        return ReferenceChoice{name == "middle" ? frames / 2 : frames - 1, 0, false};
    }
    std::int64_t frame = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), frame);
    if (error != std::errc() || end != name.data() + name.size() || frame < 0 || frame >= frames) {
        return std::unexpected(usage(fmt::format("there is no reference frame {}", name),
                                     fmt::format("the series has {} frames, 0 to {}", frames, frames - 1),
                                     "Give first, middle, last, mean, a frame's number or an image."));
    }
    return ReferenceChoice{frame, 0, false};
}

Expected<std::int64_t> choose_mask(const PlanRequest& request) {
    const auto input = input_of(request.parameters, "mask");
    if (!input) {
        return 0;
    }
    const auto checked = check_grid(request, *input, "mask");
    return checked ? Expected<std::int64_t>(static_cast<std::int64_t>(*input))
                   : std::unexpected(checked.error());
}

}  // namespace slab::kernels::realign
