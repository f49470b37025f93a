#include "formats/npy_array.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/error_of.h"

namespace gradmill::formats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A file of version 1.0 with this dict, whatever it is.
std::string file_of(const std::string& dict, const std::string& data = {}) {
  return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(dict.size() % 256) +
         static_cast<char>(dict.size() / 256) + dict + data;
}

std::string refusal(const std::string& bytes) {
  return error_of([&] { return parse_npy(bytes, "a"); });
}

TEST(NpyArray, HasTheBytesThatNumPyWrites) {
  EXPECT_EQ(npy_header("<f4", {2, 3}),
            std::string("\x93NUMPY\1\0v\0", 10) +
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" +
                std::string(58, ' ') + '\n');
  EXPECT_EQ(npy_header("<f8", {16}).substr(10, 59),
            "{'descr': '<f8', 'fortran_order': False, 'shape': (16,), } ");
  EXPECT_EQ(npy_header("<U7", {}).substr(10, 55),
            "{'descr': '<U7', 'fortran_order': False, 'shape': (), }");
  for (std::uint64_t size = 1; size < 10'000'000'000'000; size *= 10) {
    EXPECT_EQ(npy_header("<f4", {size, size, size}).size() % 64, 0);
  }
}

TEST(NpyArray, ComesBackAsItWas) {
  const NpyArray array = parse_npy(npy_header("<f4", {2, 1}) + "8 bytes.", "a");
  EXPECT_EQ(array.dtype, "<f4");
  EXPECT_THAT(array.shape, ElementsAre(2, 1));
  EXPECT_EQ(array.data(), "8 bytes.");
  EXPECT_THAT(parse_npy(npy_header("<f4", {}), "a").shape, IsEmpty());
  EXPECT_THAT(parse_npy(npy_header("<f4", {7}), "a").shape, ElementsAre(7));
}

TEST(NpyArray, MayHaveALooserHeaderAndAnyVersion) {
  const std::string dict = "{ \"shape\" :(2 , 3,),'fortran_order':False , 'descr':'<f4' }\n";
  EXPECT_THAT(parse_npy(file_of(dict), "a").shape, ElementsAre(2, 3));
  for (const char version : {'\2', '\3'}) {
    const std::string bytes = std::string("\x93NUMPY") + version + '\0' +
                              static_cast<char>(dict.size()) + std::string(3, '\0') + dict + "data";
    EXPECT_EQ(parse_npy(bytes, "a").data(), "data");
  }
}

TEST(NpyArray, IsRefusedUnlessItBeginsAsOne) {
  EXPECT_EQ(refusal(""), "a is no NumPy array");
  EXPECT_EQ(refusal("\x93NUMPY\1"), "a is no NumPy array");
  EXPECT_EQ(refusal("\x92NUMPY\1\0v\0"), "a is no NumPy array");
  EXPECT_EQ(refusal(std::string("\x93NUMPY\0\0v\0", 10)),
            "a has the format version 0.0; 1.0 to 3.0 are supported");
  EXPECT_EQ(refusal(std::string("\x93NUMPY\4\xFFv\0", 10)),
            "a has the format version 4.255; 1.0 to 3.0 are supported");
}

TEST(NpyArray, IsRefusedWithAHeaderBeyondTheFile) {
  const std::string whole = npy_header("<f4", {2, 3});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut(whole, 0, size);
    EXPECT_NE(refusal(cut), "") << size;
  }
  EXPECT_EQ(refusal(file_of("{'descr'").replace(8, 2, "\x09\0", 2)),
            "a would have a header of 9 bytes");
  EXPECT_EQ(refusal(std::string("\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12)),
            "a would have a header of 4294967295 bytes");
  EXPECT_EQ(refusal(file_of(std::string(10'001, ' '))), "a would have a header of 10001 bytes");
}

TEST(NpyArray, IsRefusedWithAHeaderThatIsNoPlainDict) {
  for (const std::string dict :
       {"",
        "\n",
        "{}\n",
        "[]\n",
        "{'descr': '<f4', 'fortran_order': False}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,,)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0x3,)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [3]}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ((3,),)}\n",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}\n",
        "{'descr': '<f4', 'fortran_order': Falsey, 'shape': (3,)}\n",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}\n",
        "{'descr': '<f\\x34', 'fortran_order': False, 'shape': (3,)}\n",
        "{'descr': '<f4\", 'fortran_order': False, 'shape': (3,)}\n",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (3,)}\n",
        "{'descr': '<f4',, 'fortran_order': False, 'shape': (3,)}\n",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}x\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}\n\n",
        "__import__('os')\n"}) {
    EXPECT_EQ(refusal(file_of(dict)), "a has a header that is not of a plain NumPy array") << dict;
  }
  std::string deep = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < 33; ++i) {
    deep += "1,";
  }
  EXPECT_EQ(refusal(file_of(deep + ")}\n")), "a has a header that is not of a plain NumPy array");
}

TEST(NpyArray, IsRefusedInFortranOrder) {
  EXPECT_EQ(refusal(file_of("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n")),
            "a is in Fortran order; numpy.ascontiguousarray makes it fit");
}

TEST(NpyArray, HasAsManyElementsAsItsShapeSays) {
  const auto check = [](const std::vector<std::uint64_t>& shape, const std::string& data) {
    check_elements(parse_npy(npy_header("<f4", shape) + data, "a"), 4, "a");
    return 0;
  };
  EXPECT_EQ(check({2, 1}, "8 bytes."), 0);
  EXPECT_EQ(check({}, "four"), 0);
  EXPECT_EQ(check({0}, ""), 0);
  EXPECT_EQ(error_of([&] {
              return check({2, 1}, "7 bytes");
            }),
            "a has 7 bytes of data; its shape asks for 8");
  EXPECT_EQ(error_of([&] {
              return check({2, 1}, "nine byte");
            }),
            "a has 9 bytes of data; its shape asks for 8");
  for (const std::uint64_t size : {std::uint64_t{1} << 62U, ~std::uint64_t{0}}) {
    EXPECT_EQ(error_of([&] {
                return check({size, 2}, "");
              }),
              "a has a shape that no file can hold");
  }
}

}  // namespace
}  // namespace gradmill::formats
