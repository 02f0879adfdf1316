#include "tests/agreement/kernel_run.hpp"

#include "tests/agreement/noise.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace slab::agreement {
namespace {

template <typename T>
double as_double(T value) {
    return static_cast<double>(value);
}

// Calls visit(T()) with the type of an element, or of its two parts.
template <class Visit>
void with_part_type(DType dtype, const Visit& visit) {
    switch (dtype) {
    case DType::boolean:
    case DType::uint8: visit(std::uint8_t()); break;
    case DType::uint16: visit(std::uint16_t()); break;
    case DType::uint32: visit(std::uint32_t()); break;
    case DType::uint64: visit(std::uint64_t()); break;
    case DType::int8: visit(std::int8_t()); break;
    case DType::int16: visit(std::int16_t()); break;
    case DType::int32: visit(std::int32_t()); break;
    case DType::int64: visit(std::int64_t()); break;
    case DType::float32:
    case DType::complex64: visit(float()); break;
    case DType::float64:
    case DType::complex128: visit(double()); break;
    }
}

template <typename T>
T part_at(const Bytes& bytes, std::size_t index) {
    T value;
    std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
    return value;
}

enum class Closeness : std::uint8_t { close, neighbouring, different };

template <typename T>
Closeness closeness(T result, T definition, double allowed) {
    const auto close_if = [](bool is_close) { return is_close ? Closeness::close : Closeness::different; };
    if (std::memcmp(&result, &definition, sizeof(T)) == 0) {
        return Closeness::close;
    }
    if constexpr (std::is_floating_point_v<T>) {
        if (!std::isfinite(definition) || !std::isfinite(result)) {
            return close_if(std::isnan(definition) ? std::isnan(result) : definition == result);
        }
        if (allowed > 0 && std::abs(as_double(result) - as_double(definition)) > allowed &&
            result == std::nextafter(definition, result)) {
            return Closeness::neighbouring;
        }
        return close_if(std::abs(as_double(result) - as_double(definition)) <= allowed);
    } else {
        return close_if(allowed > 0 &&
                        (result > definition ? result - definition : definition - result) <= 1);
    }
}

}  // namespace

std::vector<Box> one_tile(const Box& box) {
    return {box};
}

std::int64_t bytes_of(std::span<const ArrayDescription> inputs, const kernels::KernelPlan& plan) {
    std::int64_t sum = byte_count(plan.output);
    for (const ArrayDescription& input : inputs) {
        sum += byte_count(input);
    }
    return sum;
}

WorkspacePart::WorkspacePart(const ArrayDescription& array, kernels::AxisRange rows, std::mt19937_64& random)
    : array_(array), rows_(rows) {
    const std::int64_t row_bytes = byte_count(array) / array.shape[kernels::band_axis_of(array.shape)];
    begin_ = static_cast<std::size_t>(rows.begin * row_bytes);
    bytes_ = static_cast<std::size_t>((rows.end - rows.begin) * row_bytes);
    memory_.resize(bytes_ + 2 * margin);
    fill_with_noise(memory_, random);
    before_.assign(memory_.begin(), memory_.begin() + margin);
    after_.assign(memory_.end() - margin, memory_.end());
}

Box WorkspacePart::box() const {
    Box box = whole(array_.shape);
    const auto axis = static_cast<std::size_t>(kernels::band_axis_of(array_.shape));
    box.begin[axis] = rows_.begin;
    box.end[axis] = rows_.end;
    return box;
}

ArrayView WorkspacePart::view() {
    return {memory_.data() + margin - begin_, array_.dtype, array_.shape};
}

void WorkspacePart::spoil() {
    std::memset(memory_.data() + margin, 0xFF, bytes_);
}

bool WorkspacePart::garbage_is_untouched() const {
    return std::equal(before_.begin(), before_.end(), memory_.begin()) &&
           std::equal(after_.begin(), after_.end(), memory_.end() - margin);
}

void run_tile_with_noise(const KernelRun& run, std::size_t phase, std::span<const ConstArrayView> workspaces,
                         const ArrayView& target, const Box& tile, const Fill& fill) {
    // Never the same scratch: a kernel that reads what an earlier tile left there gives itself away. Only its begin is
    // noise each time, for speed.
    alignas(64) static std::byte scratch[kernels::scratch_bytes + 64];
    static std::mt19937 noise(1);
    const auto byte = static_cast<int>(noise() & 0xFF);
    constexpr std::size_t noisy = 64 * 1024;
    std::memset(scratch, byte, noisy);
    std::memset(scratch + kernels::scratch_bytes, byte, 64);
    fill({&run.plan.program, run.inputs, target, tile, std::span(scratch, kernels::scratch_bytes), phase,
          workspaces, run.plan.table});
    const bool overrun = std::any_of(scratch + kernels::scratch_bytes, scratch + sizeof(scratch),
                                     [&](std::byte b) { return b != static_cast<std::byte>(byte); });
    CHECK_FALSE_MESSAGE(overrun, "writes beyond its scratch");
}

