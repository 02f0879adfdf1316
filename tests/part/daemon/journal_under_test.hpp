#pragma once

#include "common/files/unique_descriptor.hpp"
#include "daemon/journal/journal_file.hpp"
#include "tests/part/client/scratch_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slab::test {

using Records = std::vector<std::string>;

// A folder for one journal.
struct JournalFolder {
    JournalFolder() : descriptor(::open((files / "").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        REQUIRE(descriptor);
    }
    daemon::OpenedJournal open() const {
        auto opened = daemon::open_journal(descriptor.get());
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }
    Records records() const { return open().contents.records; }

    ScratchFolder files;
    UniqueDescriptor descriptor;
};

inline bool is_prefix(std::span<const std::string> part, std::span<const std::string> whole) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

}  // namespace slab::test
