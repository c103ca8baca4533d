#include "server/identity/decommission.hpp"

#include <gtest/gtest.h>

#include "libs/wire/json.hpp"
#include "server/identity/fixture_test.hpp"

namespace holdfast::identity {
namespace {

// A device of the fixture: its key, certificate and id.
struct Enrolled {
  crypto::PrivateKey key;
  Bytes der;
  DeviceId id;
};
Enrolled enrolled(Fixture& f, NewClaim wanted = {}, std::string serial = {}) {
  const Keyed keyed = new_csr("pump", std::move(serial));
  const Bytes der = f.enrol(f.claim(std::move(wanted)).secret, keyed.csr).value();
  return {keyed.key, der, DeviceId::parse(crypto::parse_certificate(der).value().subject_cn).value()};
}
std::string statement_of(const EraseOrder& order, WallTime at) {
  return wire::json_text(wire::JsonObject{{"device_id", order.device.text()},
                                          {"nonce", order.nonce},
                                          {"time", to_rfc3339(at)},
                                          {"erased", wire::JsonArray{"spool", "state", "keys"}}});
}
Status prove(Fixture& f, const Enrolled& device) {
  const EraseOrder order = TRY(f.registrar->erase_order(device.der));
  const std::string statement = statement_of(order, f.registrar->now());
  return f.registrar->erase_proven(device.der, view_of(statement), TRY(device.key.sign(view_of(statement))));
}
Receipt receipt_now(Fixture& f, DeviceId id) {
  return f.registrar->decommissions().receipt(core::test_caller(), id).value();
}
Farewell leaving(std::string reason = "scrapped") {
  Farewell out;
  out.reason = std::move(reason);
  return out;
}

TEST(EraseMachine, EveryStateAndEvent) {
  using enum EraseState;
  EXPECT_EQ(after(erase_pending, EraseEvent::deadline), erase_overdue);
  EXPECT_EQ(after(erase_pending, EraseEvent::proof), erased);
  EXPECT_EQ(after(erase_overdue, EraseEvent::proof), erased) << "late is better than never";
  EXPECT_EQ(after(erase_overdue, EraseEvent::deadline), std::nullopt);
  for (const auto event : {EraseEvent::deadline, EraseEvent::proof}) {
    EXPECT_EQ(after(erased, event), std::nullopt);
    EXPECT_EQ(after(not_erased, event), std::nullopt);
  }
  for (const EraseState state : kEraseStates) EXPECT_EQ(erase_state_named(name_of(state)), state);
}

TEST(Decommission, ClosesAllDoorsButOneAndLeavesAReceipt) {
  Fixture f;
  ASSERT_TRUE(f.open());
  NewClaim bound;
  bound.device_serial = "E3-1";
  const Enrolled device = enrolled(f, bound, "E3-1");
  const ClaimSecret open = f.claim(bound);  // it could come back by this
  const ClaimSecret other = f.claim();
  EXPECT_EQ(f.registrar->erase_order(device.der).error().code, Code::not_found);
  const Receipt made = f.registrar->decommissions().decommission(core::test_caller(), device.id, leaving()).value();
  EXPECT_EQ(made.state, EraseState::erase_pending);
  EXPECT_EQ(made.claims, 1);
  ASSERT_EQ(made.certificates.size(), 1U);
  EXPECT_EQ(f.registry->find(device.id)->state, devices::State::decommissioned);
  EXPECT_EQ(f.registrar->admit(device.der, Purpose::connect).error().code, Code::certificate_revoked);
  EXPECT_FALSE(f.registrar->renew(device.der, new_csr().csr, "a:1"));
  EXPECT_EQ(code_of(f.enrol(open.secret, new_csr("x", "E3-1").csr)), Code::claim_revoked);
  EXPECT_TRUE(f.enrol(other.secret, new_csr().csr)) << "claims of others are left alone";
  EXPECT_EQ(f.registrar->decommissions().decommission(core::test_caller(), device.id, leaving()).error().code,
            Code::conflict);
  ASSERT_TRUE(prove(f, device));
  const Receipt done = receipt_now(f, device.id);
  EXPECT_EQ(done.state, EraseState::erased);
  EXPECT_TRUE(done.fetched_at && done.erased_at && done.proof);
  EXPECT_EQ(done.proof->certificate, made.certificates[0]);
  EXPECT_TRUE(device.key.public_key().verify(done.proof->statement, done.proof->signature)) << "anyone can check it";
  EXPECT_TRUE(prove(f, device)) << "a repeat after a lost reply";
  EXPECT_EQ(receipt_now(f, device.id).erased_at, done.erased_at);
}

TEST(Decommission, AProofIsOfThisDeviceThisOrderAndThisKey) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const Enrolled device = enrolled(f);
  const Enrolled other = enrolled(f);
  for (const auto* one : {&device, &other}) {
    ASSERT_TRUE(f.registrar->decommissions().decommission(core::test_caller(), one->id, leaving()));
  }
  const EraseOrder order = f.registrar->erase_order(device.der).value();
  const auto said = [&](const std::string& statement, const crypto::PrivateKey& key) {
    return f.registrar->erase_proven(device.der, view_of(statement), key.sign(view_of(statement)).value()).error().code;
  };
  const std::string good = statement_of(order, f.registrar->now());
  EXPECT_EQ(said(good, other.key), Code::payload_malformed) << "another key";
  EXPECT_EQ(said(statement_of(f.registrar->erase_order(other.der).value(), f.registrar->now()), device.key),
            Code::payload_malformed)
      << "another device's order";
  EraseOrder replayed = order;
  replayed.nonce = std::string(64, '0');
  EXPECT_EQ(said(statement_of(replayed, f.registrar->now()), device.key), Code::payload_malformed);
  EXPECT_EQ(said("{}", device.key), Code::payload_malformed);
  EXPECT_EQ(said("not json", device.key), Code::payload_malformed);
  EXPECT_EQ(said(good + std::string(kStatementBytesMax, ' '), device.key), Code::payload_malformed);
  EXPECT_EQ(receipt_now(f, device.id).state, EraseState::erase_pending);
}

TEST(Decommission, ADeadlineRaisesAnAlarmOnceAndALateProofStillCounts) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const Enrolled device = enrolled(f);
  Farewell wanted = leaving();
  wanted.erase_limit = hours(1);
  ASSERT_TRUE(f.registrar->decommissions().decommission(core::test_caller(), device.id, wanted));
  f.t.world.run_for(minutes(59));
  EXPECT_EQ(receipt_now(f, device.id).state, EraseState::erase_pending);
  f.t.world.run_for(minutes(3));
  const Receipt late = receipt_now(f, device.id);
  EXPECT_EQ(late.state, EraseState::erase_overdue);
  EXPECT_TRUE(late.overdue_at);
  ASSERT_TRUE(prove(f, device));
  EXPECT_EQ(receipt_now(f, device.id).state, EraseState::erased);
}

