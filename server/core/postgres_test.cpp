// All of core's SQL on PostgreSQL: what the simulated tests say of SQLite holds there too.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "libs/os/system.hpp"
#include "server/core/audit_log.hpp"
#include "server/core/idempotency.hpp"
#include "server/core/jobs.hpp"
#include "server/core/migrate.hpp"
#include "server/core/notices.hpp"
#include "server/core/people.hpp"
#include "server/core/testing/test_store.hpp"
#include "server/store/sql/postgres/postgres.hpp"
#include "server/store/sql/testing/postgres_server.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::core {
namespace {

// Set by a worker, awaited by the test.
class Flag {
 public:
  void set() {
    const std::scoped_lock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

class CoreOnPostgres : public testing::Test {
 protected:
  void SetUp() override {
    os_ = std::move(*os::RealSystem::make());
    const os::System system = os_->system();
    folder_ = std::make_unique<sql::TempFolder>(system.files);
    auto server = sql::PostgresServer::shared(system);
    ASSERT_TRUE(server) << server.error().text();
    sql::PostgresSettings settings;
    settings.url = *(*server)->new_database();
    database_ = std::move(*sql::open_postgres(system, metrics_, settings));
    const auto migrated = migrate(*database_, core_migrations(), system.clock.wall());
    ASSERT_TRUE(migrated) << migrated.error().text();
    ring_ =
        std::move(*seal::Ring::make(system, *folder_ / "data.ring", seal::SecretKey(Bytes(32, 1))));
    sealer_ = std::make_unique<seal::Sealer>(*ring_, system.entropy);
    store_ = std::make_unique<Store>(*database_, system, *sealer_, metrics_);
    workers_ = system.threads.start_workers("core", 2, 64);
    loop_ = system.threads.start_loop("core");
  }
  std::int64_t number(std::string_view sql) {
    std::int64_t value = -1;
    const Status read = store_->read([&](sql::Tx& tx) -> Status {
      value = TRY(tx.number(sql));
      return {};
    });
    EXPECT_TRUE(read) << read.error().text();
    return value;
  }

  std::unique_ptr<os::RealSystem> os_;
  std::unique_ptr<sql::TempFolder> folder_;
  Metrics metrics_;
  const Log log_{[](std::string_view) {}, Level::error};
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<seal::Ring> ring_;
  std::unique_ptr<seal::Sealer> sealer_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<os::Workers> workers_;
  std::unique_ptr<os::Loop> loop_;
};

TEST_F(CoreOnPostgres, MigrationsRunOnce) {
  EXPECT_TRUE(migrate(*database_, core_migrations(), {})->empty());
  EXPECT_EQ(migrate(*database_, {}, {}).error().code, Code::folder_newer);
}

TEST_F(CoreOnPostgres, PeopleSignInAndHoldTokens) {
  const auto people = std::move(*People::make(*store_, os_->system().threads, metrics_, {64, 1}));
  const std::string password = "correct horse battery";
  const auto root = people->set_up(*people->make_setup_secret(), "root", password, "a", "r");
  ASSERT_TRUE(root) << root.error().text();
  const auto user = people->create_user(
      root->caller,
      {"Ann", password, {Role::operator_}, Sites(std::vector<SiteId>{SiteId{Ulid{1}}}), false});
  ASSERT_TRUE(user) << user.error().text();
  EXPECT_EQ(
      people->create_user(root->caller, {"ANN", password, {Role::viewer}, {}, false}).error().code,
      Code::already_exists);
  const auto signed_in = people->sign_in("ann", password, "a", "r");
  ASSERT_TRUE(signed_in) << signed_in.error().text();
  EXPECT_EQ(people->authenticate_session(signed_in->cookie, "a", "r")->sites, user->sites);
  UserPatch patch;
  patch.disabled = true;
  ASSERT_TRUE(people->change_user(root->caller, user->id, 1, patch));
  EXPECT_FALSE(people->authenticate_session(signed_in->cookie, "a", "r"));
  const auto token =
      people->create_token(root->caller, {.name = "x", .roles = {Role::administrator}});
  ASSERT_TRUE(token) << token.error().text();
  EXPECT_TRUE(people->authenticate_bearer(token->secret, "192.0.2.1", "r"));
  const auto flushed = people->flush();
  EXPECT_TRUE(flushed) << flushed.error().text();
  EXPECT_EQ(people->find_token(root->caller, token->token.id)->last_used_address, "192.0.2.1");
  EXPECT_EQ(people->list_users(root->caller, {.q = "AN"})->size(), 1U);
  EXPECT_EQ(people->list_tokens(root->caller, {.q = "X"})->size(), 1U);
  ASSERT_TRUE(people->remove_user(root->caller, user->id, {}));
  EXPECT_TRUE(people->revoke_token(root->caller, token->token.id));
  EXPECT_TRUE(people->make_bootstrap_token());
  EXPECT_EQ(number("SELECT count(*) FROM audit"), number("SELECT max(seq) + 1 FROM audit"));
}

TEST_F(CoreOnPostgres, TheAuditIsProvenAndVerified) {
  const auto log = std::move(*AuditLog::make(*store_, os_->system(), *workers_, log_, metrics_,
                                             {*folder_ / "audit", *folder_ / "outside"}));
  ASSERT_TRUE(log->start());
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(store_->change(test_caller(), "put", [&](Change& change) {
      return change.audit("dev_" + std::to_string(i % 3), "", "{}");
    }));
  }
  ASSERT_TRUE(log->advance());
  const auto proof = log->prove(test_caller(), 17);
  ASSERT_TRUE(proof) << proof.error().text();
  EXPECT_EQ(*tlog::root_from_path(proof->leaf_hash, 17, 30, proof->inclusion_path),
            proof->checkpoint.checkpoint.root);
  auto verdict = log->verify(test_caller(), {});
  ASSERT_TRUE(verdict) << verdict.error().text();
  EXPECT_TRUE(verdict->ok) << verdict->detail;
  ASSERT_TRUE(store_->record(Caller::system(), "erase", [&](Change& change) -> Status {
    EXPECT_EQ(TRY(audit::erase_payloads(change.tx(), "dev_1")), 10U);
    return {};
  }));
  EXPECT_TRUE(log->verify(test_caller(), {})->ok);
  ASSERT_TRUE(database_->write([](sql::Tx& tx) -> Status {
    TRY(tx.exec("UPDATE audit SET actor='x' WHERE seq=9"));
    return {};
  }));
  verdict = log->verify(test_caller(), {});
  EXPECT_EQ(verdict->finding, "edited");
  EXPECT_EQ(verdict->first_bad_seq, 9U);
}

TEST_F(CoreOnPostgres, NoticesAreHandledOnceAndTrimmed) {
  const auto bus = make_local_bus();
  const auto dispatcher =
      std::move(*Dispatcher::make(*store_, *bus, *workers_, *loop_, log_, metrics_));
  Flag handled;
  ASSERT_TRUE(
      dispatcher->subscribe("test", {"site.created"}, [&](Change& change, const Notice&) -> Status {
        TRY(change.tx().number("SELECT 1::bigint"));
        handled.set();
        return {};
      }));
  ASSERT_TRUE(dispatcher->start());
  store_->on_commit([&](bool, bool) { dispatcher->wake(); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store_->record(Caller::system(), "x", [](Change& change) {
      return change.notice("site.created", "{}", SiteId{Ulid{1}});
    }));
  }
  EXPECT_TRUE(handled.wait_for(5));
  const Status trimmed = dispatcher->trim(days(1));
  EXPECT_TRUE(trimmed) << trimmed.error().text();
  EXPECT_EQ(number("SELECT count(*) FROM notice"), 5);
  // As the server ends: no handler starts, those that run finish, then what they use goes.
  dispatcher->stop();
  workers_.reset();
  store_->on_commit(nullptr);
}

TEST_F(CoreOnPostgres, JobsRunOnceInEffect) {
  const auto jobs = std::move(*Jobs::make(*store_, *workers_, *loop_, log_, metrics_));
  Flag ran;
  ASSERT_TRUE(jobs->handle("work", [&](const Job&) -> Result<JobEffect> {
    return JobEffect([&](Change&) -> Status {
      ran.set();
      return {};
    });
  }));
  ASSERT_TRUE(
      jobs->every("tick", hours(1), [](const Job&) -> Result<JobEffect> { return JobEffect{}; }));
  ASSERT_TRUE(jobs->start());
  JobId id;
  ASSERT_TRUE(store_->record(Caller::system(), "plan", [&](Change& change) -> Status {
    id = TRY(jobs->schedule(
        change,
        {.kind = "work", .object = "a", .payload = "{}", .run_at = change.now(), .key = "k"}));
    EXPECT_EQ(
        TRY(jobs->schedule(
            change,
            {.kind = "work", .object = "b", .payload = "{}", .run_at = change.now(), .key = "k"})),
        id);
    EXPECT_FALSE(TRY(jobs->cancel(change, "work", "other")));
    return {};
  }));
  jobs->wake();
  EXPECT_TRUE(ran.wait_for(1));
  EXPECT_EQ(jobs->list(test_caller(), {.kind = "tick"})->size(), 1U);
  EXPECT_TRUE(jobs->trim(days(1)));
  EXPECT_TRUE(jobs->find(test_caller(), id));
}

TEST_F(CoreOnPostgres, AnswersAreKeptForTheirKey) {
  const IdempotentCall call{"usr_1", "create_site", "key-1", Bytes(32, 1)};
  ASSERT_TRUE(store_->record(Caller::system(), "x", [&](Change& change) {
    return keep_answer(change, call, {201, "", "{}"});
  }));
  ASSERT_TRUE(store_->read([&](sql::Tx& tx) -> Status {
    const auto found = TRY(find_answer(tx, *sealer_, call, os_->system().clock.wall()));
    EXPECT_EQ(found->body, "{}");
    return {};
  }));
  ASSERT_TRUE(store_->record(Caller::system(), "x", [&](Change& change) -> Status {
    EXPECT_EQ(TRY(trim_answers(change.tx(), change.now() + days(2))), 1);
    return {};
  }));
}

}  // namespace
}  // namespace holdfast::core
