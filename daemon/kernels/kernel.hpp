#pragma once

#include "common/array/array_description.hpp"
#include "common/array/array_view.hpp"
#include "common/array/box.hpp"
#include "common/array/grid_map.hpp"
#include "common/errors/error.hpp"
#include "daemon/kernels/parameters.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace slab::kernels {

// What a tile of the output reads of each input, for people; `band_reads` says it exactly.
enum class Reads : std::uint8_t {
    point,     // the elements at the tile's own indices
    window,    // those and a halo around them
    anywhere,  // any element of the input
};

inline constexpr std::size_t most_inputs = 16;

enum class InputCount : std::uint8_t { one, one_or_more };

struct InputDescription {
    std::string name;
    std::string shape;  // for people: "1-D", "1 to 5 dimensions"
    // Of the last input only: one or more of it, so that a job has most_inputs at the most.
    InputCount count = InputCount::one;
};

struct KernelDescription {
    std::string name;
    std::string summary;  // one line
    std::string details;  // what it computes, exactly, with the source of the method
    std::vector<InputDescription> inputs;
    std::vector<ParameterDescription> parameters;
    std::string dtypes;  // for people: "all", "all but bool"
    Reads reads;
    std::string example;  // a full command line
    // Of a kernel that a plug-in brought: the library's path, and a hash of its bytes. Empty: built in.
    std::string plugin = {};
    std::string plugin_digest = {};
};

// All that a tile needs to know beside the arrays: planned once by the supervisor, sent to every worker as bytes.
// Plain data without pointers, so that a replacement worker gets the same program.
class Program {
  public:
    static constexpr std::size_t capacity = 1024;

    Program() = default;

    template <typename T>
    explicit Program(const T& value) : size_(sizeof(T)) {
        static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= capacity);
        std::memcpy(bytes_.data(), &value, sizeof(T));
    }

    template <typename T>
    T as() const {
        static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= capacity);
        T value;
        std::memcpy(&value, bytes_.data(), sizeof(T));
        return value;
    }

    std::size_t size() const { return size_; }

  private:
    std::size_t size_ = 0;
    alignas(16) std::array<std::byte, capacity> bytes_{};
};

// How tiles of the output are best cut. The scheduler starts from `brick`, then grows the fastest axis up to `most`,
// then the next slower, until a tile has the configured number of bytes. A brick larger than that is cut, but never below
// `least`: what a kernel would have to compute as a whole for any part of it.
struct TilePreference {
    std::array<std::int64_t, max_rank> brick{1, 1, 1, 1, 1};
    std::array<std::int64_t, max_rank> most{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    std::array<std::int64_t, max_rank> least{1, 1, 1, 1, 1};
    // Axes that no tile is ever cut along: the kernel makes all of it at once, or not at all.
    std::array<bool, max_rank> is_whole{};
};

// An array that the kernel computes first and reads later: spline coefficients, a filtered input. It lives in the volume
// as long as the job, is counted at admission, and nobody else sees it.
struct Workspace {
    ArrayDescription array;  // C order
    TilePreference tiles;
    // The last phase that reads it: from the next one on another array may lie there. Absent: the output's. What is told
    // is read at the job's end.
    std::optional<std::size_t> last_reader = {};
};

// Workspaces from the first one on, each of which only the phase after it reads.
inline void read_by_next_phase(std::span<Workspace> workspaces, std::size_t first_phase) {
    for (std::size_t i = 0; i < workspaces.size(); ++i) {
        workspaces[i].last_reader = first_phase + i + 1;
    }
}

// A workspace, or its first numbers, that the job's result tells beside the output: float64, rows by columns.
struct ToldTable {
    std::string name;
    std::size_t workspace = 0;
    std::array<std::int64_t, 2> extents{};
};

// Where the output's elements lie in the grid of an input, for the files' affines. Axes as the kernel sees them.
struct OutputGrid {
    // same: that of the first input of the output's shape, if there is one. lost: of none, whatever its shape.
    enum class Change : std::uint8_t { same, mapped, lost };

    Change change = Change::same;
    std::size_t input = 0;  // mapped: of this one
    GridMap map = {};

