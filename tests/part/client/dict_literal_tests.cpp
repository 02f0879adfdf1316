#include "client/formats/dict_literal.hpp"

#include <doctest/doctest.h>

using namespace slab;

TEST_CASE("a header's dict is read in any key order and spacing") {
    const auto dict = parse_dict_literal("  { \"shape\":( 3,4 ,) ,'fortran_order' : True,'descr':'<f4'}  \n");
    REQUIRE(dict);
    REQUIRE(dict->size() == 3);
    CHECK((*dict)[0].key == "shape");
    const auto& shape = std::get<Literal::Tuple>((*dict)[0].value.value);
    REQUIRE(shape.items.size() == 2);
    CHECK(std::get<std::int64_t>(shape.items[1].value) == 4);
    CHECK(std::get<bool>((*dict)[1].value.value));
    CHECK(std::get<std::string>((*dict)[2].value.value) == "<f4");
}

TEST_CASE("brackets around one number make no tuple, a comma does, and nothing inside does too") {
    const auto dict = parse_dict_literal("{'a': (5), 'b': (5,), 'c': (), 'd': (7L,)}");
    REQUIRE(dict);
    CHECK(std::holds_alternative<std::int64_t>((*dict)[0].value.value));
    CHECK(std::get<Literal::Tuple>((*dict)[1].value.value).items.size() == 1);
    CHECK(std::get<Literal::Tuple>((*dict)[2].value.value).items.empty());
    CHECK(std::get<Literal::Tuple>((*dict)[3].value.value).items.size() == 1);
}

TEST_CASE("what is not a dict literal is refused") {
    for (const char* text :
         {"", "{", "{'a'", "{'a':}", "{'a': 1 'b': 2}", "{'a': 1} x", "[1]", "{a: 1}", "{1: 2}",
          "{'a': __import__('os')}", "{'a': 1+1}", "{'a': 'b}", "{'a': (1 2)}", "{'a': (,)}",
          "{'a': 1, 'a': 2}", "{'a': 9223372036854775808}", "{'a': 1.5}", "{,}"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_dict_literal(text));
    }
}

TEST_CASE("a literal nested deeper than any header needs is refused, not recursed into") {
    CHECK_FALSE(parse_dict_literal("{'a': " + std::string(100'000, '(') + "}"));
}
