#include "agent/join/join.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/doctor/doctor.hpp"
#include "agent/doctor/status.hpp"
#include "agent/testing/lab.hpp"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using testing::Lab;
using testing::must;
using ::testing::Not;
using ::testing::SizeIs;

TEST(JoinTest, MakesAnIdentity) {
  Lab lab;
  const auto joined = lab.join();
  ASSERT_TRUE(joined) << joined.error().text();
  EXPECT_FALSE(joined->before);
  const auto identity = lab.identity();
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->device_id, joined->device_id);
  EXPECT_EQ(identity->mqtt, "server:8883");
  EXPECT_EQ(identity->root_der, lab.server.pki().root_der());
  EXPECT_FALSE(os::exists(lab.node.system().files, std::string(Lab::kState) + "/join.json"));
}

TEST(JoinTest, AgainWithTheSameCodeIsFineWithAnotherIsNot) {
  Lab lab;
  ASSERT_TRUE(lab.join());
  const auto again = lab.join(lab.server.code().insert(20, "\n  "));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->before);
  EXPECT_EQ(lab.server.enrolments, 1);
  std::array<std::uint8_t, 16> random{9};
  const auto other = lab.join(lab.server.code(est::make_claim(random)));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::already_exists);
  EXPECT_THAT(other.error().message, HasSubstr("--again"));
}

TEST(JoinTest, ALostReplyStrandsNoOne) {
  Lab lab;
  lab.server.lost_certificates = 2;
  const auto joined = lab.join();
  ASSERT_TRUE(joined) << joined.error().text();
  EXPECT_THAT(lab.server.csrs, SizeIs(1)) << "the same request each time";
}

TEST(JoinTest, StopsAtAServerWithAnotherRoot) {
  Lab lab;
  est::JoinCode code = must(est::parse_join_code(lab.server.code()));
  code.ca_fingerprint[0] ^= 1;
  const auto joined = lab.join(must(est::encode_join_code(code)));
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Code::server_untrusted);
  EXPECT_THAT(lab.server.csrs, SizeIs(0)) << "the claim was not shown";
}

TEST(JoinTest, SaysWhatTheServerSays) {
  Lab lab;
  std::array<std::uint8_t, 16> random{9};
  const auto joined = lab.join(lab.server.code(est::make_claim(random)));
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Code::claim_unknown);
}

TEST(JoinTest, RefusesWhatIsNoCodeWithoutRepeatingIt) {
  Lab lab;
  const auto joined = lab.join("hf1.secretsecret");
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Code::invalid_argument);
  EXPECT_THAT(joined.error().text(), Not(HasSubstr("secretsecret")));
}

TEST(JoinTest, WaitsForAServerThatComesLate) {
  Lab lab;
  lab.simulation.links().isolate(lab.node);
  bool healed = false;
  lab.node.loop().after(seconds(20), [&] {
    lab.simulation.links().heal_all();
    healed = true;
  });
  EXPECT_TRUE(lab.join());
  EXPECT_TRUE(healed);
}

TEST(JoinTest, GivesUpOnAServerThatNeverComes) {
  Lab lab;
  lab.simulation.links().isolate(lab.node);
  const auto joined = lab.join();
  ASSERT_FALSE(joined);
  EXPECT_NE(joined.error().code, Code::cancelled) << "it must end by itself";
}

// Power goes at every disk operation: the second try ends with an identity, from one request
// whenever the first had been seen by the server.
TEST(JoinTest, SurvivesAPowerCutAtEveryOperation) {
  std::uint64_t operations = 0;
  {
    Lab lab;
    ASSERT_TRUE(lab.join());
    operations = lab.node.disk().operations();
  }
  ASSERT_GT(operations, 10u);
  for (std::uint64_t at = 1; at <= operations; ++at) {
    SCOPED_TRACE("operation " + std::to_string(at));
    Lab lab(at);
    lab.node.disk().crash_at(at);
    static_cast<void>(lab.join());
    ASSERT_FALSE(lab.node.up());
    lab.node.restart();
    const auto joined = lab.join();
    ASSERT_TRUE(joined) << joined.error().text();
    EXPECT_THAT(lab.server.csrs, SizeIs(1));
    EXPECT_TRUE(lab.boot());
    EXPECT_TRUE(lab.online());
  }
}

TEST(JoinTest, RenewalIsDrawnFromDay40To85) {
  const WallTime from{1'767'225'600'000'000};
  const WallTime until = from + days(90);
  EXPECT_EQ(draw_renewal(from, until, 0), from + days(40));
  WallTime least = until, most = from;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const WallTime drawn = draw_renewal(from, until, i * 0x9E3779B97F4A7C15ULL);
    least = std::min(least, drawn);
    most = std::max(most, drawn);
  }
  EXPECT_GE(least, from + days(40));
  EXPECT_LE(most, from + days(85) + seconds(1));
  EXPECT_GT(most, from + days(83));
  EXPECT_LT(least, from + days(42));
}

