#include "common/plugin/slab_kernel.h"
#include "daemon/kernels/plugin/plugin_kernel.hpp"
#include "daemon/kernels/plugin/plugin_tile.hpp"
#include "daemon/kernels/plugin/plugin_values.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace slab;
using namespace slab::kernels;

namespace {

void fill_nothing(const slab_tile*) {}

// Sound as it is; each test spoils one thing.
slab_kernel blur() {
    slab_kernel kernel{};
    kernel.name = "blur";
    kernel.summary = "a blur";
    kernel.inputs[0] = {.name = "image", .dtypes = "float32, float64"};
    kernel.parameters[0] = {.name = "radius",
                            .type = SLAB_INTEGER,
                            .help = "of the window",
                            .range = "0 to 9",
                            .default_value = "1"};
    kernel.output = {
        .dtype = "image", .shape = "image", .reads = {"begin - radius : end + radius"}, .fill = fill_nothing};
    return kernel;
}

std::expected<PluginKernel, std::string> checked(const slab_kernel& kernel) {
    const slab_plugin table{SLAB_KERNEL_ABI, sizeof(slab_kernel), &kernel, 1};
    const auto told = read_plugin_table(table);
    return told ? check_plugin_kernel(told->front(), {"/opt/blur.so", "0123"})
                : std::unexpected(told.error());
}

std::string complaint_about(const std::function<void(slab_kernel&)>& spoil) {
    slab_kernel kernel = blur();
    spoil(kernel);
    const auto result = checked(kernel);
    return result ? "" : result.error();
}

PluginKernel sound(const slab_kernel& kernel) {
    auto result = checked(kernel);
    REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error()));
    return std::move(*result);
}

PlanRequest request_of(std::vector<Shape> shapes, DType dtype = DType::float32) {
    PlanRequest request;
    for (const Shape& shape : shapes) {
        request.inputs.push_back({dtype, shape, MemoryOrder::c});
    }
    request.parameters.set("radius", std::int64_t{2});
    return request;
}

}  // namespace

TEST_CASE("a table of another version or size is refused with both numbers") {
    const slab_kernel kernel = blur();
    CHECK(read_plugin_table({SLAB_KERNEL_ABI + 1, sizeof(slab_kernel), &kernel, 1}).error() ==
          "it is made for version 2 of slab_kernel.h, and this slabd for version 1");
    CHECK(read_plugin_table({SLAB_KERNEL_ABI, 8, &kernel, 1}).error() ==
          "its slab_kernel has 8 bytes, and that of version 1 has " + std::to_string(sizeof(slab_kernel)));
    CHECK(read_plugin_table({SLAB_KERNEL_ABI, sizeof(slab_kernel), &kernel, 0}).error() ==
          "it tells of 0 kernels, and a plug-in has 1 to 64");
}

