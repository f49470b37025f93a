// Who is at the other end of a connection.
#pragma once

#include <string>

namespace gradmill::rpc {

/// What a peer has proved by a certificate of our CA.
struct PeerIdentity {
  std::string name;  ///< The common name of its subject, or else its first DNS name; may be empty.
};

}  // namespace gradmill::rpc
