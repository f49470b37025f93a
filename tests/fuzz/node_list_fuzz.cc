// The input is a node list. Nodes that are accepted are the same after writing and reading them.
#include <string>

#include "base/error.h"
#include "formats/node_list.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradmill;
  try {
    const formats::NodeList list = formats::parse_node_list(fuzz::text_of(data, size), "nodes");
    std::string text;
    for (const Address& node : list.nodes) {
      text += node.host + "," + std::to_string(node.port) + "\n";
    }
    for (const std::string& warning : list.warnings) {
      fuzz::check_message(warning);
    }
    const formats::NodeList again = formats::parse_node_list(text, "nodes");
    GRADMILL_CHECK(again.nodes == list.nodes);
    GRADMILL_CHECK(again.warnings.empty());
  } catch (const Error& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