TEST_CASE("nonsense in a description is told with kernel and field") {
    CHECK(complaint_about([](slab_kernel&) {}) == "");
    const std::pair<const char*, std::function<void(slab_kernel&)>> cases[] = {
        {"kernel 1, name: it is longer than 40 bytes",
         [](slab_kernel& k) { k.name = "a_name_that_is_longer_than_forty_bytes_is_not_taken"; }},
        {"kernel 'Blur': the name 'Blur' is not of small letters, digits and _ between them",
         [](slab_kernel& k) { k.name = "Blur"; }},
        {"a kernel: it has no name", [](slab_kernel& k) { k.name = nullptr; }},
        {"kernel 'lambda': 'lambda' is a reserved word of Python", [](slab_kernel& k) { k.name = "lambda"; }},
        {"kernel 'blur': it has no summary", [](slab_kernel& k) { k.summary = nullptr; }},
        {"kernel 'blur', summary: it is no single line of UTF-8", [](slab_kernel& k) { k.summary = "a\nb"; }},
        {"kernel 'blur', summary: it is no single line of UTF-8", [](slab_kernel& k) { k.summary = "\xC3"; }},
        {"kernel 'blur', details: it is no text of UTF-8",
         [](slab_kernel& k) { k.details = "\xED\xA0\x80"; }},
        {"kernel 'blur': flags 0x80 are not known", [](slab_kernel& k) { k.flags = 0x80; }},
        {"kernel 'blur': it has no input",
         [](slab_kernel& k) {
             k.inputs[0] = {};
             k.output.reads[0] = nullptr;
         }},
        {"kernel 'blur', input 'image': 3 to 2 dimensions are not possible",
         [](slab_kernel& k) {
             k.inputs[0].least_dimensions = 3;
             k.inputs[0].most_dimensions = 2;
         }},
        {"kernel 'blur', input 'image': 0 to 6 dimensions are not possible",
         [](slab_kernel& k) { k.inputs[0].most_dimensions = 6; }},
        {"kernel 'blur', input 'image': dtypes: 'float16' is no dtype, no group of them (bool, integers, "
         "floats, "
         "complex, all), and no input before this one",
         [](slab_kernel& k) { k.inputs[0].dtypes = "float16"; }},
        {"kernel 'blur', input 'image': only the last input may repeat",
         [](slab_kernel& k) {
             k.inputs[0].repeats = 1;
             k.inputs[1] = {.name = "mask"};
         }},
        {"kernel 'blur', parameter 'radius': type 9 is not known",
         [](slab_kernel& k) { k.parameters[0].type = 9; }},
        {"kernel 'blur', parameter 'radius': type -1 is not known",
         [](slab_kernel& k) { k.parameters[0].type = -1; }},
        {"kernel 'blur', parameter 'radius': it has no help",
         [](slab_kernel& k) { k.parameters[0].help = ""; }},
        {"kernel 'blur', parameter 'from': 'from' is a reserved word of Python",
         [](slab_kernel& k) { k.parameters[0].name = "from"; }},
        {"kernel 'blur', parameter 'image': 'image' is the name of something else in this kernel",
         [](slab_kernel& k) { k.parameters[0].name = "image"; }},
        {"kernel 'blur', parameter 'end': 'end' has a meaning of its own in sizes",
         [](slab_kernel& k) { k.parameters[0].name = "end"; }},
        {"kernel 'blur', parameter 'overwrite': that is the name of an option that every kernel has",
         [](slab_kernel& k) { k.parameters[0].name = "overwrite"; }},
        {"kernel 'blur', parameter 'radius': 'radius' is the name of something else in this kernel",
         [](slab_kernel& k) { k.parameters[1] = k.parameters[0]; }},
        {"kernel 'blur', parameter 'radius': range: 'any' is no range: it looks like '> 0', '>= 0', '< 1', "
         "'<= 9' or "
         "'0 to 64'",
         [](slab_kernel& k) { k.parameters[0].range = "any"; }},
        {"kernel 'blur', parameter 'radius': range: '9 to 0' has no number in it",
         [](slab_kernel& k) { k.parameters[0].range = "9 to 0"; }},
        {"kernel 'blur', parameter 'mode': choices: 'a, a' is no list of different words",
         [](slab_kernel& k) {
             k.parameters[1] = {
                 .name = "mode", .type = SLAB_CHOICE, .help = "of the ends", .choices = "a, a"};
         }},
        {"kernel 'blur', output: dtype: 'like image' is no dtype, no input, and no parameter of type "
         "SLAB_CHOICE",
         [](slab_kernel& k) { k.output.dtype = "like image"; }},
        {"kernel 'blur', output: shape '': an entry is empty",
         [](slab_kernel& k) { k.output.shape = nullptr; }},
        {"kernel 'blur', output: shape 'begin': 'begin' is not known there",
         [](slab_kernel& k) { k.output.shape = "begin"; }},
        {"kernel 'blur', output: shape 'image, ...': '...' says of no axis how long it is",
         [](slab_kernel& k) { k.output.shape = "image, ..."; }},
        {"kernel 'blur', output: reads of 'image' 'radius': 'radius' is no range, begin : end",
         [](slab_kernel& k) { k.output.reads[0] = "radius"; }},
        {"kernel 'blur', output: reads of 'image' '..., ...': '...' may stand there once",
         [](slab_kernel& k) { k.output.reads[0] = "..., ..."; }},
        {"kernel 'blur', output, reads[1]: there is nothing of that number to read",
         [](slab_kernel& k) { k.output.reads[1] = ":"; }},
        {"kernel 'blur', output: fill: there is no function",
         [](slab_kernel& k) { k.output.fill = nullptr; }},
        {"kernel 'blur': example: it does not begin with 'slab run blur'",
         [](slab_kernel& k) { k.example = "blur in.npy"; }},
    };
    for (const auto& [expected, spoil] : cases) {
        CHECK(complaint_about(spoil) == expected);
    }
}

