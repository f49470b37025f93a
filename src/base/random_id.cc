#include "base/random_id.h"

#include <random>

namespace gradmill {

std::string random_id(unsigned digits) {
  std::random_device device;
  std::string id;
  while (id.size() < digits) {
    id += "0123456789abcdef"[device() & 15U];
  }
  return id;
}

}  // namespace gradmill
