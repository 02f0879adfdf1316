#pragma once

#include "common/errors/error.hpp"
#include "daemon/mover/mover_messages.hpp"

#include <expected>

namespace slab::daemon {

// What may be wrong with a file before a byte of it is moved.

Expected<FileIdentity> check_input(int descriptor, const InputBytes& input, std::size_t number);

enum class Shortage : std::uint8_t { none, no_space };
struct OutputTrouble {
    Error error;
    Shortage shortage = Shortage::none;  // no_space: it may be tried again later
};

// Takes the output's space now, so that a full disk is an answer and not a half-written file. Where the file system
// cannot reserve, what is free now must do.
std::expected<FileIdentity, OutputTrouble> reserve_output(int descriptor, const OutputBytes& output);

// The error of a disk that is full midway, with both numbers: of an output that has its size already, what lies in its
// holes is what is missing.
Error ran_full(int descriptor);

}  // namespace slab::daemon
