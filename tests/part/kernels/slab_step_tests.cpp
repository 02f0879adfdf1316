// realign's phases by slabs find what one worker finds who makes all the steps of a frame.
#include "daemon/kernels/realign/frame_images.hpp"
#include "daemon/kernels/realign/realign.hpp"
#include "daemon/kernels/realign/references.hpp"
#include "daemon/kernels/realign/slab_steps.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

using namespace slab;
using namespace slab::kernels;
using namespace slab::kernels::realign;

namespace {

// Blobs that move by `shift` voxels along each axis.
std::vector<float> moved_blobs(const Extents& n, const std::vector<double>& shifts) {
    std::vector<float> series;
    for (const double shift : shifts) {
        for (std::int64_t z = 0; z < n[0]; ++z) {
            for (std::int64_t y = 0; y < n[1]; ++y) {
                for (std::int64_t x = 0; x < n[2]; ++x) {
                    double value = 0.0;
                    for (int blob = 0; blob < 5; ++blob) {
                        const double dz =
                            static_cast<double>(z) - (0.3 + 0.1 * blob) * static_cast<double>(n[0]) - shift;
                        const double dy =
                            static_cast<double>(y) - (0.7 - 0.1 * blob) * static_cast<double>(n[1]) - shift;
                        const double dx =
                            static_cast<double>(x) - (0.4 + 0.07 * blob) * static_cast<double>(n[2]) + shift;
                        value += 100.0 * std::exp(-(dz * dz + dy * dy + dx * dx) / (20.0 + 10.0 * blob));
                    }
                    series.push_back(static_cast<float>(value));
                }
            }
        }
    }
    return series;
}

// The phases from the first to `last`, each in one tile.
struct Estimate {
    std::vector<std::vector<std::byte>> memory;
    std::vector<ConstArrayView> workspaces;
};

Estimate estimated(const KernelPlan& plan, const ConstArrayView& series, RealignPhase last) {
    const Kernel kernel = realign_kernel();
    Estimate estimate;
    std::vector<std::byte> scratch(scratch_bytes);
    estimate.memory.reserve(plan.workspaces.size());
    for (std::size_t phase = 0; phase <= static_cast<std::size_t>(last); ++phase) {
        const ArrayDescription& array = plan.workspaces[phase].array;
        auto& memory = estimate.memory.emplace_back(static_cast<std::size_t>(byte_count(array)));
        const ArrayView target{memory.data(), array.dtype, array.shape};
        kernel.fill({&plan.program,
                     {&series, 1},
                     target,
                     whole(array.shape),
                     scratch,
                     phase,
                     estimate.workspaces,
                     plan.table});
        estimate.workspaces.push_back({target.data, target.dtype, target.shape});
    }
    return estimate;
}

}  // namespace

TEST_CASE("where frames are few the slabs' steps and what follows are the steps of one worker, bit for bit") {
    const Extents n{24, 40, 36};
    for (const double far : {0.3, 2.5}) {
        const std::vector<float> voxels = moved_blobs(n, {0.0, far, -0.6 * far});
        const ConstArrayView series{reinterpret_cast<const std::byte*>(voxels.data()), DType::float32,
                                    Shape{3, n[0], n[1], n[2]}};
        PlanRequest request;
        request.inputs = {{DType::float32, series.shape, MemoryOrder::c}};
        request.parameters.set("batch", std::string("first"));
        request.parameters.set("reference", std::string("0"));
        request.parameters.set("estimate_only", true);
        const auto plan = realign_kernel().plan(request);
        REQUIRE(plan);
        const auto program = plan->program.as<RealignProgram>();
        REQUIRE(has_slab_steps(program));
        REQUIRE(Slabs(program.grid).count > 2);
        const Estimate estimate = estimated(*plan, series, RealignPhase::first_pass);
        std::vector<std::byte> scratch(scratch_bytes);
        const TileCall call{&plan->program, {&series, 1}, {}, {}, scratch, 0, estimate.workspaces, {}};
        const Reference reference = first_pass_reference(program, call);
        for (std::int64_t frame = 1; frame < 3; ++frame) {
            Alignment alone = after_coarse_pass(call, frame);
            align(frame_at(program, call, frame, 0), reference, program.grid, first_pass_options,
                  scratch.data(), alone);
            const FirstPass& found = first_pass_of(call, frame);
            CHECK(alone.has_converged);
            CHECK(found.has_converged == 1.0);
            CHECK(found.scale == alone.scale);
            CHECK(std::memcmp(&found.motion, &alone.motion, sizeof(alone.motion)) == 0);
            // Voxels of 1 mm, at their middle.
            const double shift = frame == 1 ? far : -0.6 * far;
            const Point middle{12.0, 20.0, 18.0};
            const Point at = applied(found.motion, middle);
            CHECK(at[0] - middle[0] == doctest::Approx(shift).epsilon(0.05));
            CHECK(at[1] - middle[1] == doctest::Approx(shift).epsilon(0.05));
            CHECK(at[2] - middle[2] == doctest::Approx(-shift).epsilon(0.05));
        }
    }
}