TEST(IssuedTest, AnotherKeyAndAnotherRootAreRefused) {
  const WallTime now{1'767'225'600'000'000};
  crypto::testing::Pki pki(now), other(now);
  const std::string id = "dev_01J9Z3K5M70000000000000000";
  const auto device = pki.device(id);
  const auto csr = must(crypto::make_csr({}, device.key));
  const auto others = std::vector<Bytes>{pki.issuing_der()};
  ASSERT_TRUE(check_issued(device.chain_der[0], csr, pki.root_der(), others, now));
  const auto stranger = must(crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256));
  EXPECT_FALSE(check_issued(device.chain_der[0], must(crypto::make_csr({}, stranger)),
                            pki.root_der(), others, now));
  EXPECT_FALSE(check_issued(device.chain_der[0], csr, other.root_der(), others, now));
  EXPECT_FALSE(check_issued(device.chain_der[0], csr, pki.root_der(), others, now + days(400)));
  EXPECT_TRUE(check_issued(device.chain_der[0], csr, pki.root_der(), others, WallTime{0}))
      << "a clock at 1970 leaves out the dates";
  const auto nameless = pki.device("somebody");
  EXPECT_FALSE(check_issued(nameless.chain_der[0], must(crypto::make_csr({}, nameless.key)),
                            pki.root_der(), others, now));
}

// ---- the state folder

TEST(StateFolderTest, IdentityRoundTripAndDamage) {
  Lab lab;
  auto state = must(StateFolder::open(lab.node.system(), Lab::kState, ""));
  EXPECT_FALSE(must(state->identity()));
  Identity identity{"dev_x", "a:1", "b:2", {1, 2}, "ff", {"k1", {3}}, Certified{"k2", {4}}, {77}};
  ASSERT_TRUE(state->save(identity));
  EXPECT_EQ(must(state->identity()), identity);
  ASSERT_TRUE(os::replace_file(lab.node.system().files, std::string(Lab::kState) + "/identity.json",
                               view_of("{}")));
  EXPECT_EQ(state->identity().error().code, Code::corrupt);
}

TEST(StateFolderTest, SealedFilesAreBoundToTheirName) {
  Lab lab;
  auto state = must(StateFolder::open(lab.node.system(), Lab::kState, ""));
  EXPECT_FALSE(must(state->load_sealed("twin")));
  ASSERT_TRUE(state->save_sealed("twin", view_of("plain words")));
  EXPECT_EQ(string_of(*must(state->load_sealed("twin"))), "plain words");
  auto& files = lab.node.system().files;
  const std::string folder = Lab::kState;
  EXPECT_EQ(text_of(must(os::read_file(files, folder + "/twin.sealed", 1000))).find("plain"),
            std::string_view::npos);
  ASSERT_TRUE(files.rename(folder + "/twin.sealed", folder + "/commands.sealed"));
  EXPECT_EQ(state->load_sealed("commands").error().code, Code::corrupt);
}

TEST(StateFolderTest, RequestsAreKeptAndUnusedKeysDropped) {
  Lab lab;
  auto state = must(StateFolder::open(lab.node.system(), Lab::kState, ""));
  const auto request = must(state->request("join", "host"));
  EXPECT_EQ(must(state->request("join", "other")), request);
  must(state->request("renewal", "host"));
  ASSERT_TRUE(state->forget_request("renewal"));
  ASSERT_TRUE(state->forget_request("renewal"));
  ASSERT_TRUE(state->drop_unused_keys());
  EXPECT_THAT(must(lab.node.system().files.list(std::string(Lab::kState) + "/keys")), SizeIs(1));
  EXPECT_TRUE(state->credential({request.key_name, {}}));
}

// ---- what people ask

TEST(DoctorTest, TellsWhichLayerIsBroken) {
  Lab lab;
  const auto examine = [&lab] {
    const auto plain = crypto::make_plain_transport(lab.node.system().network, lab.metrics);
    Doctor doctor(lab.node.system(), lab.node.loop(), *plain, Lab::kState, "");
    std::vector<Examined> all;
    doctor.run([&](const std::vector<Examined>& found) { all = found; });
    EXPECT_TRUE(lab.within(minutes(2), [&] { return !all.empty(); }));
    return all;
  };
  auto all = examine();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_FALSE(all[0].result);
  ASSERT_TRUE(lab.join());
  all = examine();
  ASSERT_THAT(all, SizeIs(6));
  for (const auto& each : all) EXPECT_TRUE(each.result) << doctor_text(all);
  lab.simulation.links().isolate(lab.node);
  all = examine();
  EXPECT_TRUE(all[0].result && all[1].result);
  EXPECT_FALSE(all[2].result || all[3].result || all[4].result || all[5].result);
  EXPECT_THAT(doctor_text(all), HasSubstr("mend:"));
}

TEST(DoctorTest, Clock) {
  const WallTime from{1'767'225'600'000'000};
  EXPECT_TRUE(examine_clock(from, from, from + days(90)));
  EXPECT_TRUE(examine_clock(WallTime{0}, from, from + days(90)));
  EXPECT_EQ(examine_clock(from - days(1), from, from + days(90)).error().code,
            Code::certificate_invalid);
  EXPECT_EQ(examine_clock(from + days(90), from, from + days(90)).error().code,
            Code::certificate_expired);
}

TEST(StatusTest, SaysWhoThisIs) {
  Lab lab;
  EXPECT_THAT(must(status_text(lab.node.system(), Lab::kState)), HasSubstr("not joined"));
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.simulation.run_for(seconds(1));
  const auto text = must(status_text(lab.node.system(), Lab::kState));
  EXPECT_THAT(text, HasSubstr(lab.agent->device_id()));
  EXPECT_THAT(text, HasSubstr("connection   up"));
}

}  // namespace
}  // namespace holdfast::agent
