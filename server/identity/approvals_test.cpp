#include "server/identity/approvals.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/hash.hpp"
#include "server/identity/csv.hpp"
#include "server/identity/fixture_test.hpp"

namespace holdfast::identity {
namespace {

Bytes hash_of_key(const Keyed& keyed) {
  const auto digest = crypto::sha256(keyed.key.public_key().spki_der());
  return {digest.begin(), digest.end()};
}
Result<Waited> ask(Fixture& f, const Bytes& csr, std::string from = "192.0.2.9:7") {
  return f.registrar->enrol_unknown(csr, from);
}
struct WaitingRoom : Fixture {
  WaitingRoom() {
    EXPECT_TRUE(open());
    registrar->approvals().let_wait(true);
  }
};

TEST(Csv, QuotesLinesAndWhatCannotBeRead) {
  const auto rows = parse_csv("\xEF\xBB\xBFserial,name\r\n\r\n\"a \"\"b\"\"\",\"two\nlines\"\nlast,x", 10);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].fields, (std::vector<std::string>{"serial", "name"}));
  EXPECT_EQ(rows[1].fields, (std::vector<std::string>{"a \"b\"", "two\nlines"}));
  EXPECT_EQ(rows[1].line, 3U);
  EXPECT_EQ(rows[2].line, 5U);
  EXPECT_NE(parse_csv("\"open", 10)[0].error, "");
  EXPECT_NE(parse_csv(std::string(2'000, 'x'), 10)[0].error, "");
  EXPECT_EQ(parse_csv("a\nb\nc\n", 2).back().error, "more than 2 rows");
}

TEST(Waiting, IsOffUnlessSwitchedOn) {
  Fixture f;
  ASSERT_TRUE(f.open());
  EXPECT_EQ(ask(f, new_csr().csr).error().code, Code::unauthenticated);
}

TEST(Waiting, UntilAnOperatorApproves) {
  WaitingRoom f;
  const Keyed device = new_csr("press", "E3-7");
  const auto first = ask(f, device.csr).value();
  EXPECT_FALSE(first.certificate);
  EXPECT_EQ(first.retry_after, kAskAgain);
  auto list = f.registrar->approvals().requests(core::test_caller(), {}).value();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].serial, "E3-7");
  EXPECT_EQ(list[0].address, "192.0.2.9");
  EXPECT_EQ(list[0].key_hash, hash_of_key(device));
  EXPECT_TRUE(f.registry->list(core::test_caller(), {})->devices.empty()) << "nothing is made for who only asks";
  Place place;
  place.name = "press 7";
  place.tags = {{"line", "2"}};
  ASSERT_TRUE(f.registrar->approvals().approve(core::test_caller(), hash_of_key(device), place));
  const auto second = ask(f, device.csr).value();
  ASSERT_TRUE(second.certificate);
  EXPECT_EQ(ask(f, device.csr)->certificate, second.certificate) << "after a lost reply the same bytes";
  const auto id = DeviceId::parse(crypto::parse_certificate(*second.certificate)->subject_cn).value();
  const auto record = f.registry->find(id).value();
  EXPECT_EQ(record.name, "press 7");
  EXPECT_EQ(record.tags, place.tags);
  EXPECT_EQ(record.evidence, devices::EvidenceClass::software);
  EXPECT_TRUE(f.registrar->admit(*second.certificate, Purpose::connect));
}

TEST(Waiting, ARefusalIsNeverForEver) {
  WaitingRoom f;
  const Keyed device = new_csr();
  ASSERT_TRUE(ask(f, device.csr));
  ASSERT_TRUE(f.registrar->approvals().refuse(core::test_caller(), hash_of_key(device), "not ours"));
  const auto refused = ask(f, device.csr);
  EXPECT_EQ(refused.error().code, Code::forbidden);
  EXPECT_NE(refused.error().message.find("not ours"), std::string::npos);
  ASSERT_TRUE(f.registrar->approvals().approve(core::test_caller(), hash_of_key(device), {}));
  EXPECT_TRUE(ask(f, device.csr)->certificate) << "the next question gets in";
  EXPECT_EQ(f.registrar->approvals().refuse(core::test_caller(), hash_of_key(device), "late").error().code,
            Code::conflict);
}

TEST(Waiting, ApprovesAKeyAndNotASerial) {
  WaitingRoom f;
  const Keyed device = new_csr("press", "E3-7");
  ASSERT_TRUE(ask(f, device.csr));
  ASSERT_TRUE(f.registrar->approvals().approve(core::test_caller(), hash_of_key(device), {}));
  EXPECT_FALSE(ask(f, new_csr("press", "E3-7").csr)->certificate) << "another key with the same serial waits";
  EXPECT_TRUE(ask(f, device.csr)->certificate);
}

TEST(Waiting, IsBoundedByAddress) {
  WaitingRoom f;
  for (std::size_t i = 0; i < kWrongClaimsMax; ++i) EXPECT_TRUE(ask(f, new_csr().csr));
  EXPECT_EQ(ask(f, new_csr().csr).error().code, Code::rate_limited);
  EXPECT_TRUE(ask(f, new_csr().csr, "192.0.2.10:1")) << "others are not held up";
}

TEST(Registrations, AreTakenLineByLine) {
  Fixture f;
  ASSERT_TRUE(f.open());
  auto& approvals = f.registrar->approvals();
  const std::string csv =
      "serial,name,tags,key_sha256,site_id\n"
      "A-1,pump,line=3;floor=1,,\n"
      ",nameless,,,\n"
      "A-2,,bad key!=1,,\n"
      "A-3,,,beef,\n"
      "A-4,,,,site_00000000000000000000000000\n"
      "A-5,,,,nonsense\n"
      "A-1,twice,,,\n"
      "B-*,,,,\n"
      "*,,,,\n";
  const auto checked = approvals.import(core::test_caller(), csv, true);
  ASSERT_TRUE(checked) << checked.error().text();
  EXPECT_TRUE(approvals.registrations(core::test_caller(), "", 10)->empty()) << "only looked at";
  const std::string good = "serial,name,tags\nA-1,pump,line=3;floor=1\nA-1,twice,\n,x,\nB-*,,\n*,,\n";
  const auto done = approvals.import(core::test_caller(), good, false).value();
  EXPECT_EQ(done.added, 2U);
  std::vector<std::size_t> lines;
  for (const auto& one : done.problems) lines.push_back(one.line);
  EXPECT_EQ(lines, (std::vector<std::size_t>{3, 4, 6}));
  const auto list = approvals.registrations(core::test_caller(), "", 10).value();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].place.tags, (devices::Tags{{"floor", "1"}, {"line", "3"}}));
  EXPECT_FALSE(approvals.import(core::test_caller(), "name\nx\n", false)->problems.empty());
  EXPECT_FALSE(approvals.import(core::test_caller(), "serial,colour\nA,b\n", false)->problems.empty());
  ASSERT_TRUE(approvals.forget_registration(core::test_caller(), "A-1"));
  EXPECT_EQ(approvals.forget_registration(core::test_caller(), "A-1").error().code, Code::not_found);
}