TEST(Decommission, WithoutAWipeThereIsNothingToWaitFor) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const Enrolled device = enrolled(f);
  Farewell wanted = leaving();
  wanted.erase = false;
  EXPECT_EQ(f.registrar->decommissions().decommission(core::test_caller(), device.id, wanted)->state,
            EraseState::not_erased);
  EXPECT_EQ(f.registrar->erase_order(device.der).error().code, Code::not_found);
  Farewell mute;
  EXPECT_EQ(f.registrar->decommissions().decommission(core::test_caller(), device.id, mute).error().pointer, "/reason");
}

TEST(Decommission, ItsDataGoWhenThatIsAskedFor) {
  Fixture f;
  ASSERT_TRUE(f.open());
  std::vector<DeviceId> erased;
  f.registrar->decommissions().on_erase_data([&](DeviceId id) -> Status {
    erased.push_back(id);
    return erased.size() == 1 ? Status(fail(Code::io_error, "not today")) : Status();
  });
  const Enrolled kept = enrolled(f);
  const Enrolled gone = enrolled(f);
  Farewell wanted = leaving();
  ASSERT_TRUE(f.registrar->decommissions().decommission(core::test_caller(), kept.id, wanted));
  wanted.erase_data = true;
  ASSERT_TRUE(f.registrar->decommissions().decommission(core::test_caller(), gone.id, wanted));
  f.t.world.run_for(minutes(10));
  EXPECT_EQ(erased, (std::vector<DeviceId>{gone.id, gone.id})) << "tried again after the failure, and only this one";
  EXPECT_TRUE(receipt_now(f, gone.id).data_erased_at);
  EXPECT_FALSE(receipt_now(f, kept.id).data_erased_at);
}

