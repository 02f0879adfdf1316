// Each kernel's tiles, split between pinned processes on warm shared memory, against streaming stores of the
// same number of bytes (`limit_s`), and against reading the input's and streaming the output's bytes (`reach_s`), measured
// in turn in the same run.
//   kernel_speed [PROCESSES [REPETITIONS [TILE_KIB [CASE]]]]
// Prints one line of JSON a case.

#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/scheduling/tile_grid.hpp"
#include "tests/speed/kernel_cases.hpp"
#include "tests/speed/read_and_stream.hpp"
#include "tests/speed/warm_region.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace slab;
using namespace slab::kernels;
using slab::speed::SpeedCase;

// Ordinary numbers where elements are real: the bytes of a warm region are floats so small that sums of their parts are
// denormal, which takes a hundred times as long.
void fill_with_numbers(const ArrayDescription& array, std::byte* data) {
    const auto fill = [&]<typename T>(T) {
        auto* const numbers = reinterpret_cast<T*>(data);
        const auto count = static_cast<std::size_t>(byte_count(array)) / sizeof(T);
        for (std::size_t i = 0; i < count; ++i) {
            numbers[i] = static_cast<T>(i * 37 % 1001);
        }
    };
    if (array.dtype == DType::float32) {
        fill(float());
    } else if (array.dtype == DType::float64) {
        fill(double());
    }
}

