#include "coordinator/store/rows/database_reader.h"

#include <utility>

#include "coordinator/store/rows/row_check.h"

namespace gradmill::coordinator {

using soci::into;
using soci::use;

DatabaseReader::DatabaseReader(const std::string& path) {
  translated([&] { open_sqlite(session_, path); });
}

std::map<std::uint32_t, RoundReport> DatabaseReader::rounds(std::uint64_t job,
                                                            std::uint32_t after,
                                                            std::uint32_t last) {
  return translated([&] {
    std::map<std::uint32_t, RoundReport> reports;
    const auto number = static_cast<long long>(job);
    const auto low = static_cast<long long>(after);
    const auto high = static_cast<long long>(last);
    long long round = 0;
    std::string text;
    long long sum = 0;
    std::string tasks;
    long long tasks_sum = 0;
    soci::statement rows =
        (session_.prepare << "SELECT round, content, xxh3, tasks, tasks_xxh3 FROM rounds"
                             " WHERE job = :j AND round > :l AND round <= :h ORDER BY round",
         use(number),
         use(low),
         use(high),
         into(round),
         into(text),
         into(sum),
         into(tasks),
         into(tasks_sum));
    rows.execute();
    while (rows.fetch()) {
      const std::string key = key_of(number, round);
      auto report = checked(sum, sum_of("rounds", key, text), text, report_of);
      if (report) {
        auto list = checked(tasks_sum, sum_of("tasks", key, tasks), tasks, tasks_of);
        report->tasks = std::move(list).value_or(std::vector<TaskReport>{});
        reports.emplace(report->round, std::move(*report));
      }
    }
    return reports;
  });
}

std::vector<JobEvent> DatabaseReader::events(std::uint64_t job,
                                             std::uint64_t after,
                                             std::uint32_t limit) {
  return translated([&] {
    std::vector<JobEvent> events;
    const auto number = static_cast<long long>(job);
    const auto low = static_cast<long long>(after);
    const auto most = static_cast<long long>(limit);
    long long sequence = 0;
    std::string text;
    long long sum = 0;
    soci::statement rows = (session_.prepare << "SELECT sequence, content, xxh3 FROM events"
                                                " WHERE job = :j AND sequence > :l"
                                                " ORDER BY sequence LIMIT :m",
                            use(number),
                            use(low),
                            use(most),
                            into(sequence),
                            into(text),
                            into(sum));
    rows.execute();
    while (rows.fetch()) {
      if (auto event =
              checked(sum, sum_of("events", key_of(number, sequence), text), text, event_of)) {
        events.push_back(std::move(*event));
      }
    }
    return events;
  });
}

}  // namespace gradmill::coordinator
