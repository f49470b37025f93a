#include "rpc/protocol.h"

#include <string>

#include <gtest/gtest.h>
#include <thrift/transport/TBufferTransports.h>

#include "support.h"

namespace gradmill::rpc::test {
namespace {

using apache::thrift::TException;
using apache::thrift::protocol::TType;
using apache::thrift::transport::TMemoryBuffer;

// A protocol about to read `bytes`, all of a frame.
struct Reader {
  explicit Reader(const std::string& bytes) {
    buffer->write(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                  static_cast<std::uint32_t>(bytes.size()));
    buffer->updateKnownMessageSize(static_cast<long>(bytes.size()));
  }
  std::shared_ptr<TMemoryBuffer> buffer = std::make_shared<TMemoryBuffer>(make_configuration());
  Protocol protocol{buffer};
};

TEST(Protocol, AllocatesNoStringThatItsFrameCannotHold) {
  for (const std::uint32_t size : {5u, 1'000'000u, 0x7fffffffu, 0xffffffffu}) {
    Reader reader(big_endian(size, 4) + "text");
    std::string text;
    EXPECT_THROW(reader.protocol.readString(text), TException) << size;
    EXPECT_LT(text.capacity(), 100u);
  }
  Reader reader(big_endian(4, 4) + "text");
  std::string text;
  reader.protocol.readString(text);
  EXPECT_EQ(text, "text");
}

TEST(Protocol, AnnouncesNoListThatItsFrameCannotHold) {
  for (const std::uint32_t size : {10u, 65'536u, 0x7fffffffu, 0xffffffffu}) {
    Reader reader(std::string("\x0c", 1) + big_endian(size, 4) + std::string(4, '\0'));
    TType type = apache::thrift::protocol::T_STOP;
    std::uint32_t announced = 0;
    EXPECT_THROW(reader.protocol.readListBegin(type, announced), TException) << size;
    EXPECT_EQ(announced, 0u);
  }
}

TEST(Protocol, KnowsNoTypesButThriftsOwn) {
  const std::string known = "\x02\x03\x04\x06\x08\x0a\x0b\x0c\x0d\x0e\x0f";
  for (int type = 1; type < 256; ++type) {
    Reader reader(big_endian(static_cast<std::uint64_t>(type), 1) + big_endian(7, 2));
    std::string name;
    TType read = apache::thrift::protocol::T_STOP;
    std::int16_t id = 0;
    if (known.find(static_cast<char>(type)) == std::string::npos) {
      EXPECT_THROW(reader.protocol.readFieldBegin(name, read, id), TException) << type;
    } else {
      reader.protocol.readFieldBegin(name, read, id);
      EXPECT_EQ(static_cast<int>(read), type);
      EXPECT_EQ(id, 7);
    }
  }
}

}  // namespace
}  // namespace gradmill::rpc::test
