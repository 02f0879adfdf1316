#include "daemon/admission/answer_json.hpp"

#include "common/protocol/table_json.hpp"

#include <complex>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

namespace slab::daemon {
namespace {

template <typename T>
Json number(const T& value) {
    if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
        return Json::array({real_to_json(value.real()), real_to_json(value.imag())});
    } else if constexpr (std::is_floating_point_v<T>) {
        return real_to_json(static_cast<double>(value));
    } else {
        constexpr auto largest_exact = std::int64_t{1} << 53;  // JSON's numbers are doubles to many readers
        const bool is_exact =
            std::cmp_less_equal(value, largest_exact) && std::cmp_greater_equal(value, -largest_exact);
        return is_exact ? Json(value) : Json(std::to_string(value));
    }
}

template <typename T>
Json elements(const std::byte* data, std::int64_t count) {
    Json list = Json::array();
    for (std::int64_t i = 0; i < count; ++i) {
        T value;
        std::memcpy(&value, data + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
        list.push_back(number(value));
    }
    return count == 1 ? list.front() : list;
}

Json truths(const std::byte* data, std::int64_t count) {
    Json list = Json::array();
    for (std::int64_t i = 0; i < count; ++i) {
        list.push_back(data[i] != std::byte{0});
    }
    return count == 1 ? list.front() : list;
}

}  // namespace

Json answer_to_json(const std::byte* data, const ArrayDescription& array) {
    const std::int64_t count = element_count(array.shape);
    switch (array.dtype) {
    case DType::boolean: return truths(data, count);
    case DType::uint8: return elements<std::uint8_t>(data, count);
    case DType::int8: return elements<std::int8_t>(data, count);
    case DType::uint16: return elements<std::uint16_t>(data, count);
    case DType::int16: return elements<std::int16_t>(data, count);
    case DType::uint32: return elements<std::uint32_t>(data, count);
    case DType::int32: return elements<std::int32_t>(data, count);
    case DType::uint64: return elements<std::uint64_t>(data, count);
    case DType::int64: return elements<std::int64_t>(data, count);
    case DType::float32: return elements<float>(data, count);
    case DType::float64: return elements<double>(data, count);
    case DType::complex64: return elements<std::complex<float>>(data, count);
    case DType::complex128: return elements<std::complex<double>>(data, count);
    }
    return {};
}

Json table_rows_to_json(const std::byte* data, const std::array<std::int64_t, 2>& extents) {
    Json rows = Json::array();
    for (std::int64_t row = 0; row < extents[0]; ++row) {
        rows.push_back(elements<double>(data + row * extents[1] * 8, extents[1]));
    }
    return rows;
}

}  // namespace slab::daemon
