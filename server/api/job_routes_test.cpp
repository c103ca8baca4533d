#include "server/api/job_routes.hpp"

#include "server/api/api_fixture_test.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;

class JobRoutes : public ApiTest {
 protected:
  void SetUp() override {
    job_workers = t.system().threads.start_workers("jobs", 2, 64);
    auto made = core::Jobs::make(t.store(), *job_workers, t.node.loop(), t.log, t.metrics);
    ASSERT_TRUE(made);
    jobs = std::move(*made);
    ASSERT_TRUE(jobs->handle("test.fail", [](const core::Job&) -> Result<core::JobEffect> {
      return fail(Code::io_error, "the disk is away");
    }));
    ASSERT_TRUE(jobs->start());
    ASSERT_TRUE(add_job_routes(operations, *jobs));
    for (int i = 0; i < 3; ++i) schedule("dev_" + std::to_string(i));
  }
  void TearDown() override {
    jobs->stop();
    jobs.reset();
    job_workers.reset();
  }
  void schedule(std::string object) {
    ASSERT_TRUE(
        t.store().record(core::Caller::system(), "test", [&](core::Change& change) -> Status {
          core::NewJob job;
          job.kind = "test.fail";
          job.object = object;
          job.run_at = change.now() + hours(1);
          job.max_attempts = 1;
          ids.push_back(TRY(jobs->schedule(change, job)).text());
          return {};
        }));
    t.world.run_for(milliseconds(5));
  }
  std::vector<std::string> ids;
  std::unique_ptr<os::Workers> job_workers;
  std::unique_ptr<core::Jobs> jobs;
};

TEST_F(JobRoutes, ListsInPagesAndByState) {
  std::set<std::string> seen;
  std::string cursor;
  for (int pages = 0; pages < 10; ++pages) {
    const Answered page = admin(
        "GET", "/v1/jobs?limit=2&kind=test.fail" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(page.status, 200) << page.body;
    const wire::Json json = page.json();
    for (const auto& item : json.get_object().at("items").get_array()) {
      seen.insert(std::string(item.get_object().at("id").get_string()));
    }
    const auto* next = json.get_object().at("next_cursor").if_string();
    if (!next) break;
    cursor = *next;
  }
  EXPECT_EQ(seen, std::set<std::string>(ids.begin(), ids.end()));
  EXPECT_THAT(admin("GET", "/v1/jobs?state=scheduled").body, HasSubstr(ids[0]));
  EXPECT_THAT(admin("GET", "/v1/jobs?state=succeeded").body, ::testing::Not(HasSubstr(ids[0])));
  EXPECT_EQ(admin("GET", "/v1/jobs?state=lost").code(), "invalid-argument");
}

TEST_F(JobRoutes, AFailedJobShowsWhyAndRunsAgain) {
  t.world.run_for(hours(2));
  const Answered failed = admin("GET", "/v1/jobs/" + ids[1]);
  EXPECT_THAT(failed.body, HasSubstr(R"("object":"dev_1","state":"failed")"));
  EXPECT_THAT(failed.body,
              HasSubstr(R"("last_error":{"code":"io-error","message":"the disk is away"})"));
  const Answered again = admin("POST", "/v1/jobs/" + ids[1] + "/retry");
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_THAT(again.body, HasSubstr(R"("state":"scheduled")"));
  EXPECT_EQ(admin("GET", "/v1/jobs/job_x").code(), "not-found");
  EXPECT_EQ(ask({"POST", "/v1/jobs/" + ids[1] + "/retry", "", token({core::Role::auditor})}).status,
            403);
}

}  // namespace
}  // namespace holdfast::api
