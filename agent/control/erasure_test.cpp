#include "agent/control/erasure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/testing/lab.hpp"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Lab;
using testing::must;
using ::testing::SizeIs;

// Every file below the agent's folder, and its sealing key.
std::vector<std::string> left_over(Lab& lab) {
  std::vector<std::string> out;
  auto& files = lab.node.system().files;
  const std::function<void(const std::string&)> look = [&](const std::string& folder) {
    const auto entries = files.list(folder);
    if (!entries) return;
    for (const auto& entry : *entries) {
      const std::string at = os::join(folder, entry.name);
      if (entry.folder) {
        look(at);
      } else if (entry.name != "lock") {
        out.push_back(at);
      }
    }
  };
  look(Lab::kState);
  if (os::exists(files, std::string(Lab::kState) + ".seal")) out.emplace_back("the sealing key");
  return out;
}

void decommission(Lab& lab) {
  lab.server.connect_reason = wire::mqtt::Reason::not_authorized;
  lab.server.erase_nonce = std::string(64, 'a');
  lab.server.close_all(wire::mqtt::Reason::not_authorized);
}

TEST(ErasureTest, ADecommissionedDeviceErasesItselfAndProvesIt) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  bool told = false;
  lab.agent->on_erased([&] { told = true; });
  decommission(lab);
  ASSERT_TRUE(lab.within(minutes(5), [&] { return told; }));
  ASSERT_THAT(lab.server.proofs, SizeIs(1));
  EXPECT_THAT(lab.server.proofs[0], HasSubstr(std::string(64, 'a')));
  EXPECT_THAT(lab.server.proofs[0], HasSubstr("\"keys\""));
  EXPECT_THAT(left_over(lab), IsEmpty());
  const int connects = lab.server.connects;
  lab.simulation.run_for(hours(2));
  EXPECT_EQ(lab.server.connects, connects) << "it does not come back";
  EXPECT_THAT(left_over(lab), IsEmpty()) << "and writes nothing";
  lab.shut();
  EXPECT_FALSE(lab.boot()) << "it is no device any more";
}

TEST(ErasureTest, AQuarantinedDeviceKeepsAll) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.server.connect_reason = wire::mqtt::Reason::not_authorized;
  lab.server.close_all(wire::mqtt::Reason::not_authorized);
  lab.simulation.run_for(hours(1));
  EXPECT_THAT(lab.server.proofs, IsEmpty());
  EXPECT_TRUE(lab.identity());
  lab.server.connect_reason = wire::mqtt::Reason::success;
  EXPECT_TRUE(lab.online());
}

TEST(ErasureTest, ALostAnswerIsAskedForAgainBeforeTheKeyGoes) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  bool told = false;
  lab.agent->on_erased([&] { told = true; });
  lab.server.lost_proofs = 2;
  decommission(lab);
  ASSERT_TRUE(lab.within(minutes(5), [&] { return lab.server.proofs.size() == 1; }));
  EXPECT_TRUE(lab.identity()) << "until the proof is stored, the key stays";
  ASSERT_TRUE(lab.within(minutes(10), [&] { return told; }));
  EXPECT_THAT(lab.server.proofs, SizeIs(3));
  EXPECT_THAT(left_over(lab), IsEmpty());
}

// Cut at every change of the disk from the order to the end: after the next start it goes on, and
// in the end there is a proof and nothing else.
TEST(ErasureTest, CutAnywhereItGoesOn) {
  bool finished = false;
  int cuts = 0;
  for (std::uint64_t step = 1; !finished && step < 100; ++step) {
    Lab lab(100 + step);
    lab.join_and_boot();
    ASSERT_TRUE(lab.online());
    bool told = false;
    lab.agent->on_erased([&] { told = true; });
    decommission(lab);
    lab.node.disk().crash_at(lab.node.disk().operations() + step);
    lab.within(minutes(10), [&] { return told || !lab.node.up(); });
    finished = told;
    lab.node.disk().crash_at(UINT64_MAX);
    if (!finished) {
      ++cuts;
      lab.shut();
      lab.node.restart();
      if (lab.boot()) {
        lab.agent->on_erased([&] { told = true; });
        ASSERT_TRUE(lab.within(minutes(30), [&] { return told; })) << "step " << step;
      }
    }
    EXPECT_THAT(lab.server.proofs, ::testing::Not(IsEmpty())) << "step " << step;
    EXPECT_THAT(left_over(lab), IsEmpty()) << "step " << step;
  }
  EXPECT_TRUE(finished);
  EXPECT_GT(cuts, 5);
}

}  // namespace
}  // namespace holdfast::agent
