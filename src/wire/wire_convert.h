// Between the generated Thrift types and our own. Every field that comes from a peer is checked.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include <wire/common_types.h>

#include "base/address.h"
#include "base/blob.h"
#include "base/error.h"
#include "ml/training_rule.h"
#include "protocol/task.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] std::string to_wire(const gradmill::Digest& digest);
[[nodiscard]] gradmill::Digest digest_from(const std::string& bytes, const char* field);

[[nodiscard]] BlobRef to_wire(const gradmill::BlobRef& blob);
[[nodiscard]] gradmill::BlobRef blob_from(const BlobRef& blob, const char* field);

[[nodiscard]] TrainingRule to_wire(const ml::TrainingRule& rule);
[[nodiscard]] ml::TrainingRule rule_from(const TrainingRule& rule);

[[nodiscard]] Fence to_wire(const gradmill::Fence& fence);
[[nodiscard]] gradmill::Fence fence_from(const Fence& fence);

/// An integer of the wire as an unsigned one. Throws Error(kInvalidInput) naming `field` if it is
/// negative or too large.
template <class To, class From>
[[nodiscard]] To unsigned_from(From value, const char* field) {
  if (value < 0 ||
      static_cast<std::uint64_t>(value) > static_cast<std::uint64_t>(static_cast<To>(-1))) {
    throw invalid_input(std::string(field) + " is out of range");
  }
  return static_cast<To>(value);
}

/// A duration of the wire. Throws Error(kInvalidInput) naming `field` if it is negative or beyond
/// kMillisecondsMax.
[[nodiscard]] std::chrono::milliseconds milliseconds_from(std::int64_t value, const char* field);

/// A point in time, in milliseconds since 1970. Throws as milliseconds_from().
[[nodiscard]] std::int64_t time_from(std::int64_t value, const char* field);

/// Some 30,000 years: sums of such numbers stay in range.
inline constexpr std::int64_t kMillisecondsMax = 1'000'000'000'000'000;

/// Where a server listens. Throws Error(kInvalidInput) naming what is wrong.
[[nodiscard]] Address address_from(const std::string& host, std::int32_t port);

/// Pairs of an enumeration of ours and one of the wire.
template <class Ours, class Theirs, std::size_t kSize>
using EnumTable = std::array<std::pair<Ours, Theirs>, kSize>;

/// The wire's name of `value`; UNKNOWN if `table` lacks it.
template <class Ours, class Theirs, std::size_t kSize>
[[nodiscard]] Theirs to_wire(Ours value, const EnumTable<Ours, Theirs, kSize>& table) {
  for (const auto& [ours, theirs] : table) {
    if (ours == value) {
      return theirs;
    }
  }
  return Theirs{};
}

/// Our name of `value`. Throws Error(kInvalidInput) naming `field` if `table` lacks it.
template <class Ours, class Theirs, std::size_t kSize>
[[nodiscard]] Ours enum_from(Theirs value,
                             const EnumTable<Ours, Theirs, kSize>& table,
                             const char* field) {
  static_assert(std::is_same_v<std::underlying_type_t<Theirs>, std::int32_t>,
                "whatever number a peer sends must be a value; see thrift/CMakeLists.txt");
  for (const auto& [ours, theirs] : table) {
    if (theirs == value) {
      return ours;
    }
  }
  throw invalid_input(std::string(field) + " is unknown");
}

/// Answers getBlob with the piece of `blob` that was asked for. Throws Error(kInvalidInput) if it
/// lies outside.
void fill_piece(GetBlobResponse& response, const GetBlobRequest& request, const Blob& blob);

/// Checks the first call of a connection, on either side: `peer` is what the other one is called.
/// Throws Error(kInvalidInput) that names both versions.
void check_version(std::int32_t theirs, const std::string& peer);

/// An exception of the IDL with its message.
template <class Exception>
[[nodiscard]] Exception with_message(const std::string& message) {
  Exception exception;
  exception.message = message;
  return exception;
}

/// Runs a handler's work and turns Error and want of memory into the exceptions of the IDL.
template <class Work>
auto translate(const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    switch (error.code()) {
      case ErrorCode::kUnavailable:
      case ErrorCode::kUnreachable:
        throw with_message<Unavailable>(error.what());
      case ErrorCode::kNotFound:
        throw with_message<NotFound>(error.what());
      case ErrorCode::kFailed:
        throw with_message<Internal>(error.what());
      case ErrorCode::kNotAllowed:
        throw with_message<NotAllowed>(error.what());
      default:
        throw with_message<InvalidRequest>(error.what());
    }
  } catch (const std::bad_alloc&) {
    throw with_message<Unavailable>("out of memory; try again later");
  }
}

/// What a peer says, fit for a line of a log or a message: cut, and without control characters.
[[nodiscard]] std::string message_from(const std::string& message);

/// Runs a call to a peer and turns the exceptions of the IDL into Error; `peer` starts the message.
template <class Call>
auto untranslate(const std::string& peer, const Call& call) {
  try {
    return call();
  } catch (const InvalidRequest& invalid) {
    throw Error(ErrorCode::kInvalidInput, peer + message_from(invalid.message));
  } catch (const Unavailable& unavailable) {
    throw Error(ErrorCode::kUnavailable, peer + message_from(unavailable.message));
  } catch (const NotFound& missing) {
    throw Error(ErrorCode::kNotFound, peer + message_from(missing.message));
  } catch (const NotAllowed& refused) {
    throw Error(ErrorCode::kNotAllowed, peer + message_from(refused.message));
  } catch (const Internal& internal) {
    throw Error(ErrorCode::kFailed, peer + message_from(internal.message));
  }
}

}  // namespace gradmill::wire
