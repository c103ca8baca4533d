#include "agent/control/attestation_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/testing/lab.hpp"
#include "libs/tpm/testing/soft_tpm.hpp"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Lab;
using testing::must;
using ::testing::SizeIs;

// A TPM of paper that quotes, and nothing else.
class QuotingTpm final : public keys::TpmDevice {
 public:
  Result<Blob> create_key(crypto::KeyAlgorithm) override { return no(); }
  Result<Bytes> sign(const Blob&, View) override { return no(); }
  Result<Endorsement> endorsement() override { return no(); }
  Result<Bytes> attestation_public() override { return soft.attestation_public(); }
  Result<Bytes> activate(View, View) override { return no(); }
  Result<Said> certify(const Blob&, View) override { return no(); }
  Result<Quote> quote(View nonce, const std::vector<unsigned>& pcrs) override {
    if (broken) return fail(Code::key_store_unavailable, "the chip does not answer");
    Quote out;
    for (const unsigned pcr : pcrs) out.values[pcr] = crypto::sha256(view_of(std::to_string(pcr)));
    const auto said = soft.quote(nonce, out.values);
    out.said = {said.attest, said.signature};
    return out;
  }
  Result<Blob> seal(View) override { return no(); }
  Result<Bytes> unseal(const Blob&) override { return no(); }
  const std::string& name() const override { return name_; }

  tpm::testing::SoftTpm soft;
  bool broken = false;

 private:
  static std::unexpected<Error> no() { return fail(Code::unsupported, "not in this test"); }
  std::string name_ = "paper";
};

// A joined device whose checks run alone, without the rest of an agent.
class AttestationCheckTest : public ::testing::Test {
 protected:
  AttestationCheckTest() {
    must(lab.join());
    lab.server.attestation_public = tpm.soft.attestation_public();
    state = must(StateFolder::open(lab.node.system(), Lab::kState, ""));
    lab.transport = crypto::make_plain_transport(lab.node.system().network, lab.metrics);
    AttestationHandlers handlers;
    handlers.tpm = [this] { return present ? &tpm : nullptr; };
    handlers.check_times = [] { return true; };
    handlers.checked = [this](const std::string& result, Duration next) {
      results.push_back(result);
      waits.push_back(next);
    };
    handlers.failed = [this](const Error& error, Duration wait) {
      failures.push_back(error);
      waits.push_back(wait);
    };
    check = std::make_unique<AttestationCheck>(lab.node.system(), lab.node.loop(), *lab.transport,
                                               *state, std::move(handlers));
    began = lab.simulation.wall();
    check->start();
  }
  bool failed_times(std::size_t times) {
    return lab.within(days(1), [&] { return failures.size() >= times; });
  }
  bool checked_times(std::size_t times) {
    return lab.within(days(1), [&] { return results.size() >= times; });
  }

  Lab lab;
  QuotingTpm tpm;
  bool present = true;
  std::vector<std::string> results;
  std::vector<Error> failures;
  std::vector<Duration> waits;
  WallTime began{};
  std::unique_ptr<StateFolder> state;
  std::unique_ptr<AttestationCheck> check;
};

TEST_F(AttestationCheckTest, SoonAfterTheStartAndThenEachDay) {
  lab.simulation.run_for(days(10));
  EXPECT_THAT(failures, IsEmpty()) << failures.front().text();
  const auto& came = lab.server.checks;
  ASSERT_GE(came.size(), 10u);
  EXPECT_LE(came.size(), 13u);
  EXPECT_LE(came[0] - began, AttestationCheck::kStartJitter + seconds(5));
  for (std::size_t i = 1; i < came.size(); ++i) {
    EXPECT_GE(came[i] - came[i - 1], minutes(24 * 54));
    EXPECT_LE(came[i] - came[i - 1], hours(24) + minutes(1));
  }
  EXPECT_EQ(results.size(), came.size());
  EXPECT_EQ(results.front(), "unchanged");
  EXPECT_NE(waits[0], waits[1]) << "devices that started together drift apart";
}

TEST_F(AttestationCheckTest, TheServerSaysWhenWithinReason) {
  lab.server.check_next_s = 3'600;
  ASSERT_TRUE(checked_times(1));
  EXPECT_LE(waits.back(), hours(1));
  EXPECT_GE(waits.back(), minutes(54));
  lab.server.check_next_s = 0;
  ASSERT_TRUE(checked_times(2));
  EXPECT_GE(waits.back(), seconds(54)) << "never a hot loop";
  lab.server.check_next_s = 1'000'000'000'000;
  ASSERT_TRUE(checked_times(3));
  EXPECT_LE(waits.back(), AttestationCheck::kNextMax) << "before the server calls it silent";
}