TEST_CASE("a halo that a parameter tells is what a band reads, cut off at the ends") {
    const PluginKernel kernel = sound(blur());
    const auto plan = plan_plugin(kernel, request_of({{100, 30}}));
    REQUIRE(plan.has_value());
    CHECK(plan->output == ArrayDescription{DType::float32, {100, 30}, MemoryOrder::c});
    const std::vector<Shape> shapes{{100, 30}};
    const auto reads = [&](AxisRange rows) {
        return plugin_band_reads(kernel, {&*plan, shapes, 0, 0, 0, rows});
    };
    CHECK(reads({10, 20}) == AxisRange{8, 22});
    CHECK(reads({0, 20}) == AxisRange{0, 22});
    CHECK(reads({90, 100}) == AxisRange{88, 100});
}

TEST_CASE("values out of range, and arrays that do not fit, are refused by name") {
    const PluginKernel kernel = sound(blur());
    PlanRequest request = request_of({{100, 30}});
    request.parameters.set("radius", std::int64_t{10});
    CHECK(plan_plugin(kernel, request).error().what == "radius cannot be 10");
    CHECK(plan_plugin(kernel, request).error().because == "it takes numbers 0 to 9");
    CHECK(plan_plugin(kernel, request_of({{100, 30}}, DType::int16)).error().what ==
          "blur takes image as float32, float64");
}

TEST_CASE("an input that must fit another is refused when it does not") {
    slab_kernel kernel = blur();
    kernel.inputs[1] = {.name = "mask", .shape = "image"};
    kernel.inputs[2] = {.name = "weights", .shape = "image[-1] + radius"};
    kernel.output.reads[2] = ":";
    const PluginKernel fitting = sound(kernel);
    const auto problem = [&](std::vector<Shape> shapes) {
        const auto plan = plan_plugin(fitting, request_of(std::move(shapes)));
        return plan ? "" : plan.error().what + "; " + plan.error().because;
    };
    CHECK(problem({{100, 30}, {100, 30}, {32}}) == "");
    CHECK(problem({{100, 30}, {100, 31}, {32}}) ==
          "blur takes mask as an array of shape (100, 30); its shape is (100, 31)");
    CHECK(problem({{100, 30}, {100, 30}, {30}}) ==
          "blur takes weights as an array of shape (32,); its shape is (30,)");
    CHECK(complaint_about([](slab_kernel& k) { k.inputs[0].shape = "imagine"; }) ==
          "kernel 'blur', input 'image': shape 'imagine': 'imagine' is not known there");
}

TEST_CASE("shapes follow from inputs and parameters") {
    const auto shape_of = [](const char* rule, const Shape& input) -> std::string {
        slab_kernel kernel = blur();
        kernel.output.shape = rule;
        kernel.output.reads[0] = ":";
        const auto plan = plan_plugin(sound(kernel), request_of({input}));
        return plan ? to_text(plan->output.shape) : plan.error().what;
    };
    CHECK(shape_of("(image + radius - 1) // radius", {7, 8, 9}) == "(4, 4, 5)");
    CHECK(shape_of("image[1], image[0]", {7, 8}) == "(8, 7)");
    CHECK(shape_of("image[:-1], 3", {7, 8, 9}) == "(7, 8, 3)");
    CHECK(shape_of("image[1:]", {7, 8, 9}) == "(8, 9)");
    CHECK(shape_of("image[radius:]", {7, 8, 9}) == "(9,)");
    CHECK(shape_of("5", {7, 8}) == "(5,)");
    CHECK(shape_of("image - 7", {7, 8}) == "blur cannot do that: the size of axis 0 would be 0");
    CHECK(shape_of("image / 2", {6, 7}) == "blur cannot do that: the size of axis 1 would be 3.5");
    CHECK(shape_of("image[:-1]", {7}) == "blur cannot do that: it would have 0 dimensions");
    CHECK(shape_of("image[3]", {7}) == "blur cannot do that: the size of axis 0 cannot be computed");
}

