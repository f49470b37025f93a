// The input is a shard blob. One that is accepted is as we write it, byte by byte.
#include "base/error.h"
#include "formats/shard_blob.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradmill;
  const std::string_view bytes = fuzz::text_of(data, size);
  try {
    GRADMILL_CHECK(formats::encode_shard(formats::decode_shard(bytes)) == bytes);
  } catch (const Error& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
