// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h), as voxel_loops_inl.hpp.
#if defined(SLAB_REALIGN_GAIN_LOOPS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_REALIGN_GAIN_LOOPS
#undef SLAB_REALIGN_GAIN_LOOPS
#else
#define SLAB_REALIGN_GAIN_LOOPS
#endif

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::realign {
namespace HWY_NAMESPACE {

// Voxels that are summed up side by side, whatever vectors there are: part of the result's definition.
inline constexpr std::size_t field_lanes = 16;
using FieldLanes [[gnu::vector_size(64)]] = float;
static_assert(sizeof(FieldLanes) == field_lanes * sizeof(float));

// The first `used` of them; the others are 0.
HWY_INLINE void load_lanes(const float* from, std::size_t used, FieldLanes& lanes) {
    lanes = FieldLanes{};
    std::memcpy(&lanes, from, used * sizeof(float));
}

// cos(n a) for n up to `most`, from cos(a): cos((n+1) a) = 2 cos(a) cos(n a) - cos((n-1) a).
HWY_INLINE void make_waves(const float* cosine, std::size_t used, std::int64_t most, FieldLanes* waves) {
    waves[0] = FieldLanes{} + 1.0F;
    load_lanes(cosine, used, waves[1]);
    for (std::size_t n = 2; n <= static_cast<std::size_t>(most); ++n) {
        waves[n] = 2.0F * waves[1] * waves[n - 1] - waves[n - 2];
    }
}

// The sum of lanes, halves on halves.
HWY_INLINE double sum_of(const FieldLanes& terms) {
    std::array<float, field_lanes> lanes;
    std::memcpy(lanes.data(), &terms, sizeof(terms));
    for (std::size_t half = field_lanes / 2; half > 0; half /= 2) {
        for (std::size_t lane = 0; lane < half; ++lane) {
            lanes[lane] += lanes[lane + half];
        }
    }
    return static_cast<double>(lanes[0]);
}

// Columns and instruments of voxels side by side; voxels beyond the last count nothing.
struct ColumnLanes {
    FieldLanes column[column_count] = {};
    FieldLanes instrument[column_count] = {};
};

HWY_INLINE void load_columns(const ReferenceImage& reference, std::int64_t begin, std::size_t used,
                             ColumnLanes& to) {
    for (std::size_t lane = 0; lane < used; ++lane) {
        const Columns columns = columns_of(reference, begin + static_cast<std::int64_t>(lane));
        const Columns instruments = instruments_of(reference, begin + static_cast<std::int64_t>(lane));
        for (std::size_t k = 0; k < column_count; ++k) {
            to.column[k][lane] = static_cast<float>(columns[k]);
            to.instrument[k][lane] = static_cast<float>(instruments[k]);
        }
    }
}

// What a group's voxels add to the fields' part of the normal matrix.
void add_field_normal_of_group(const ReferenceImage& reference, const GainFields& fields,
                               const GainWaves& chosen, std::int64_t begin, std::int64_t count,
                               GainNormal& normal) {
    const auto fields_count = static_cast<std::size_t>(chosen.count);
    FieldLanes along[3][most_waves_along + 1];
    FieldLanes field[most_gain_fields];
    FieldLanes weighted[most_gain_fields];
    FieldLanes fixed_by_gain[column_count][most_gain_fields];
    FieldLanes gain_by_fixed[column_count][most_gain_fields];
    FieldLanes gain_by_gain[most_gain_fields * (most_gain_fields + 1) / 2];
    for (std::size_t k = 0; k < column_count; ++k) {
        std::fill_n(fixed_by_gain[k], fields_count, FieldLanes{});
        std::fill_n(gain_by_fixed[k], fields_count, FieldLanes{});
    }
    std::fill_n(gain_by_gain, fields_count * (fields_count + 1) / 2, FieldLanes{});
    for (std::int64_t i = begin; i < begin + count; i += static_cast<std::int64_t>(field_lanes)) {
        const std::size_t used = std::min(field_lanes, static_cast<std::size_t>(begin + count - i));
        for (std::size_t axis = 0; axis < 3; ++axis) {
            make_waves(fields.cosine[axis] + i, used, chosen.most, along[axis]);
        }
        ColumnLanes columns;
        load_columns(reference, i, used, columns);
        FieldLanes value;
        FieldLanes weighted_value;
        load_lanes(reference.value + i, used, value);
        load_lanes(fields.weighted_value + i, used, weighted_value);
        std::size_t pair = 0;
        for (std::size_t a = 0; a < fields_count; ++a) {
            const auto& waves = chosen.waves[a];
            const FieldLanes cosines = along[0][waves[0]] * along[1][waves[1]] * along[2][waves[2]];
            field[a] = value * cosines;
            weighted[a] = weighted_value * cosines;
            for (std::size_t k = 0; k < column_count; ++k) {
                fixed_by_gain[k][a] += columns.instrument[k] * field[a];
                gain_by_fixed[k][a] += columns.column[k] * weighted[a];
            }
            for (std::size_t b = 0; b <= a; ++b, ++pair) {
                gain_by_gain[pair] += weighted[a] * field[b];
            }
        }
    }
    std::size_t pair = 0;
    for (std::size_t a = 0; a < fields_count; ++a) {
        for (std::size_t k = 0; k < column_count; ++k) {
            normal.fixed_by_gain[k * fields_count + a] += sum_of(fixed_by_gain[k][a]);
            normal.gain_by_fixed[a * column_count + k] += sum_of(gain_by_fixed[k][a]);
        }
        for (std::size_t b = 0; b <= a; ++b, ++pair) {
            normal.gain_by_gain[a * fields_count + b] += sum_of(gain_by_gain[pair]);
        }
    }
}

void sum_fields_of_group(const GainFields& fields, const GainWaves& chosen, std::int64_t begin,
                         std::int64_t count, const float* weighted_rest, double* sums) {
    const auto fields_count = static_cast<std::size_t>(chosen.count);
    FieldLanes partial[most_gain_fields];
    std::fill_n(partial, fields_count, FieldLanes{});
    FieldLanes along[3][most_waves_along + 1];
    for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(field_lanes)) {
        const std::size_t used = std::min(field_lanes, static_cast<std::size_t>(count - i));
        for (std::size_t axis = 0; axis < 3; ++axis) {
            make_waves(fields.cosine[axis] + begin + i, used, chosen.most, along[axis]);
        }
        FieldLanes rest;
        load_lanes(weighted_rest + i, used, rest);
        // Fields follow each other by their waves, the last axis' fastest.
        FieldLanes along_x{};
        FieldLanes in_plane{};
        std::array<std::int8_t, 2> known{-1, -1};
        for (std::size_t field = 0; field < fields_count; ++field) {
            const auto& waves = chosen.waves[field];
            if (waves[0] != known[0]) {
                along_x = rest * along[0][waves[0]];
            }
            if (waves[0] != known[0] || waves[1] != known[1]) {
                in_plane = along_x * along[1][waves[1]];
                known = {waves[0], waves[1]};
            }
            partial[field] += in_plane * along[2][waves[2]];
        }
    }
    for (std::size_t field = 0; field < fields_count; ++field) {
        sums[field] += sum_of(partial[field]);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::realign
HWY_AFTER_NAMESPACE();

#endif
