#include "daemon/scheduling/guest_step.hpp"

#include "daemon/scheduling/tile_grid.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace slab::daemon {
namespace {

const kernels::KernelDescription& describe() {
    static const kernels::KernelDescription description{
        .name = "guests",
        .summary = "a function of the client's own",
        .details = "",
        .inputs = {},
        .parameters = {},
        .dtypes = "all",
        .reads = kernels::Reads::anywhere,
        .example = "",
    };
    return description;
}

// A stand-in: guests compute, workers are never given its tiles. That it knows bands lets the output stream.
const kernels::Kernel& stand_in() {
    static const kernels::Kernel kernel{
        describe,
        [](const kernels::PlanRequest&) -> Expected<kernels::KernelPlan> {
            return std::unexpected(Error{ErrorKind::failed, "guests are planned by guest_step", "", ""});
        },
        nullptr, nullptr, [](const kernels::BandQuery&) { return kernels::AxisRange{}; }};
    return kernel;
}

Error bad_tile(const GuestOutput& wanted, std::string because) {
    return {ErrorKind::usage,
            fmt::format("a tile of ({}) does not fit an output of shape {}", fmt::join(wanted.tile, ", "),
                        to_text(wanted.array.shape)),
            std::move(because), "Give one number above zero for each axis of the output."};
}

std::optional<Error> check_tile(const GuestOutput& wanted) {
    const Shape& shape = wanted.array.shape;
    if (wanted.tile.size() != static_cast<std::size_t>(shape.rank)) {
        return bad_tile(wanted,
                        fmt::format("it has {} numbers, the output {} axes", wanted.tile.size(), shape.rank));
    }
    __extension__ __int128 count = 1;
    for (int axis = 0; axis < shape.rank; ++axis) {
        const std::int64_t along = wanted.tile[static_cast<std::size_t>(axis)];
        if (along < 1) {
            return bad_tile(wanted, fmt::format("{} of an axis' elements make no tile", along));
        }
        count *= (shape[axis] - 1) / along + 1;
        if (count > most_tiles) {
            return Error{
                ErrorKind::usage,
                fmt::format("tiles of ({}) are too small for an output of shape {}",
                            fmt::join(wanted.tile, ", "), to_text(shape)),
                fmt::format("they would be more than {}; each costs a message now and then", most_tiles),
                "Choose larger tiles, or none: they are then chosen for you."};
        }
    }
    return std::nullopt;
}

}  // namespace

Expected<StepPlan> guest_step(const GuestOutput& wanted) {
    constexpr std::int64_t largest_array = std::int64_t{1} << 58;
    const Shape& shape = wanted.array.shape;
    if (shape.rank < 1 || element_count(shape) == 0) {
        return std::unexpected(Error{ErrorKind::usage, "the output has no elements",
                                     fmt::format("its shape is {}", to_text(shape)),
                                     "Give a shape of 1 to 5 axes, none of them empty."});
    }
    if (byte_count(wanted.array) > largest_array) {
        return std::unexpected(Error{ErrorKind::refused, "the job does not fit in any memory",
                                     fmt::format("its output has shape {}", to_text(shape)),
                                     "Work on a part of the array."});
    }
    kernels::KernelPlan plan;
    plan.output = wanted.array;
    if (!wanted.tile.empty()) {
        if (auto problem = check_tile(wanted)) {
            return std::unexpected(std::move(*problem));
        }
        std::ranges::copy(wanted.tile, plan.tiles.brick.begin());
        plan.tiles.least = plan.tiles.most = plan.tiles.brick;
        plan.band_step = wanted.tile[static_cast<std::size_t>(kernels::band_axis_of(shape))];
    }
    plan.grid.change = kernels::OutputGrid::Change::lost;
    return StepPlan{.name = "guests",
                    .kernel = &stand_in(),
                    .parameters = {},
                    .plan = std::move(plan),
                    .output = wanted.array,
                    .input_shapes = {},
                    .inputs = {}};
}

}  // namespace slab::daemon