TEST(Registrations, LetInOnceBySerialAlwaysByPatternAndByKeyOnlyThatKey) {
  WaitingRoom f;
  auto& approvals = f.registrar->approvals();
  const Keyed keyed = new_csr("k", "K-1");
  const std::string csv = "serial,name,key_sha256\nA-1,pump,\nB-*,,\nB-9*,nine,\nK-1,,"  + to_hex(hash_of_key(keyed)) + "\n";
  ASSERT_EQ(approvals.import(core::test_caller(), csv, false)->added, 4U);
  EXPECT_TRUE(ask(f, new_csr("x", "A-1").csr)->certificate);
  EXPECT_FALSE(ask(f, new_csr("x", "A-1").csr)->certificate) << "the serial is used up";
  EXPECT_TRUE(ask(f, new_csr("x", "B-1").csr)->certificate);
  EXPECT_TRUE(ask(f, new_csr("x", "B-2").csr)->certificate) << "a pattern lets in all that fit";
  const auto nine = ask(f, new_csr("x", "B-99").csr).value();
  ASSERT_TRUE(nine.certificate);
  const auto id = DeviceId::parse(crypto::parse_certificate(*nine.certificate)->subject_cn).value();
  EXPECT_EQ(f.registry->find(id)->name, "nine") << "the longest pattern";
  EXPECT_FALSE(ask(f, new_csr("k", "K-1").csr)->certificate) << "the serial is bound to a key";
  EXPECT_TRUE(ask(f, keyed.csr)->certificate);
  EXPECT_FALSE(ask(f, new_csr("x", "C-1").csr, "192.0.2.77:1")->certificate);
}

TEST(Registrations, TenThousandInOneGo) {
  Fixture f;
  ASSERT_TRUE(f.open());
  std::string csv = "serial\n";
  for (int i = 0; i < 10'000; ++i) csv += "S-" + std::to_string(i) + "\n";
  const auto done = f.registrar->approvals().import(core::test_caller(), csv, false).value();
  EXPECT_EQ(done.added, 10'000U);
  EXPECT_TRUE(done.problems.empty());
  const auto more = f.registrar->approvals().import(core::test_caller(), csv + "S-x\n", false).value();
  EXPECT_EQ(more.added, 0U);
  EXPECT_EQ(more.problems.back().message.find("more than") != std::string::npos, true);
}

}  // namespace
}  // namespace holdfast::identity
