#pragma once

#include "common/errors/error.hpp"
#include "common/files/unique_descriptor.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace slab {

enum class ExistingFile : std::uint8_t { refuse, replace };

// A result's file, which appears under its name only when it is complete.
//
// An unnamed file in the target's folder, which nobody sees and which is gone with this process, however that
// ends; commit() gives it the name. Where the file system has no unnamed files (NFS, FUSE): one named
// .NAME.slab-PID-RANDOM, removed by the destructor.
class OutputFile {
  public:
    // An error of kind usage when the target exists (unless it may be replaced), is no regular file, or its
    // folder cannot be written to.
    static Expected<OutputFile> create(const std::string& path, ExistingFile existing);

    // Under its name from the start, and exclusively: for a job that outlives this process. Removed by the
    // destructor unless committed. A file that may be replaced is replaced only by commit().
    static Expected<OutputFile> create_in_place(const std::string& path, ExistingFile existing);

    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    int descriptor() const { return descriptor_.get(); }

    // Writes at the file's beginning, through the page cache: the daemon may have left O_DIRECT set.
    Expected<void> write_header(std::string_view header);

    // Puts the bytes on disk, then the name, then the folder. The target that came into being meanwhile is an
    // error unless it may be replaced.
    Expected<void> commit();

    // Gives the name and forgets the file, which somebody else is still writing.
    Expected<void> commit_name();

  private:
    OutputFile() = default;

    Expected<void> find_folder(const std::string& path);
    Expected<void> check_target() const;
    Expected<void> open_unnamed();
    Expected<void> open_temporary();
    Expected<void> give_name();
    Expected<void> link_to(const std::string& name);
    std::string fresh_name() const;
    std::unexpected<Error> failure(std::string_view what, int code) const;
    std::unexpected<Error> exists() const;

    std::string path_;  // as it was given, for errors
    std::string name_;  // in the folder
    ExistingFile existing_ = ExistingFile::refuse;
    UniqueDescriptor folder_;
    UniqueDescriptor descriptor_;
    std::string temporary_;  // the name that the destructor removes; empty: none
    bool in_place_ = false;  // temporary_ is the target itself
};

}  // namespace slab
