#include "coordinator/store/files/sealed_file.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/checksum.h"

namespace gradmill::coordinator {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

constexpr std::string_view kMagic = "GMSTATE1";

template <class Number>
void put(std::string& bytes, Number number) {
  char raw[sizeof number];
  std::memcpy(raw, &number, sizeof number);
  bytes.append(raw, sizeof number);
}

/// Takes a number off the front of `bytes`, which are long enough.
template <class Number>
Number take(std::string_view& bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return number;
}

constexpr std::size_t head_bytes(std::size_t sections) {
  return kMagic.size() + 2 * sizeof(std::uint32_t) + sizeof(std::uint64_t) +
         sections * 2 * sizeof(std::uint64_t) + sizeof(std::uint64_t);
}

}  // namespace

FileContent seal(FileKind kind,
                 std::uint64_t commit,
                 std::span<const std::string_view> sections,
                 FileContent content) {
  std::string head(kMagic);
  put(head, static_cast<std::uint32_t>(kind));
  put(head, static_cast<std::uint32_t>(sections.size()));
  put(head, commit);
  for (const std::string_view section : sections) {
    put(head, static_cast<std::uint64_t>(section.size()));
    put(head, checksum(section));
  }
  put(head, checksum(head));
  content.parts.assign(1, content.keep(std::move(head)));
  content.parts.insert(content.parts.end(), sections.begin(), sections.end());
  return content;
}

std::optional<Sealed> unseal(std::string_view bytes, FileKind kind, std::size_t sections) {
  const std::size_t head = head_bytes(sections);
  if (bytes.size() < head || !bytes.starts_with(kMagic)) {
    return std::nullopt;
  }
  std::string_view rest = bytes.substr(kMagic.size());
  if (take<std::uint32_t>(rest) != static_cast<std::uint32_t>(kind) ||
      take<std::uint32_t>(rest) != sections) {
    return std::nullopt;
  }
  Sealed sealed;
  sealed.commit = take<std::uint64_t>(rest);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> expected;
  for (std::size_t i = 0; i < sections; ++i) {
    const auto size = take<std::uint64_t>(rest);
    expected.emplace_back(size, take<std::uint64_t>(rest));
  }
  if (take<std::uint64_t>(rest) != checksum(bytes.substr(0, head - sizeof(std::uint64_t)))) {
    return std::nullopt;
  }
  for (const auto& [size, sum] : expected) {
    if (size > rest.size() || checksum(rest.substr(0, size)) != sum) {
      return std::nullopt;
    }
    sealed.sections.push_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  return rest.empty() ? std::optional(std::move(sealed)) : std::nullopt;
}

}  // namespace gradmill::coordinator