TEST_F(AttestationCheckTest, AServerThatIsAwayIsAskedAgainEverMoreSlowly) {
  lab.simulation.links().isolate(lab.node);
  ASSERT_TRUE(failed_times(12));
  EXPECT_THAT(failures.front().text(), HasSubstr("proving the TPM"));
  EXPECT_LE(waits.front(), AttestationCheck::kRetryFirst);
  EXPECT_GE(waits.front(), seconds(15));
  for (std::size_t i = 8; i < waits.size(); ++i) {
    EXPECT_GE(waits[i], minutes(30));
    EXPECT_LE(waits[i], AttestationCheck::kRetryMax);
  }
  lab.simulation.links().heal_all();
  ASSERT_TRUE(lab.within(AttestationCheck::kRetryMax + minutes(2),
                         [&] { return lab.server.checks.size() == 1; }));
  // What failed before is forgotten with it.
  const auto before = failures.size();
  lab.server.check_refusal = Code::unavailable;
  ASSERT_TRUE(lab.within(days(2), [&] { return failures.size() > before; }));
  EXPECT_LE(waits.back(), AttestationCheck::kRetryFirst);
}

TEST_F(AttestationCheckTest, ARefusalIsToldWithItsReason) {
  lab.server.check_refusal = Code::attestation_rolled_back;
  ASSERT_TRUE(failed_times(1));
  EXPECT_EQ(failures.front().code, Code::attestation_rolled_back);
  EXPECT_THAT(results, IsEmpty());
}

TEST_F(AttestationCheckTest, AnotherTpmIsRefused) {
  lab.server.attestation_public = QuotingTpm().soft.attestation_public();
  ASSERT_TRUE(failed_times(3));
  EXPECT_EQ(failures.front().code, Code::attestation_refused) << failures.front().text();
  EXPECT_THAT(lab.server.checks, IsEmpty());
  EXPECT_GE(lab.server.check_begins, 3) << "each try has a nonce of its own";
}

TEST_F(AttestationCheckTest, ATpmThatDoesNotAnswerIsToldAndTriedAgain) {
  tpm.broken = true;
  ASSERT_TRUE(failed_times(2));
  EXPECT_EQ(failures.front().code, Code::key_store_unavailable);
  EXPECT_THAT(failures.front().text(), HasSubstr("does not answer"));
  tpm.broken = false;
  EXPECT_TRUE(checked_times(1));
}

TEST_F(AttestationCheckTest, AChallengeThatIsNoneIsAnError) {
  for (const char* wrong :
       {"no JSON", "[]", R"({"id":"check_1"})", R"({"id":"c","nonce":"%","pcrs":[0]})",
        R"({"id":"c","nonce":"AAAA","pcrs":[24]})", R"({"id":"c","nonce":"AAAA","pcrs":[-1]})",
        R"({"id":"c","nonce":"AAAA","pcrs":["0"]})", R"({"nonce":"AAAA","pcrs":[0]})"}) {
    lab.server.check_challenge = wrong;
    ASSERT_TRUE(failed_times(failures.size() + 1)) << wrong;
  }
  EXPECT_THAT(results, IsEmpty());
  lab.server.check_challenge.clear();
  EXPECT_TRUE(checked_times(1));
}

TEST_F(AttestationCheckTest, WithoutATpmNothingIsAsked) {
  present = false;
  lab.simulation.run_for(days(3));
  EXPECT_EQ(lab.server.check_begins, 0);
  EXPECT_THAT(failures, IsEmpty());
  present = true;  // as after a renewal by the TPM
  EXPECT_TRUE(lab.within(AttestationCheck::kLookInterval + minutes(1),
                         [&] { return lab.server.checks.size() == 1; }));
}

TEST_F(AttestationCheckTest, EndsInTheMiddle) {
  ASSERT_TRUE(lab.within(minutes(1), [&] { return lab.server.check_begins == 1; }));
  check.reset();
  lab.simulation.run_for(days(1));
  EXPECT_EQ(lab.server.check_begins, 1);
  EXPECT_THAT(results, IsEmpty());
  EXPECT_THAT(failures, IsEmpty());
}

TEST(AgentTest, AKeyInAFileIsNotCheckedByATpm) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.simulation.run_for(hours(3));
  EXPECT_EQ(lab.server.check_begins, 0);
  EXPECT_EQ(lab.agent->counters().unattested, 0u);
}

}  // namespace
}  // namespace holdfast::agent
