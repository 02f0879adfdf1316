#include "client/formats/element_reader.hpp"

#include "client/formats/stored_element.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>

namespace slab {
namespace {

using Convert = void (*)(const std::byte* from, bool is_swapped, std::span<float> to);

template <typename Stored>
void to_floats(const std::byte* from, bool is_swapped, std::span<float> to) {
    for (float& number : to) {
        number = static_cast<float>(stored_element<Stored>(from, is_swapped));
        from += sizeof(Stored);
    }
}

// Null: there is no number for it.
Convert conversion_of(DType dtype) {
    Convert convert = nullptr;
    visit_real_type(dtype, [&convert]<typename Stored>(Stored) { convert = to_floats<Stored>; });
    return convert;
}

}  // namespace

struct ElementReader::File {
    std::string name;
    UniqueDescriptor plain;
    gzFile packed = nullptr;
    std::int64_t position = 0;  // in the plain file
    std::size_t element_bytes = 1;
    bool is_swapped = false;
    Convert convert = nullptr;
    std::vector<std::byte> buffer = {};

    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (packed != nullptr) {
            ::gzclose_r(packed);
        }
    }

    std::unexpected<Error> failure(std::string because) const {
        return std::unexpected(Error{ErrorKind::failed, name + ": cannot be read", std::move(because),
                                     "Look whether the file is still whole."});
    }

    // How many bytes came; fewer at the end. Negative: an error.
    std::int64_t read_some(std::byte* to, std::size_t bytes) {
        if (packed != nullptr) {
            return ::gzread(packed, to, static_cast<unsigned>(std::min<std::size_t>(bytes, 1U << 30U)));
        }
        const ssize_t count = ::pread(plain.get(), to, bytes, position);
        position += std::max<ssize_t>(count, 0);
        return count < 0 && errno == EINTR ? read_some(to, bytes) : count;
    }

    std::string problem() const {
        int code = 0;
        const char* const text = packed != nullptr ? ::gzerror(packed, &code) : nullptr;
        return code == Z_OK || code == Z_ERRNO ? errno_text(errno) : fmt::format("zlib says: {}", text);
    }
};

ElementReader::ElementReader(std::unique_ptr<File> file) : file_(std::move(file)) {}
ElementReader::ElementReader(ElementReader&&) noexcept = default;
ElementReader& ElementReader::operator=(ElementReader&&) noexcept = default;
ElementReader::~ElementReader() = default;

Expected<ElementReader> ElementReader::open(const InputFile& file, std::string name) {
    auto own = std::make_unique<File>();
    own->name = std::move(name);
    own->element_bytes = size_of(file.array.dtype);
    own->is_swapped = file.byte_order != native_byte_order;
    own->convert = conversion_of(file.array.dtype);
    if (own->convert == nullptr) {
        return own->failure(fmt::format("its elements are {}", name_of(file.array.dtype)));
    }
    const std::string again = fmt::format("/proc/self/fd/{}", file.descriptor.get());
    own->plain.reset(::open(again.c_str(), O_RDONLY | O_CLOEXEC));
    if (!own->plain) {
        return own->failure(errno_text(errno));
    }
    own->position = file.offset;
    if (file.codec == InputCodec::gzip) {
        own->packed = ::gzdopen(own->plain.get(), "rb");
        if (own->packed == nullptr) {
            return own->failure("zlib has no memory");
        }
        static_cast<void>(own->plain.release());  // gzclose closes it
        ::gzbuffer(own->packed, 1U << 18U);
        if (::gzseek(own->packed, file.offset, SEEK_SET) < 0) {
            return own->failure(own->problem());
        }
    }
    return ElementReader(std::move(own));
}

Expected<void> ElementReader::read(std::span<float> to) {
    constexpr std::size_t most_bytes = std::size_t{1} << 20U;
    const std::size_t most = most_bytes / file_->element_bytes;
    file_->buffer.resize(most_bytes);
    while (!to.empty()) {
        const std::size_t count = std::min(most, to.size());
        const std::size_t bytes = count * file_->element_bytes;
        for (std::size_t done = 0; done < bytes;) {
            const std::int64_t come = file_->read_some(file_->buffer.data() + done, bytes - done);
            if (come <= 0) {
                return file_->failure(come == 0 ? "it ends too early" : file_->problem());
            }
            done += static_cast<std::size_t>(come);
        }
        file_->convert(file_->buffer.data(), file_->is_swapped, to.first(count));
        to = to.subspan(count);
    }
    return {};
}

Expected<void> ElementReader::skip(std::int64_t elements) {
    const std::int64_t bytes = elements * static_cast<std::int64_t>(file_->element_bytes);
    file_->position += bytes;
    if (file_->packed != nullptr && ::gzseek(file_->packed, bytes, SEEK_CUR) < 0) {
        return file_->failure(file_->problem());
    }
    return {};
}

}  // namespace slab