void measure(const SpeedCase& speed_case, int processes, int repetitions, std::int64_t tile_bytes) {
    const Kernel& kernel = *find_kernel(speed_case.kernel);
    const auto plan = kernel.plan({speed_case.inputs, speed_case.parameters});
    if (!plan) {
        std::fprintf(stderr, "%s\n", to_text(plan.error()).c_str());
        std::exit(1);
    }
    std::vector<ConstArrayView> inputs;
    std::size_t input_bytes = 0;
    for (const ArrayDescription& input : speed_case.inputs) {
        const auto bytes = static_cast<std::size_t>(byte_count(input));
        std::byte* const memory = slab::speed::warm_region(bytes);
        fill_with_numbers(input, memory);
        inputs.push_back({memory, input.dtype, input.shape});
        input_bytes += bytes;
    }
    // One phase after the other, as the job runs: each into its workspace, the last into the output.
    struct Phase {
        ArrayView target;
        daemon::TileGrid tiles;
    };
    std::vector<Phase> phases;
    std::vector<ConstArrayView> workspaces;
    const auto add_phase = [&](const ArrayDescription& array, const TilePreference& wanted) {
        std::byte* const memory = slab::speed::warm_region(static_cast<std::size_t>(byte_count(array)));
        phases.push_back(
            {{memory, array.dtype, array.shape},
             daemon::cut_into_tiles(whole(array.shape), static_cast<std::int64_t>(size_of(array.dtype)),
                                    wanted, tile_bytes)});
    };
    for (const Workspace& workspace : plan->workspaces) {
        add_phase(workspace.array, workspace.tiles);
        const ArrayView& view = phases.back().target;
        workspaces.push_back({view.data, view.dtype, view.shape});
    }
    add_phase(plan->output, plan->tiles);
    const auto bytes = static_cast<std::size_t>(byte_count(plan->output));
    const std::size_t share = bytes / static_cast<std::size_t>(processes) / 256 * 256;

    // What the output depends on, as if it lay together at the begin of the first input.
    const auto needed =
        std::min(static_cast<std::size_t>(static_cast<double>(input_bytes) * speed_case.needed_share),
                 static_cast<std::size_t>(byte_count(speed_case.inputs[0])));
    const std::size_t needed_part = needed / static_cast<std::size_t>(processes) / 256 * 256;

    const bool is_all_needed = speed_case.needed_share == 1.0;
    const auto part_of = [&](std::size_t input) {
        return static_cast<std::size_t>(byte_count(speed_case.inputs[input])) /
               static_cast<std::size_t>(processes) / 256 * 256;
    };

    constexpr int stores = -1;
    constexpr int reads_and_stores = -2;
    slab::speed::PinnedProcesses pinned(processes, [&](int process, int what) {
        const auto rank = static_cast<std::size_t>(process);
        if (what == stores) {
            slab::speed::stream_pattern(phases.back().target.data + share * rank, share);
            return;
        }
        if (what == reads_and_stores) {
            // Of several whole inputs: one behind the other, each with its part of the stores.
            const std::size_t together = is_all_needed ? inputs.size() : 1;
            for (std::size_t i = 0; i < together; ++i) {
                const std::size_t part = is_all_needed ? part_of(i) : needed_part;
                slab::speed::read_and_stream(inputs[i].data + part * rank, part,
                                             phases.back().target.data + share * rank +
                                                 share / together / 256 * 256 * i,
                                             share / together / 256 * 256);
            }
            return;
        }
        alignas(64) static std::byte scratch[scratch_bytes];
        const auto phase = static_cast<std::size_t>(what);
        const daemon::TileGrid& tiles = phases[phase].tiles;
        const std::int64_t share_end = tiles.tile_count() * (process + 1) / processes;
        for (std::int64_t i = tiles.tile_count() * process / processes; i < share_end; ++i) {
            run_tile(kernel, {&plan->program, inputs, phases[phase].target, tiles.tile_box(i), scratch, phase,
                              workspaces, plan->table});
        }
    });
    std::vector<double> phase_s(phases.size());
    const auto run_kernel = [&] {
        double seconds = 0;
        for (std::size_t phase = 0; phase < phases.size(); ++phase) {
            phase_s[phase] = pinned.run(static_cast<int>(phase));
            seconds += phase_s[phase];
        }
        return seconds;
    };
    pinned.run(stores);
    run_kernel();
    std::vector<double> limit_s;
    std::vector<double> kernel_s;
    std::vector<double> ratios;
    std::vector<double> reach_s;
    std::vector<double> reach_ratios;
    for (int i = 0; i < repetitions; ++i) {
        limit_s.push_back(pinned.run(stores));
        kernel_s.push_back(run_kernel());
        reach_s.push_back(pinned.run(reads_and_stores));
        ratios.push_back(kernel_s.back() / limit_s.back());
        reach_ratios.push_back(kernel_s.back() / reach_s.back());
    }
    const daemon::TileGrid& grid = phases.back().tiles;
    Shape tile = plan->output.shape;
    std::copy_n(grid.tile.begin(), tile.rank, tile.extents.begin());
    std::string phase_text;  // of the last repetition
    for (const double seconds : phase_s) {
        phase_text += (phase_text.empty() ? "" : ", ") + std::to_string(seconds);
    }
    std::printf(
        "{\"benchmark\": \"%s\", \"simd\": \"%s\", \"processes\": %d, \"tile\": \"%s\", "
        "\"bytes_read\": %zu, \"bytes_written\": %zu, \"median_s\": %.5f, \"limit_s\": %.5f, "
        "\"ratio\": %.3f, \"reach_s\": %.5f, \"reach_ratio\": %.3f, \"gb_per_s\": %.2f, \"phase_s\": [%s]}\n",
        speed_case.name.c_str(), std::string(simd_level()).c_str(), processes, to_text(tile).c_str(),
        input_bytes, bytes, slab::speed::median(kernel_s), slab::speed::median(limit_s),
        slab::speed::median(ratios), slab::speed::median(reach_s), slab::speed::median(reach_ratios),
        static_cast<double>(bytes) / slab::speed::median(kernel_s) * 1e-9, phase_text.c_str());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const int processes = argc > 1 ? std::atoi(argv[1]) : 2;
    const int repetitions = argc > 2 ? std::atoi(argv[2]) : 11;
    const std::int64_t tile_bytes = (argc > 3 ? std::atoll(argv[3]) : 1024) * 1024;
    const std::string wanted = argc > 4 ? argv[4] : "";
    if (processes < 1 || repetitions < 1 || tile_bytes < 4096) {
        std::fprintf(stderr, "usage: kernel_speed [PROCESSES [REPETITIONS [TILE_KIB [CASE]]]]\n");
        return 2;
    }
    if (!select_simd_level(std::getenv("SLABD_SIMD"))) {
        std::fprintf(stderr, "SLABD_SIMD names no level of this machine\n");
        return 2;
    }
    for (const SpeedCase& speed_case : slab::speed::speed_cases()) {
        if (speed_case.name.find(wanted) != std::string::npos) {
            // In a process of its own, so that its memory is given back before the next.
            const pid_t child = fork();
            if (child == 0) {
                measure(speed_case, processes, repetitions, tile_bytes);
                _exit(0);
            }
            waitpid(child, nullptr, 0);
        }
    }
}
