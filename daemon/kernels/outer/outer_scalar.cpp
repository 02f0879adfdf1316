#include "daemon/kernels/outer/outer.hpp"
#include "daemon/kernels/outer/product.hpp"

#include <cstdint>

namespace slab::kernels {
namespace {

// Bytes, because an input may lie at any address. A bool is true when its byte is not 0.
template <typename T>
T element(const std::byte* data, std::int64_t index) {
    if constexpr (std::is_same_v<T, bool>) {
        return data[index] != std::byte{0};
    } else {
        T value;
        std::memcpy(&value, data + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
        return value;
    }
}

template <typename T>
void fill(const TileCall& call) {
    const std::byte* y = call.inputs[0].data;
    const std::byte* x = call.inputs[1].data;
    for (std::int64_t i = call.tile.begin[0]; i < call.tile.end[0]; ++i) {
        for (std::int64_t j = call.tile.begin[1]; j < call.tile.end[1]; ++j) {
            const T value = product(element<T>(y, i), element<T>(x, j));
            const std::int64_t index = i * call.target.shape[1] + j;
            std::memcpy(call.target.data + index * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
        }
    }
}

}  // namespace

void fill_outer_scalar(const TileCall& call) noexcept {
    switch (call.target.dtype) {
    case DType::boolean: return fill<bool>(call);
    case DType::uint8: return fill<std::uint8_t>(call);
    case DType::int8: return fill<std::int8_t>(call);
    case DType::uint16: return fill<std::uint16_t>(call);
    case DType::int16: return fill<std::int16_t>(call);
    case DType::uint32: return fill<std::uint32_t>(call);
    case DType::int32: return fill<std::int32_t>(call);
    case DType::uint64: return fill<std::uint64_t>(call);
    case DType::int64: return fill<std::int64_t>(call);
    case DType::float32: return fill<float>(call);
    case DType::float64: return fill<double>(call);
    case DType::complex64: return fill<std::complex<float>>(call);
    case DType::complex128: return fill<std::complex<double>>(call);
    }
}

}  // namespace slab::kernels