    static OutputGrid mapped(std::size_t input, const GridMap& map) { return {Change::mapped, input, map}; }
};

inline constexpr std::size_t most_workspaces = 32;

// A kernel works in phases: the workspaces are filled in their order, one phase each, then the output. Between two
// phases is a barrier: all that a tile reads of an earlier phase is there. A band goes through all phases before the
// next one begins; of a workspace that it needs in part it computes that part, whatever its neighbours computed.
struct KernelPlan {
    ArrayDescription output;  // C order
    Program program;
    TilePreference tiles;
    std::vector<Workspace> workspaces;
    // What does not fit into the program: weights, a matrix for each frame. Plain data; the same request gives the same
    // bytes. Workers read it in the volume.
    std::vector<std::byte> table;
    // How far the SIMD code may be from the definition, in units of the largest magnitude of the inputs (integers: off by
    // one where that is a half). 0: bit for bit. However the work is divided, each is bit for bit itself.
    double tolerance = 0.0;
    // Bands begin at multiples of this along their axis. Where arithmetic depends on grouping (folds, running sums,
    // blocks of a matrix product) it is the group's size: groups lie on one grid of the whole array, and the result
    // does not depend on the bands.
    std::int64_t band_step = 1;
    // Of a kernel whose output needs every element of an input, as a fold's does: the workspace in which the results of
    // parts gather. Bands then go along that workspace's slowest axis; it is in the volume whole, and the phases after it
    // are done once, with the last band. Absent: bands go along the output.
    std::optional<std::size_t> gathers;
    // The output is a few numbers: they are told with the job's end, and need no file.
    bool is_answer = false;
    std::vector<ToldTable> told = {};
    OutputGrid grid = {};
    // Every element of the output is an element of the first input: whatever its numbers stand for, they still do.
    bool only_moves = false;
};
// An answer has at most so many elements.
inline constexpr std::int64_t most_answer_elements = 1024;

// Kernels see C order only: a Fortran-ordered array is the C-ordered one of the reversed shape.
enum class AxisOrder : std::uint8_t { as_given, reversed };

// What plan() sees: checked arrays (not empty, sizes in 63 bits, C order) and values of the declared types. Where the
// axes are reversed, values per axis are too; tables are as the user gave them.
struct PlanRequest {
    std::vector<ArrayDescription> inputs;
    ParameterValues parameters;
    AxisOrder axes = AxisOrder::as_given;
    // Of each input, where its file tells it, in the user's order of axes. Empty: of none.
    std::vector<std::optional<WorldMatrix>> worlds = {};

    std::optional<WorldMatrix> world_of(std::size_t input) const {
        return input < worlds.size() ? worlds[input] : std::nullopt;
    }
};

// Indices [begin, end) along one axis of an array.
struct AxisRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    bool operator==(const AxisRange&) const = default;
};

// A band: the output's indices [rows.begin, rows.end) along `output_axis`, the slowest that has more than one. (Of a
// kernel that gathers: of that workspace; it and those after it are no source then.) Which part of a source, along its
// own slowest axis with more than one index, do its elements depend on? Sources are the inputs, then the workspaces. Of
// an input: directly or through workspaces. Of a workspace: what has to be computed.
struct BandQuery {
    const KernelPlan* plan;
    std::span<const Shape> inputs;
    std::size_t source;
    int source_axis;
    int output_axis;
    AxisRange rows;
};

// The axis that bands go along: the slowest with more than one index, so that a band is one run of memory.
inline int band_axis_of(const Shape& shape) {
    int axis = 0;
    while (axis + 1 < shape.rank && shape[axis] == 1) {
        ++axis;
    }
    return axis;
}

// One call of a kernel in a worker. The kernel writes every element of `tile` of the phase's target and nothing else,
// and reads only inputs and workspaces of earlier phases: so a tile may run twice. It neither fails, throws, nor
// allocates; `scratch` is its own for the call (64-byte aligned, contents undefined; the less of it is used, the more
// of it stays in the caches).
// Of arrays that stream through the volume only the band's part is in memory: `data` is where element 0 would lie.
struct TileCall {
    const Program* program;
    std::span<const ConstArrayView> inputs;
    ArrayView target;  // the workspace of this phase; in the last phase the output
    Box tile;          // of the target
    std::span<std::byte> scratch;
    std::size_t phase = 0;  // which workspace is filled; workspaces.size(): the output
    std::span<const ConstArrayView> workspaces{};
    std::span<const std::byte> table{};
};
// Most kernels keep to a few hundred KiB. Blocks of a matrix product are of this size; what is not touched costs nothing.
inline constexpr std::size_t scratch_bytes = 4 * 1024 * 1024;

// A kernel is a record: its description, its plan (pure; runs in the supervisor, bounded time, whatever the values),
// and its tile function, which throws nothing. `fill_scalar` is the definition; `fill` is what runs, and agrees with it.
struct Kernel {
    std::function<const KernelDescription&()> describe;
    std::function<Expected<KernelPlan>(const PlanRequest& request)> plan;
    std::function<void(const TileCall& call)> fill_scalar;
    std::function<void(const TileCall& call)> fill;
    // With its halo, in whole-array indices; must not shrink or move back from one band to the next. A source that the
    // first band needs whole is there whole (a workspace is then computed once). Null: the kernel needs its inputs whole
    // and its output at once, and arrays that do not fit are refused.
    std::function<AxisRange(const BandQuery& query)> band_reads = nullptr;
    // Of a plug-in's kernel: loads its code into this process, a worker, before its first tile. Null: nothing to load.
    std::function<std::optional<Error>()> load = nullptr;
};

}  // namespace slab::kernels
