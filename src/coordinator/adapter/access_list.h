// Who may do what at a coordinator.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace gradmill::coordinator {

/// What a call needs.
enum class Right {
  kView,     ///< Look at jobs, their results and nodes.
  kOperate,  ///< Change anything.
  kJoin,     ///< Announce a node.
};

/// Roles of a user.
enum class Role { kViewer, kOperator };

/// The nodes and users that a coordinator knows, by the names in their certificates. Immutable.
class AccessList {
 public:
  /// `users` are NAME=viewer or NAME=operator, of which an operator may do everything. Throws
  /// Error(kInvalidInput) that names --tls-users.
  AccessList(const std::vector<std::string>& nodes, const std::vector<std::string>& users);

  /// Whether anybody of this name may do anything. Throws Error(kNotAllowed) if not.
  void check_known(const std::string& name) const;
  /// Throws Error(kNotAllowed), naming the caller and what it takes.
  void check(const std::string& name, Right right) const;

 private:
  std::set<std::string> nodes_;
  std::map<std::string, Role> users_;
};

}  // namespace gradmill::coordinator
