#include "daemon/volume/volume_segment.hpp"

#include "common/units/byte_size.hpp"
#include "common/volume/aligned_mapping.hpp"

#include <boost/interprocess/exceptions.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace slab::daemon {
namespace bip = boost::interprocess;
namespace {

constexpr const char* shared_memory_folder = "/dev/shm";

Error segment_error(const std::string& name, std::string because, std::string remedy) {
    return {ErrorKind::failed, fmt::format("the volume '{}' cannot be used", name), std::move(because),
            std::move(remedy)};
}

std::string how_to_remove(const std::string& name) {
    return fmt::format(
        "Remove it (rm {}{}) when no daemon uses it, or start this one with another --instance.",
        shared_memory_folder, name);
}

// What stands under the name already: nothing, one that can be adopted, or an error.
enum class FoundKind : std::uint8_t { nothing, same, other_size };

struct Found {
    FoundKind kind = FoundKind::nothing;
    std::uint64_t last_job = 0;  // numbers are not given out again, whatever becomes of the volume
};

Expected<Found> inspect(const std::string& name, std::int64_t bytes) {
    const UniqueDescriptor object(::shm_open(name.c_str(), O_RDWR | O_CLOEXEC, 0));
    if (!object) {
        const int code = errno;
        if (code == ENOENT) {
            return Found{};
        }
        return std::unexpected(segment_error(
            name, code == EACCES ? "it belongs to another user" : errno_text(code), how_to_remove(name)));
    }
    struct stat status {};
    ::fstat(object.get(), &status);
    if (status.st_uid != ::geteuid()) {
        return std::unexpected(segment_error(
            name, fmt::format("it belongs to the user with id {}", status.st_uid), how_to_remove(name)));
    }
    VolumeHeader header{};
    const ssize_t count = ::pread(object.get(), &header, sizeof(header), 0);
    if (count == 0 || (count == sizeof(header) && header.magic == decltype(header.magic){})) {
        return Found{FoundKind::other_size,
                     0};  // its creator died before it wrote the header: nothing can be in it
    }
    if (count != sizeof(header) || header.magic != volume_magic) {
        return std::unexpected(segment_error(name, "it is not a volume of slabd", how_to_remove(name)));
    }
    if (header.layout != layout_version) {
        return std::unexpected(
            segment_error(name,
                          fmt::format("its layout is version {}, this slabd uses version {}", header.layout,
                                      layout_version),
                          how_to_remove(name)));
    }
    const bool intact = header.volume_bytes == bytes && status.st_size == bytes &&
                        header.extent_count == extent_count_of(bytes) &&
                        header.data_offset == data_offset_of(header.extent_count);
    return Found{intact ? FoundKind::same : FoundKind::other_size, header.last_job};
}

void write_header(std::byte* data, const std::string& instance, std::int64_t bytes, std::uint64_t last_job) {
    VolumeHeader header{};
    header.layout = layout_version;
    header.header_bytes = sizeof(VolumeHeader);
    std::strncpy(header.instance.data(), instance.c_str(), header.instance.size() - 1);
    header.volume_bytes = bytes;
    header.extent_count = extent_count_of(bytes);
    header.data_offset = data_offset_of(header.extent_count);
    header.last_job = last_job;
    std::memcpy(data, &header, sizeof(header));
    // The magic last: a header without it was never finished.
    std::memcpy(data, volume_magic.data(), volume_magic.size());
}

}  // namespace

std::int64_t memory_bytes() {
    return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
}

