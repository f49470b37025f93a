// Where the preloaded library of strike_at.cc can strike a coordinator.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {

/// All points, as the parameters of a test.
inline auto strike_points() {
  return testing::Values("make-folder",
                         "write-file",
                         "sync-file",
                         "rename",
                         "sync-folder",
                         "write-log",
                         "sync-log",
                         "write-database",
                         "sync-database",
                         "remove");
}

/// The name of a point in that of a test.
inline std::string strike_point_name(const testing::TestParamInfo<const char*>& point) {
  std::string name = point.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// The environment of a coordinator that is struck at `at`: POINT:N, or POINT:N:ERRNO.
inline std::vector<std::string> struck_at(const Cluster& cluster, const std::string& at) {
  return {"LD_PRELOAD=" GRADMILL_STRIKE_AT,
          "ASAN_OPTIONS=verify_asan_link_order=0",
          "GRADMILL_TEST_STATE=" + cluster.state_folder(),
          "GRADMILL_TEST_STRIKE_AT=" + at};
}

}  // namespace gradmill::system_test
