// What a peer may cost us: sizes and times that every server and every connection keep.
#pragma once

#include <chrono>
#include <cstdint>

namespace gradmill::rpc {

/// Largest frame, and with it the largest message, sent or accepted.
inline constexpr std::int32_t kFrameBytesMax = 8 << 20;
/// Largest string or binary field accepted.
inline constexpr std::int32_t kStringBytesMax = 8 << 20;
/// Most elements of a list, set or map accepted.
inline constexpr std::int32_t kContainerElementsMax = 65'536;
/// Deepest nesting of structs accepted.
inline constexpr std::int32_t kRecursionMax = 32;
/// Largest piece of a blob in one call.
inline constexpr std::int32_t kBlobPieceBytesMax = 4 << 20;
/// Largest blob that travels inside another call.
inline constexpr std::int32_t kInlineBlobBytesMax = 1 << 20;
/// Buffers that grew beyond this are freed when their message is done.
inline constexpr std::uint32_t kKeptBufferBytesMax = 64 << 10;
/// Most bytes of messages beyond that size that the connections of a server, or those of a client
/// to all its peers, hold together: a message waits, within its deadline, until there is room.
inline constexpr std::uint64_t kMessageBytesMax = std::uint64_t{256} << 20;

/// From the first byte of a frame to its last, absolute; the same for sending one.
inline constexpr std::chrono::milliseconds kFrameDeadline{5'000};
/// How long a server keeps a connection on which nothing comes.
inline constexpr std::chrono::milliseconds kIdleTimeout{30'000};
/// How long a client waits for a connection.
inline constexpr std::chrono::milliseconds kConnectTimeout{2'000};
/// Unacknowledged bytes or probes for so long end a connection (TCP_USER_TIMEOUT).
inline constexpr std::chrono::milliseconds kTcpUserTimeout{10'000};
/// Pause of a server before it tries again what failed for want of resources.
inline constexpr std::chrono::milliseconds kAcceptRetryPause{50};
/// A message that takes longer to come, or to go, may be given up in favour of a new connection.
inline constexpr std::chrono::milliseconds kMessagePatience{1'000};
/// How long a server waits for a connection that it has given up to end.
inline constexpr std::chrono::milliseconds kRoomTimeout{500};
/// How long Server::stop lets calls in progress finish.
inline constexpr std::chrono::milliseconds kDrainTimeout{3'000};

/// Connections that the kernel completes ahead of accept.
inline constexpr int kListenBacklog = 1'024;
/// Connections a server serves at a time, unless told otherwise.
inline constexpr int kClientsMax = 256;
/// File descriptors that a server leaves to the rest of its process, or half if there are few.
inline constexpr int kDescriptorsKept = 64;

}  // namespace gradmill::rpc
