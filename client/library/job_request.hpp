#pragma once

#include "common/array/array_description.hpp"
#include "common/array/grid_map.hpp"
#include "common/array/number_table.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace slab {

inline constexpr ByteOrder native_byte_order =
    std::endian::native == std::endian::little ? ByteOrder::little : ByteOrder::big;

// Typed, or text spelled as on the command line: the daemon reads both alike. Names of files it does not read.
using ParameterValue = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>,
                                    std::vector<double>, NumberTable, bool>;
using Parameters = std::map<std::string, ParameterValue, std::less<>>;

// How an input's file is packed.
enum class InputCodec : std::uint8_t { none, gzip };

// One input: bytes of a file, or of this process's memory. Both are borrowed until submit has returned.
// Memory is copied (the daemon reads no client's memory); a descriptor is not, so the file must not change
// while the job loads.
struct InputArray {
    ArrayDescription array;
    ByteOrder byte_order = native_byte_order;
    int descriptor = -1;                // a regular file or a memfd, open for reading
    std::int64_t offset = 0;            // of the first element in the file; of a packed one, unpacked
    std::span<const std::byte> memory;  // used when descriptor is -1
    InputCodec codec = InputCodec::none;
    // From the array's indices to mm, where its file tells it: for kernels that work in millimetres.
    std::optional<WorldMatrix> world = {};

    static InputArray from_descriptor(const ArrayDescription& array, ByteOrder byte_order, int descriptor,
                                      std::int64_t offset, InputCodec codec = InputCodec::none) {
        return {array, byte_order, descriptor, offset, {}, codec, {}};
    }
    static InputArray from_memory(const ArrayDescription& array, std::span<const std::byte> memory) {
        return {array, native_byte_order, -1, 0, memory, InputCodec::none, {}};
    }
};

// The file that a result goes to. The daemon writes the payload from offset on and then, as the very last
// thing, header at 0: until then the file does not read as a valid one.
struct OutputTarget {
    enum class Access : std::uint8_t {
        positioned,  // a regular file
        sequential,  // a pipe or any other file, written in order from its position on: header, then payload
    };

    int descriptor = -1;  // open for writing; borrowed until submit has returned
    std::int64_t offset = 0;
    std::string header = {};  // bytes, at most offset of them (sequential: exactly); empty: none is written
    Access access = Access::positioned;
};

// What a job does when its output's file system has too little space.
enum class SpacePolicy : std::uint8_t { refuse, wait };

// A kernel of a pipeline. Its inputs are the job's (by number) or the outputs of other steps (by name).
struct PipelineStep {
    using Input = std::variant<std::size_t, std::string>;

    std::string name;
    std::string kernel;
    Parameters parameters;
    std::vector<Input> inputs;
};

// A job as it is asked for: a kernel on all inputs, or the steps of a pipeline, of which exactly one is no other's input: its
// output is the job's. What lies between two steps is in the volume only, band by band where the arrays are large.
// Without an output the result is kept in the volume.
struct JobRequest {
    std::string kernel = {};
    Parameters parameters = {};
    std::vector<PipelineStep> steps = {};  // instead of kernel and parameters; in any order
    std::vector<InputArray> inputs = {};
    std::optional<OutputTarget> output = {};
    bool to_file = false;         // for plan, before there is a file: the result will go to one
    bool keep = false;            // in the volume beside the file, until Connection::drop
    bool linked = false;          // cancelled when this connection closes
    bool watch = true;            // this connection hears of its progress and end, so that wait need not ask
    int priority = 0;             // -20 to 19, 19 last, as nice
    std::string max_memory = {};  // "6GiB", "50%" or bytes; empty: no bound of its own
    std::string tile_bytes = {};  // the same; empty: the daemon's setting
    std::string name = {};        // free text for lists
    SpacePolicy when_disk_is_full = SpacePolicy::refuse;
    std::string note = {};  // a JSON object, at most 16 KiB, given back in JobStatus: the client's own memory
};

}  // namespace slab
