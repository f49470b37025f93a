// Faults that clients have nodes, or the coordinator itself, inject.
#pragma once

#include <cstddef>
#include <functional>
#include <semaphore>
#include <vector>

#include "base/address.h"
#include "coordinator/ports/node_link.h"
#include "faults/fault_injector.h"
#include "protocol/fault_settings.h"

namespace gradmill::coordinator {

/// Passes on what clients say of faults: they never call nodes. Each call uses connections of its
/// own, apart from work and heartbeats. Keeps nothing; thread-safe.
///
/// Nodes are asked many at a time, since one that does not answer takes seconds: by the thread of
/// the call, and by kHelpersMax more, which all calls share.
class FaultRelay {
 public:
  static constexpr std::ptrdiff_t kHelpersMax = 15;

  /// `members` returns the nodes in order of arrival; `own` injects the coordinator's faults and
  /// must outlive this, null: it has none.
  FaultRelay(std::function<std::vector<Address>()> members,
             NodeLinkFactory make_link,
             faults::FaultInjector* own);

  /// Replaces the faults of those meant; a report of each says whether it did so. Throws
  /// Error(kInvalidInput), and Error(kNotFound) if there is no such node, or none at all.
  [[nodiscard]] std::vector<FaultReport> set(const FaultTarget& target,
                                             const FaultSettings& faults) const;
  /// Of all nodes, then of the coordinator. Changes nothing, so whoever may look may ask.
  [[nodiscard]] std::vector<FaultReport> list() const;

 private:
  using Ask = std::function<std::optional<FaultState>(NodeLink&)>;

  [[nodiscard]] std::vector<FaultReport> ask(const std::vector<Address>& nodes,
                                             const Ask& question) const;
  [[nodiscard]] FaultReport ask(const Address& node, const Ask& question) const;
  [[nodiscard]] FaultReport own_report() const;

  const std::function<std::vector<Address>()> members_;
  const NodeLinkFactory make_link_;
  faults::FaultInjector* const own_;
  mutable std::counting_semaphore<> helpers_{kHelpersMax};
};

}  // namespace gradmill::coordinator
