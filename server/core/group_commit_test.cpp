// Many callers on a real disk: their audited changes share commits, each durable when answered.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "libs/os/system.hpp"
#include "server/core/audit.hpp"
#include "server/core/change.hpp"
#include "server/core/migrate.hpp"
#include "server/core/testing/test_store.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::core {
namespace {

TEST(GroupCommit, SixtyFourCallersShareCommits) {
  constexpr int kCallers = 64;
  constexpr int kEach = 40;
  const auto os = std::move(*os::RealSystem::make());
  const os::System system = os->system();
  sql::TempFolder folder(system.files);
  Metrics metrics;
  const auto ring =
      std::move(*seal::Ring::make(system, folder / "data.ring", seal::SecretKey(Bytes(32, 1))));
  const seal::Sealer sealer(*ring, system.entropy);
  sql::SqliteSettings settings;
  settings.path = folder / "holdfast.db";
  const auto database = std::move(*sql::open_sqlite(system, metrics, settings));
  ASSERT_TRUE(migrate(*database, core_migrations(), system.clock.wall()));
  Store store(*database, system, sealer, metrics);

  const std::uint64_t commits_before = metrics.counter("holdfast_sql_commits_total", "").value();
  std::atomic<int> failed{0};
  const auto begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int caller = 0; caller < kCallers; ++caller) {
      threads.emplace_back([&, caller] {
        for (int i = 0; i < kEach; ++i) {
          const Status done =
              store.change(test_caller(), "create_site", [&](Change& change) -> Status {
                TRY(change.audit("site_" + std::to_string(caller), "",
                                 "{\"n\":" + std::to_string(i) + "}"));
                return change.notice("site.created", "{}");
              });
          if (!done) ++failed;
        }
      });
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::uint64_t commits =
      metrics.counter("holdfast_sql_commits_total", "").value() - commits_before;
  std::printf("audited changes: %.0f/s from %d callers, %.1f a commit\n",
              kCallers * kEach / seconds, kCallers,
              static_cast<double>(kCallers) * kEach / static_cast<double>(commits));
  EXPECT_EQ(failed, 0);
  EXPECT_LT(commits, kCallers * kEach / 4);

  ASSERT_TRUE(store.read([&](sql::Tx& tx) -> Status {
    EXPECT_EQ(TRY(audit::count(tx)), static_cast<std::uint64_t>(kCallers * kEach));
    EXPECT_EQ(TRY(tx.number("SELECT count(*) FROM notice")), kCallers * kEach);
    audit::Query query;
    query.from_seq = 0;
    query.limit = kCallers * kEach;
    Bytes previous(32);
    for (const audit::Entry& entry : TRY(audit::list(tx, sealer, query))) {
      EXPECT_EQ(entry.prev_hash, previous) << entry.seq;
      previous = entry.hash;
    }
    return {};
  }));
}

}  // namespace
}  // namespace holdfast::core