// Cut at every change of the disk from the order to the proof: what was answered stays, what was not is whole
// or not there, and whoever goes on comes to the same end.
TEST(Decommission, CutAnywhereItComesToTheSameEnd) {
  int cuts = 0;
  bool finished = false;
  for (std::uint64_t step = 1; !finished && step < 400; ++step) {
    Fixture f(500 + step);
    ASSERT_TRUE(f.open());
    const Enrolled device = enrolled(f);
    f.t.node.disk().crash_at(f.t.node.disk().operations() + step);
    const auto answered = f.registrar->decommissions().decommission(core::test_caller(), device.id, leaving());
    const bool proved = answered && prove(f, device);
    finished = f.t.node.up();
    cuts += finished ? 0 : 1;
    f.t.node.disk().crash_at(UINT64_MAX);
    f.crash();
    ASSERT_TRUE(f.open()) << "step " << step;
    const auto state = f.registry->find(device.id)->state;
    const auto kept = f.registrar->decommissions().receipt(core::test_caller(), device.id);
    EXPECT_EQ(state == devices::State::decommissioned, kept.has_value()) << "step " << step << ": all or nothing";
    EXPECT_TRUE(!answered || kept) << "step " << step << ": what was answered stays";
    EXPECT_TRUE(!proved || kept->state == EraseState::erased) << "step " << step;
    if (kept) {
      EXPECT_EQ(f.registrar->admit(device.der, Purpose::renew).error().code, Code::certificate_revoked);
      EXPECT_EQ(kept->certificates.size(), 1U);
    } else {
      ASSERT_TRUE(f.registrar->decommissions().decommission(core::test_caller(), device.id, leaving()));
    }
    ASSERT_TRUE(prove(f, device)) << "step " << step;
    EXPECT_EQ(receipt_now(f, device.id).state, EraseState::erased);
  }
  EXPECT_TRUE(finished);
  std::printf("cut points: %d\n", cuts);
  EXPECT_GT(cuts, 4);
}

TEST(Replace, NewHardwareTakesTheRecordAndTheOldKeyIsDead) {
  Fixture f;
  ASSERT_TRUE(f.open());
  NewClaim wanted;
  wanted.tags = {{"line", "3"}};
  wanted.name = "press 4";
  const Enrolled old = enrolled(f, wanted, "A-1");
  const auto claim = f.registrar->replace(core::test_caller(), old.id, "burnt", hours(1), "").value();
  EXPECT_TRUE(f.registrar->admit(old.der, Purpose::connect)) << "the old one works until the new one comes";
  const Keyed fresh = new_csr("whatever", "B-2");
  const Bytes der = f.enrol(claim.secret, fresh.csr).value();
  EXPECT_EQ(crypto::parse_certificate(der)->subject_cn, old.id.text()) << "the same device";
  EXPECT_EQ(f.enrol(claim.secret, fresh.csr).value(), der) << "after a lost reply";
  EXPECT_EQ(f.registrar->admit(old.der, Purpose::connect).error().code, Code::certificate_revoked);
  EXPECT_TRUE(f.registrar->admit(der, Purpose::connect));
  const auto record = f.registry->find(old.id).value();
  EXPECT_EQ(record.name, "press 4");
  EXPECT_EQ(record.tags, wanted.tags);
  EXPECT_EQ(record.serial, "B-2");
  const auto history = f.registrar->replacements(core::test_caller(), old.id).value();
  ASSERT_EQ(history.size(), 1U);
  EXPECT_EQ(history[0].old_serial, "A-1");
  EXPECT_EQ(history[0].new_serial, "B-2");
  EXPECT_TRUE(history[0].done_at);
}

TEST(Replace, AlsoOfOneThatWasRevokedAndNeverOfOneThatIsGone) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const Enrolled old = enrolled(f);
  ASSERT_TRUE(f.registry->revoke(core::test_caller(), old.id, "stolen"));
  f.t.world.run_for(seconds(5));
  const auto claim = f.registrar->replace(core::test_caller(), old.id, "stolen", hours(1), "").value();
  const Bytes der = f.enrol(claim.secret, new_csr().csr).value();
  EXPECT_TRUE(f.registrar->admit(der, Purpose::connect));
  EXPECT_FALSE(f.registry->find(old.id)->quarantine);
  const auto open = f.registrar->replace(core::test_caller(), old.id, "again", hours(1), "").value();
  ASSERT_TRUE(f.registrar->decommissions().decommission(core::test_caller(), old.id, leaving()));
  EXPECT_EQ(code_of(f.enrol(open.secret, new_csr().csr)), Code::claim_revoked) << "void with the device";
  EXPECT_EQ(f.registrar->replace(core::test_caller(), old.id, "no", hours(1), "").error().code, Code::conflict);
}

TEST(Orphans, AreRecordsWithoutACertificate) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const Enrolled good = enrolled(f);
  const Enrolled lost = enrolled(f);
  EXPECT_TRUE(f.registrar->orphans(core::test_caller())->records.empty());
  ASSERT_TRUE(f.registry->revoke(core::test_caller(), lost.id, "stolen"));
  f.t.world.run_for(seconds(5));
  const auto found = f.registrar->orphans(core::test_caller()).value();
  ASSERT_EQ(found.records.size(), 1U);
  EXPECT_EQ(found.records[0].device, lost.id);
  EXPECT_TRUE(found.certificates.empty());
  f.t.world.jump_wall(days(91));
  EXPECT_EQ(f.registrar->orphans(core::test_caller())->records.size(), 2U) << "the others have expired";
}

}  // namespace
}  // namespace holdfast::identity
