#include "coordinator/adapter/access_list.h"

#include <string_view>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::kNotAllowed, why); }

}  // namespace

AccessList::AccessList(const std::vector<std::string>& nodes, const std::vector<std::string>& users)
    : nodes_(nodes.begin(), nodes.end()) {
  for (const std::string& user : users) {
    const std::size_t equals = user.rfind('=');
    const std::string name = user.substr(0, equals);
    const std::string role = equals == std::string::npos ? "" : user.substr(equals + 1);
    if (name.empty() || (role != "viewer" && role != "operator")) {
      throw invalid_input("--tls-users: '" + user + "' is not NAME=viewer or NAME=operator");
    }
    if (!users_.emplace(name, role == "viewer" ? Role::kViewer : Role::kOperator).second) {
      throw invalid_input("--tls-users: '" + name + "' is there twice");
    }
  }
}

void AccessList::check_known(const std::string& name) const {
  if (!nodes_.contains(name) && !users_.contains(name)) {
    refuse("the coordinator does not know '" + name +
           "', the name in the certificate; its --tls-users and --tls-nodes say whom it does");
  }
}

void AccessList::check(const std::string& name, Right right) const {
  check_known(name);
  const auto user = users_.find(name);
  if (user != users_.end() && (user->second == Role::kOperator || right == Right::kView)) {
    return;
  }
  if (right == Right::kJoin) {
    if (!nodes_.contains(name)) {
      refuse("'" + name + "' may not announce a node: --tls-nodes of the coordinator lacks it");
    }
    return;
  }
  refuse("'" + name + "' " + (user == users_.end() ? "is a node" : "has the role viewer") +
         "; this takes the role " + (right == Right::kView ? "viewer or operator" : "operator"));
}

}  // namespace gradmill::coordinator