Expected<VolumeSegment> VolumeSegment::open(const SegmentRequest& request) {
    const std::string name = "/slabd." + request.instance;
    const std::int64_t extents = extent_count_of(request.bytes);
    if (extents < 1) {
        return std::unexpected(
            segment_error(name,
                          fmt::format("its size would be {}; the least is {}", byte_size_text(request.bytes),
                                      byte_size_text(2 * extent_bytes)),
                          "Give it more memory (volume.size)."));
    }
    const std::int64_t bytes = data_offset_of(extents) + extents * extent_bytes;
    const auto found = inspect(name, bytes);
    if (!found) {
        return std::unexpected(found.error());
    }
    try {
        if (found->kind == FoundKind::other_size) {
            spdlog::info("volume={} found with another size: replaced (who is attached to it keeps it)",
                         name);
            bip::shared_memory_object::remove(name.c_str());
        }
        const bool adopted = found->kind == FoundKind::same;
        bip::permissions owner_only(0600);
        bip::shared_memory_object object =
            adopted ? bip::shared_memory_object(bip::open_only, name.c_str(), bip::read_write)
                    : bip::shared_memory_object(bip::create_only, name.c_str(), bip::read_write, owner_only);
        if (request.name == SegmentName::removed) {
            bip::shared_memory_object::remove(name.c_str());
        }
        if (!adopted) {
            // Not Boost's truncate(): it may allocate all the memory (posix_fallocate), page by page.
            if (::ftruncate(object.get_mapping_handle().handle, bytes) != 0) {
                return std::unexpected(segment_error(name, errno_text(errno), "Make volume.size smaller."));
            }
        }
        auto region = map_aligned(object.get_mapping_handle().handle, MappingAccess::read_write, 0, bytes);
        if (!region) {
            return std::unexpected(region.error());
        }
        VolumeSegment segment(name, std::move(object), std::move(*region), adopted);
        // Memory for the header is taken in a way that answers; a plain touch on a full /dev/shm is a SIGBUS.
        if (::madvise(segment.data(), static_cast<std::size_t>(data_offset_of(extents)),
                      MADV_POPULATE_WRITE) != 0) {
            const int code = errno;
            if (!adopted && request.name == SegmentName::kept) {
                bip::shared_memory_object::remove(name.c_str());
            }
            return std::unexpected(segment_error(
                name,
                fmt::format("{} has no room for its header ({})", shared_memory_folder, errno_text(code)),
                "Free space there, or enlarge it: mount -o remount,size=SIZE /dev/shm."));
        }
        if (!adopted) {
            write_header(segment.data(), request.instance, bytes, found->last_job);
        }
        return segment;
    } catch (const bip::interprocess_exception& problem) {
        return std::unexpected(
            segment_error(name, errno_text(problem.get_native_error()), how_to_remove(name)));
    }
}

std::span<ExtentRecord> VolumeSegment::extents() const {
    return {reinterpret_cast<ExtentRecord*>(data() + sizeof(VolumeHeader)),
            static_cast<std::size_t>(extent_count())};
}

std::span<JobRecord> VolumeSegment::job_records() const {
    return {reinterpret_cast<JobRecord*>(data() + job_records_offset_of(extent_count())),
            static_cast<std::size_t>(job_record_count)};
}

std::span<std::uint64_t> VolumeSegment::tile_bits() const {
    return {reinterpret_cast<std::uint64_t*>(data() + tile_bits_offset_of(extent_count())),
            static_cast<std::size_t>(bit_area_count * bit_area_bytes) / sizeof(std::uint64_t)};
}

void VolumeSegment::set_last_job(std::uint64_t job) const {
    reinterpret_cast<VolumeHeader*>(data())->last_job = job;
}

void VolumeSegment::protect_header() const {
    ::mprotect(data(), static_cast<std::size_t>(data_offset()), PROT_READ);
}

void VolumeSegment::remove_name() {
    bip::shared_memory_object::remove(name_.c_str());
}

Expected<std::int64_t> volume_bytes_for(const std::string& size) {
    const std::int64_t wanted = parse_byte_size(size, memory_bytes()).value_or(0);
    struct statvfs status {};
    if (::statvfs(shared_memory_folder, &status) != 0) {
        return std::unexpected(Error{ErrorKind::failed,
                                     fmt::format("{} cannot be used", shared_memory_folder),
                                     errno_text(errno), "Mount a tmpfs there."});
    }
    // A segment of this instance that will be adopted or replaced counts as used here; its own memory is found
    // again when it is adopted, so the total is what limits, not what is free just now.
    const auto total = static_cast<std::int64_t>(status.f_blocks * status.f_frsize);
    if (wanted <= total || total == 0) {
        return wanted;
    }
    if (size.ends_with('%')) {
        const std::int64_t cut = total / 10 * 9;
        spdlog::warn("volume.size={} is {}; /dev/shm has only {}: using {}", size, byte_size_text(wanted),
                     byte_size_text(total), byte_size_text(cut));
        return cut;
    }
    return std::unexpected(Error{
        ErrorKind::failed, "the volume does not fit in /dev/shm",
        fmt::format("volume.size is {}, /dev/shm has {}", byte_size_text(wanted), byte_size_text(total)),
        fmt::format("Make volume.size smaller, or /dev/shm larger: mount -o remount,size={} /dev/shm.",
                    wanted + wanted / 10)});
}

}  // namespace slab::daemon
