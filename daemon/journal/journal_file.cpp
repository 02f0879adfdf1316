#include "daemon/journal/journal_file.hpp"

#include "common/pausing/pause_point.hpp"
#include "common/recording/write_recording.hpp"
#include "daemon/journal/journal_frame.hpp"
#include "daemon/journal/whole_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <expected>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace slab::daemon {
namespace {

constexpr const char* journal_name = "journal";
constexpr const char* new_name = "journal.new";

// fsync or fdatasync, told to the record of writes. 0 or an errno.
template <int (*Sync)(int)>
int synced(int descriptor) {
    const std::uint64_t begun = record_sync_begin();
    if (Sync(descriptor) != 0) {
        return errno;
    }
    record_sync(descriptor, begun);
    return 0;
}

bool fits_a_frame(const std::string& record) {
    return !record.empty() && record.size() <= longest_payload;
}

std::string frames_of(std::span<const std::string> records, std::uint64_t sequence) {
    std::string frames;
    for (const std::string& record : records) {
        append_frame(frames, sequence++, record);
    }
    return frames;
}

struct Replacement {
    UniqueDescriptor file;
    int error = 0;
    bool is_renamed = false;  // the old file has lost its name, though perhaps not on disk
};

Replacement replace_journal(int folder, std::string_view bytes) {
    ::unlinkat(folder, new_name, 0);
    Replacement replacement;
    replacement.file.reset(
        ::openat(folder, new_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!replacement.file) {
        replacement.error = errno;
        return replacement;
    }
    record_create(replacement.file.get());
    int& error = replacement.error;
    error = write_whole(replacement.file.get(), 0, bytes);
    if (error == 0) {
        error = synced<::fsync>(replacement.file.get());
    }
    pause_point("journal-before-rename");
    if (error == 0 && ::renameat(folder, new_name, folder, journal_name) != 0) {
        error = errno;
    }
    if (error != 0) {
        ::unlinkat(folder, new_name, 0);
        return replacement;
    }
    record_rename(folder, new_name, journal_name);
    replacement.is_renamed = true;
    error = synced<::fsync>(folder);
    return replacement;
}

Error open_error(int folder, std::string_view what, int code) {
    const bool full = code == ENOSPC || code == EDQUOT;
    return {ErrorKind::failed, fmt::format("the journal '{}/{}' {}", path_of(folder), journal_name, what),
            errno_text(code),
            full ? "Free space there: a few MiB will do."
                 : "Look at the folder, its owner and its disk: slabd does not start without a journal."};
}

// The damaged file under a name that nobody has yet.
std::expected<std::string, int> keep_copy(int folder, int file) {
    const auto bytes = whole_file(file);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    const std::string first_choice =
        fmt::format("{}.damaged-{}", journal_name, static_cast<long long>(std::time(nullptr)));
    std::string name = first_choice;
    UniqueDescriptor copy;
    for (int attempt = 2; !copy; ++attempt) {
        copy.reset(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!copy && errno != EEXIST) {
            return std::unexpected(errno);
        }
        if (!copy) {
            name = fmt::format("{}-{}", first_choice, attempt);
        }
    }
    record_create(copy.get());
    int error = write_whole(copy.get(), 0, *bytes);
    if (error == 0) {
        error = synced<::fsync>(copy.get());
    }
    if (error == 0) {
        error = synced<::fsync>(folder);
    }
    if (error != 0) {
        ::unlinkat(folder, name.c_str(), 0);
        return std::unexpected(error);
    }
    return name;
}

int cut_off(int file, std::int64_t length) {
    if (::ftruncate(file, length) != 0) {
        return errno;
    }
    record_truncate(file, length);
    return 0;
}

Expected<UniqueDescriptor> open_or_create(int folder) {
    UniqueDescriptor file(::openat(folder, journal_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file && errno == ENOENT) {
        // Not created under its name: a journal without a whole head is then never there.
        Replacement created = replace_journal(folder, file_head());
        if (created.error != 0) {
            return std::unexpected(open_error(folder, "cannot be created", created.error));
        }
        return std::move(created.file);
    }
    if (!file) {
        return std::unexpected(open_error(folder, "cannot be opened", errno));
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return std::unexpected(open_error(folder, "is not a regular file", EINVAL));
    }
    return file;
}

}  // namespace

int JournalWriter::append(std::span<const std::string> records) {
    if (failure_ != 0) {
        return failure_;
    }
    if (!std::ranges::all_of(records, fits_a_frame)) {
        return EMSGSIZE;
    }
    const std::string frames = frames_of(records, next_sequence_);
    pause_point("journal-before-write");
    failure_ = write_whole(file_.get(), end_, frames);
    if (failure_ != 0) {
        return failure_;
    }
    pause_point("journal-before-sync");
    failure_ = synced<::fdatasync>(file_.get());
    if (failure_ == 0) {
        end_ += static_cast<std::int64_t>(frames.size());
        next_sequence_ += records.size();
    }
    return failure_;
}

int JournalWriter::rewrite(std::span<const std::string> records) {
    if (!std::ranges::all_of(records, fits_a_frame)) {
        return EMSGSIZE;
    }
    const std::string bytes = file_head() + frames_of(records, next_sequence_);
    pause_point("journal-before-write");
    Replacement replacement = replace_journal(folder_, bytes);
    if (replacement.is_renamed) {
        file_ = std::move(replacement.file);
        end_ = static_cast<std::int64_t>(bytes.size());
        next_sequence_ += records.size();
        failure_ = replacement.error;
    }
    return replacement.error;
}

int JournalWriter::sync() {
    if (failure_ == 0) {
        failure_ = synced<::fdatasync>(file_.get());
    }
    if (failure_ == 0) {
        failure_ = synced<::fsync>(folder_);  // it may have died between a rewrite's rename and this
    }
    return failure_;
}

Expected<OpenedJournal> open_journal(int folder) {
    ::unlinkat(folder, new_name, 0);
    auto file = open_or_create(folder);
    if (!file) {
        return std::unexpected(file.error());
    }
    auto contents = read_journal(file->get());
    if (!contents) {
        return std::unexpected(contents.error());
    }
    std::string damaged_copy;
    if (contents->damage && contents->damage->kind == DamageKind::damaged) {
        const auto copy = keep_copy(folder, file->get());
        if (!copy) {
            return std::unexpected(
                open_error(folder, "is damaged, and a copy of it cannot be kept beside it", copy.error()));
        }
        damaged_copy = *copy;
    }
    if (contents->head_is_good && contents->lost_bytes > 0) {
        if (const int error = cut_off(file->get(), contents->good_bytes); error != 0) {
            return std::unexpected(open_error(folder, "cannot be repaired", error));
        }
    }
    OpenedJournal opened{
        JournalWriter(folder, std::move(*file), contents->good_bytes, contents->next_sequence),
        std::move(*contents), std::move(damaged_copy)};
    const int error =
        opened.contents.head_is_good ? opened.writer.sync() : opened.writer.rewrite(opened.contents.records);
    if (error != 0) {
        return std::unexpected(open_error(folder, "cannot be written", error));
    }
    return opened;
}

}  // namespace slab::daemon
