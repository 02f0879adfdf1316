#include "client/formats/npy_header.hpp"

#include "client/formats/dict_literal.hpp"

#include <fmt/format.h>

#include <bit>

namespace slab {
namespace {

// numpy itself refuses headers above 10,000 characters unless told otherwise; ours need 4 KiB.
constexpr std::size_t longest_header = std::size_t{1} << 20;

std::unexpected<Error> refuse(const std::string& name, std::string_view what, std::string because,
                              std::string remedy = {}) {
    return std::unexpected(
        Error{ErrorKind::usage, fmt::format("{}: {}", name, what), std::move(because), std::move(remedy)});
}

const Literal* find(const Literal::Dict& dict, std::string_view key) {
    for (const auto& [name, value] : dict) {
        if (name == key) {
            return &value;
        }
    }
    return nullptr;
}

Expected<DTypeAndOrder> dtype_of(const Literal& descr, const std::string& name) {
    if (std::holds_alternative<Literal::List>(descr.value) ||
        std::holds_alternative<Literal::Tuple>(descr.value)) {
        return refuse(name, "structured arrays are not supported",
                      "its elements are records of several fields",
                      "Save one field as an array of its own: np.save('field.npy', a['field']).");
    }
    const auto* const text = std::get_if<std::string>(&descr.value);
    if (text == nullptr) {
        return refuse(name, "the header cannot be read", "its 'descr' is no text");
    }
    if (const auto dtype = parse_dtype(*text)) {
        return *dtype;
    }
    if (text->find('O') != std::string::npos) {
        return refuse(name, "object arrays are not supported", "its elements are pickled Python objects",
                      "Convert it to numbers first, for instance a.astype('float32').");
    }
    return refuse(name, fmt::format("elements of type '{}' are not supported", text->substr(0, 40)),
                  "arrays are bool, (u)int8 to (u)int64, float32, float64, complex64 or complex128",
                  "Convert it first, for instance a.astype('float32').");
}

Expected<Shape> shape_of(const Literal& literal, const std::string& name) {
    const auto* const tuple = std::get_if<Literal::Tuple>(&literal.value);
    if (tuple == nullptr) {
        return refuse(name, "the header cannot be read", "its 'shape' is no tuple");
    }
    std::vector<std::int64_t> extents;
    for (const Literal& item : tuple->items) {
        const auto* const extent = std::get_if<std::int64_t>(&item.value);
        if (extent == nullptr || *extent < 0) {
            return refuse(name, "the header cannot be read",
                          "its 'shape' is not made of whole numbers from 0 up");
        }
        extents.push_back(*extent);
    }
    const std::optional<Shape> shape = shape_from(extents);
    if (!shape) {
        return refuse(name, fmt::format("arrays of {} dimensions are not supported", extents.size()),
                      fmt::format("at most {} are", max_rank), "Join neighbouring axes with reshape.");
    }
    return *shape;
}

Expected<NpyHeader> header_from(const Literal::Dict& dict, const std::string& name) {
    const Literal* const descr = find(dict, "descr");
    const Literal* const fortran_order = find(dict, "fortran_order");
    const Literal* const shape = find(dict, "shape");
    if (dict.size() != 3 || descr == nullptr || fortran_order == nullptr || shape == nullptr) {
        return refuse(name, "the header cannot be read",
                      "its keys are not exactly 'descr', 'fortran_order' and 'shape'");
    }
    const auto* const is_fortran = std::get_if<bool>(&fortran_order->value);
    if (is_fortran == nullptr) {
        return refuse(name, "the header cannot be read", "its 'fortran_order' is neither True nor False");
    }
    const auto dtype = dtype_of(*descr, name);
    if (!dtype) {
        return std::unexpected(dtype.error());
    }
    const auto extents = shape_of(*shape, name);
    if (!extents) {
        return std::unexpected(extents.error());
    }
    NpyHeader header;
    header.array = {dtype->dtype, *extents, *is_fortran ? MemoryOrder::fortran : MemoryOrder::c};
    header.byte_order = dtype->order;
    return header;
}

}  // namespace

Expected<NpyHeader> read_npy_header(const ByteSource& source, const std::string& name) {
    // Magic, two bytes of version, then the header's length: 2 bytes in version 1, 4 in the later ones.
    const Expected<std::string> start = source(0, 12);
    if (!start) {
        return std::unexpected(start.error());
    }
    if (!start->starts_with(npy_magic)) {
        return refuse(name, "this is no .npy file", "it does not begin as one",
                      "Say what it is if it is raw: --input-dtype, --input-shape.");
    }
    const auto byte_at = [&start](std::size_t i) {
        return i < start->size() ? static_cast<std::size_t>(static_cast<unsigned char>((*start)[i])) : 0;
    };
    const std::size_t major = byte_at(6);
    if (start->size() == 12 && (major < 1 || major > 3 || byte_at(7) != 0)) {
        return refuse(name, "this version of the .npy format is not known",
                      fmt::format("it is {}.{}; versions 1.0, 2.0 and 3.0 are known", major, byte_at(7)));
    }
    const std::size_t prefix = major == 1 ? 10 : 12;
    std::size_t length = byte_at(8) | byte_at(9) << 8;
    if (major != 1) {
        length |= byte_at(10) << 16 | byte_at(11) << 24;
    }
    if (length > longest_header) {
        return refuse(name, "the header cannot be read",
                      fmt::format("it claims {} bytes; {} is the limit", length, longest_header));
    }
    const Expected<std::string> text = source(static_cast<std::int64_t>(prefix), length);
    if (!text) {
        return std::unexpected(text.error());
    }
    if (start->size() < prefix || text->size() < length) {
        return refuse(name, "the file is cut short",
                      fmt::format("its header should have {} bytes; the whole file has {}", prefix + length,
                                  start->size() < prefix ? start->size() : prefix + text->size()),
                      "Write or copy the file again.");
    }
    const Expected<Literal::Dict> dict = parse_dict_literal(*text);
    if (!dict) {
        return refuse(name, dict.error().what, dict.error().because);
    }
    Expected<NpyHeader> header = header_from(*dict, name);
    if (!header) {
        return header;
    }
    header->data_offset = static_cast<std::int64_t>(prefix + length);
    const std::optional<std::int64_t> bytes = checked_byte_count(header->array);
    if (!bytes) {
        return refuse(name, "the array is larger than 2^63 bytes",
                      fmt::format("its shape is {}", to_text(header->array.shape)), "Write the file again.");
    }
    return header;
}

std::string make_npy_header(const ArrayDescription& array) {
    constexpr auto native = std::endian::native == std::endian::little ? ByteOrder::little : ByteOrder::big;
    std::string header =
        fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type_string(array.dtype, native),
                    array.order == MemoryOrder::fortran ? "True" : "False", to_text(array.shape));
    constexpr std::size_t prefix = 10;
    constexpr std::size_t length = npy_data_offset - prefix;
    static_assert(length < 65536, "version 1.0 counts the header in 16 bits");
    header.resize(length - 1, ' ');
    header += '\n';
    std::string start(npy_magic);
    start += '\1';
    start += '\0';
    start += static_cast<char>(length & 0xff);
    start += static_cast<char>(length >> 8);
    return start + header;
}

}  // namespace slab