TEST_CASE("a reading that moves back with the tile is refused, and so is one of other dimensions") {
    const auto problem = [](const char* rule) {
        slab_kernel kernel = blur();
        kernel.output.reads[0] = rule;
        return plan_plugin(sound(kernel), request_of({{100, 30}})).error().what;
    };
    CHECK(problem("image - end : image - begin") ==
          "blur cannot do that: what it reads of image: along axis 0 it moves back as the tile moves on");
    CHECK(problem(":, :, :") ==
          "blur cannot do that: what it reads of image: it has no entry for axis 0 of 2");
    CHECK(problem("begin[2] : ") ==
          "blur cannot do that: what it reads of image: it cannot be computed for axis 0");
    // 0 for the first tile, and beyond all numbers for the next one.
    std::string growing = "begin";
    for (int i = 0; i < 20; ++i) {
        growing += "*9e15";
    }
    CHECK(problem((growing + " : image").c_str()) ==
          "blur cannot do that: what it reads of image: it cannot be computed for axis 0");
}

TEST_CASE("a real value per axis that no integer holds is 0 as an integer") {
    slab_kernel kernel = blur();
    kernel.parameters[1] = {.name = "sigma", .type = SLAB_REAL_PER_AXIS, .help = "of the blur"};
    const PluginKernel stored = sound(kernel);
    PlanRequest request = request_of({{100, 30}});
    request.parameters.set("sigma", std::vector<double>{1e300, -7.5});
    const auto plan = plan_plugin(stored, request);
    REQUIRE(plan.has_value());
    const StoredValue sigma = stored_value(plan->table, 1);
    CHECK(sigma.integers[0] == 0);
    CHECK(sigma.reals[0] == 1e300);
    CHECK(sigma.integers[1] == -7);
}

TEST_CASE("what several phases read adds up, and an axis that is never cut is one band") {
    slab_kernel kernel = blur();
    kernel.workspaces[0] = {.name = "rough",
                            .dtype = "float32",
                            .shape = "image",
                            .reads = {"begin - 5 : end + 5"},
                            .fill = fill_nothing};
    kernel.output.reads_workspaces[0] = "begin - radius : end + radius";
    const PluginKernel phases = sound(kernel);
    const auto plan = plan_plugin(phases, request_of({{100, 30}}));
    REQUIRE(plan.has_value());
    const std::vector<Shape> shapes{{100, 30}};
    CHECK(plugin_band_reads(phases, {&*plan, shapes, 0, 0, 0, {50, 60}}) == AxisRange{43, 67});
    CHECK(plugin_band_reads(phases, {&*plan, shapes, 1, 0, 0, {50, 60}}) == AxisRange{48, 62});
    CHECK(plan->band_step == 1);

    slab_kernel whole = blur();
    whole.output.tile = ":, ...";
    CHECK(plan_plugin(sound(whole), request_of({{100, 30}}))->band_step == 100);
}

TEST_CASE("axes are the user's in a Fortran-ordered array, unless the kernel treats all alike") {
    slab_kernel kernel = blur();
    kernel.output.shape = "image[0], 3";
    kernel.output.reads[0] = ":";
    PlanRequest request = request_of({{30, 100}});  // as kernels see an array of shape (100, 30)
    request.axes = AxisOrder::reversed;
    CHECK(plan_plugin(sound(kernel), request)->output.shape == Shape{3, 100});
    kernel.flags = SLAB_AXES_ALIKE;
    CHECK(plan_plugin(sound(kernel), request)->output.shape == Shape{30, 3});
}