// Tiles that are never cut along some axes: as the scheduler makes them, each once.
std::vector<Box> widened(const std::vector<Box>& tiles, const Box& domain,
                         const kernels::TilePreference& preference) {
    std::vector<Box> wide;
    for (Box tile : tiles) {
        for (std::size_t axis = 0; axis < static_cast<std::size_t>(domain.rank); ++axis) {
            if (preference.is_whole[axis]) {
                tile.begin[axis] = domain.begin[axis];
                tile.end[axis] = domain.end[axis];
            }
        }
        if (std::ranges::find(wide, tile) == wide.end()) {
            wide.push_back(tile);
        }
    }
    return wide;
}

void run_phases(const KernelRun& run, const Box& box, const ArrayView& output, const Fill& fill,
                const Cut& cut, std::mt19937_64& random) {
    const int axis = kernels::band_axis_of(run.plan.output.shape);
    const auto band = static_cast<std::size_t>(axis);
    const bool is_whole = box.extent(axis) == run.plan.output.shape[axis];
    std::vector<WorkspacePart> parts;
    std::vector<ConstArrayView> workspaces;
    parts.reserve(run.plan.workspaces.size());
    const auto run_tiles = [&](std::size_t phase, const ArrayView& target, const Box& domain) {
        const bool is_output = phase == run.plan.workspaces.size();
        const kernels::TilePreference& preference =
            is_output ? run.plan.tiles : run.plan.workspaces[phase].tiles;
        for (const Box& tile : widened(cut(domain), domain, preference)) {
            run_tile_with_noise(run, phase, workspaces, target, tile, fill);
            if (random() % 4 == 0) {
                run_tile_with_noise(run, phase, workspaces, target, tile, fill);
            }
        }
    };
    for (std::size_t phase = 0; phase < run.plan.workspaces.size(); ++phase) {
        const ArrayDescription& array = run.plan.workspaces[phase].array;
        const int source_axis = kernels::band_axis_of(array.shape);
        const kernels::AxisRange all{0, array.shape[source_axis]};
        const kernels::AxisRange rows = is_whole ? all
                                                 : run.band_reads({&run.plan,
                                                                   run.shapes,
                                                                   run.shapes.size() + phase,
                                                                   source_axis,
                                                                   axis,
                                                                   {box.begin[band], box.end[band]}});
        REQUIRE(rows.begin >= 0);
        REQUIRE(rows.begin < rows.end);
        REQUIRE(rows.end <= all.end);
        WorkspacePart& part = parts.emplace_back(array, rows, random);
        run_tiles(phase, part.view(), part.box());
        CHECK(part.garbage_is_untouched());
        const ArrayView view = part.view();
        workspaces.push_back({view.data, view.dtype, view.shape});
        // Another array may lie there now.
        for (std::size_t earlier = 0; earlier <= phase; ++earlier) {
            if (run.plan.workspaces[earlier].last_reader == phase) {
                parts[earlier].spoil();
            }
        }
    }
    run_tiles(run.plan.workspaces.size(), output, box);
}

std::int64_t first_difference(const Bytes& result, const Bytes& definition, const kernels::KernelPlan& plan,
                              double largest_input) {
    if (result == definition) {
        return -1;
    }
    std::int64_t first = -1;
    // Sums of double that agree may be stored as neighbouring floats, where they lie at a float's edge: one in 10^8.
    bool may_neighbour = true;
    with_part_type(plan.output.dtype, [&]<typename T>(T) {
        const std::size_t parts = definition.size() / sizeof(T);
        for (std::size_t i = 0; i < parts && first < 0; ++i) {
            const Closeness found =
                closeness(part_at<T>(result, i), part_at<T>(definition, i), plan.tolerance * largest_input);
            if (found == Closeness::different || (found == Closeness::neighbouring && !may_neighbour)) {
                first = static_cast<std::int64_t>(i * sizeof(T) / size_of(plan.output.dtype));
            }
            may_neighbour = may_neighbour && found != Closeness::neighbouring;
        }
    });
    return first;
}

double largest_magnitude(const ArrayDescription& array, const Bytes& content) {
    double largest = 0.0;
    with_part_type(array.dtype, [&]<typename T>(T) {
        for (std::size_t i = 0; i < content.size() / sizeof(T); ++i) {
            const double magnitude = std::abs(as_double(part_at<T>(content, i)));
            largest = std::isfinite(magnitude) ? std::max(largest, magnitude) : largest;
        }
    });
    return largest;
}

}  // namespace slab::agreement
