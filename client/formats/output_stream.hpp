#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <cstdint>
#include <string>

namespace slab {

// Where a result is to go: a file, which appears when it is complete, or a stream, which a reader sees grow.
enum class OutputPlace : std::uint8_t {
    file,
    standard_output,  // "-"
    pipe,             // the path of an existing FIFO
};
OutputPlace output_place_of(const std::string& path);

// A descriptor of the stream, open for writing. That of a pipe comes when the pipe has a reader. Errors of
// kind usage: stdout is a terminal or closed; the pipe cannot be opened.
Expected<UniqueDescriptor> open_output_stream(OutputPlace place, const std::string& path);

}  // namespace slab
