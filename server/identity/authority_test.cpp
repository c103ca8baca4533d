#include "server/identity/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/crypto/trust.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::identity {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuthorityTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Authority>> open(os::sim::Node& on,
                                          std::vector<std::string> names = {"localhost"}) {
    const os::System system = on.system();
    TRY(system.files.make_folder("/ca"));
    const Bytes key(32, 0x17);
    auto keys = TRY(keys::make_file_key_store(system.files, system.entropy, "/ca/keys", key));
    return Authority::open(system, "/ca", std::move(keys), std::move(names));
  }
  os::sim::Node& node() { return world.node("server"); }
  os::sim::Simulation world{1};
};

TEST_F(AuthorityTest, IsMadeOnceAndFoundAgain) {
  const auto first = open(node());
  ASSERT_TRUE(first) << first.error().text();
  const auto second = open(node());
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->root().der, (*first)->root().der);
  EXPECT_EQ((*second)->issuing().der, (*first)->issuing().der);
  EXPECT_EQ((*second)->server_certificate().der, (*first)->server_certificate().der);
  EXPECT_EQ((*second)->server_credential().chain_der.size(), 2U) << "leaf and issuing CA";
  EXPECT_EQ((*first)->server_certificate().spki_der,
            (*first)->server_credential().key.public_key().spki_der());
}

TEST_F(AuthorityTest, TheServerCertificateIsTrustedForItsNames) {
  const auto authority = open(node(), {"localhost", "plant.example", "192.0.2.10"});
  ASSERT_TRUE(authority);
  const auto certificate = (*authority)->server_certificate();
  EXPECT_THAT(missing_names(certificate, {"localhost", "plant.example", "192.0.2.10"}), IsEmpty());
  EXPECT_THAT(missing_names(certificate, {"localhost", "other.example", "192.0.2.11"}),
              ElementsAre("other.example", "192.0.2.11"));
  const auto trust =
      crypto::TrustStore::make({(*authority)->root().der, (*authority)->issuing().der}).value();
  EXPECT_TRUE(
      trust->verify(certificate.der, {},
                    {.purpose = crypto::Purpose::server, .now = node().system().clock.wall()}));
  EXPECT_FALSE(
      trust->verify(certificate.der, {},
                    {.purpose = crypto::Purpose::client, .now = node().system().clock.wall()}))
      << "it speaks for no device";
}

TEST_F(AuthorityTest, IsRenewedInTimeAndNotBefore) {
  const auto authority = open(node());
  ASSERT_TRUE(authority);
  const Bytes first = (*authority)->server_certificate().der;
  EXPECT_FALSE((*authority)->renew_server().value());
  world.jump_wall(kServerLife - kServerRenewBefore - hours(1));
  EXPECT_FALSE((*authority)->renew_server().value());
  world.jump_wall(hours(2));
  EXPECT_TRUE((*authority)->renew_server().value());
  const auto second = (*authority)->server_certificate();
  EXPECT_NE(second.der, first);
  EXPECT_GT(second.not_after, node().system().clock.wall() + days(89));
  EXPECT_FALSE((*authority)->renew_server().value()) << "once";
  EXPECT_EQ((*open(node()))->server_certificate().der, second.der) << "and kept";
}

TEST_F(AuthorityTest, ANewNameMakesANewCertificateAndAClockThatWasWrongToo) {
  const Bytes first = (*open(node()))->server_certificate().der;
  const auto named = open(node(), {"localhost", "plant.example"});
  ASSERT_TRUE(named);
  EXPECT_NE((*named)->server_certificate().der, first);
  const Bytes second = (*named)->server_certificate().der;
  EXPECT_EQ((*open(node(), {"localhost"}))->server_certificate().der, second)
      << "one that carries more is fine";
  // Made when the clock stood far ahead: nobody would trust it yet.
  world.jump_wall(days(40));
  ASSERT_TRUE((*named)->renew_server());
  world.jump_wall(days(0) - days(30));
  EXPECT_TRUE((*named)->renew_server().value() ||
              (*named)->server_certificate().not_before <= node().system().clock.wall());
}

TEST_F(AuthorityTest, ADeviceCertificateCarriesTheDeviceAndNothingElse) {
  const auto authority = open(node());
  ASSERT_TRUE(authority);
  DeviceId id;
  id.ulid[15] = 7;
  const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256).value();
  const WallTime now = node().system().clock.wall();
  const auto der =
      (*authority)
          ->issue_device(id, key.public_key(), now, days(90), devices::EvidenceClass::claim);
  ASSERT_TRUE(der) << der.error().text();
  const auto certificate = crypto::parse_certificate(*der).value();
  EXPECT_EQ(certificate.subject_cn, id.text());
  EXPECT_EQ(certificate.names->uris, std::vector<std::string>{"urn:holdfast:" + id.text()});
  EXPECT_THAT(certificate.names->dns, IsEmpty());
  EXPECT_EQ(certificate.not_after, now + days(90));
  const auto other =
      (*authority)
          ->issue_device(id, key.public_key(), now, days(90), devices::EvidenceClass::claim);
  EXPECT_NE(crypto::parse_certificate(*other).value().serial, certificate.serial);
}

TEST_F(AuthorityTest, AKeyOfAnotherAuthorityIsFound) {
  ASSERT_TRUE(open(node()));
  auto& other = world.node("other");
  ASSERT_TRUE(open(other));
  const auto pem = os::read_file(other.system().files, "/ca/issuing.pem", 1 << 16).value();
  ASSERT_TRUE(os::replace_file(node().system().files, "/ca/issuing.pem", pem));
  const auto opened = open(node());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt) << opened.error().text();
}

TEST_F(AuthorityTest, DamagedPemIsAnError) {
  ASSERT_TRUE(open(node()));
  for (const char* file : {"/ca/root.pem", "/ca/issuing.pem"}) {
    const auto pem = os::read_file(node().system().files, file, 1 << 16).value();
    ASSERT_TRUE(os::replace_file(node().system().files, file, view_of("-----BEGIN")));
    EXPECT_FALSE(open(node())) << file;
    ASSERT_TRUE(os::replace_file(node().system().files, file, pem));
  }
  ASSERT_TRUE(os::replace_file(node().system().files, "/ca/server.pem", view_of("rubbish")));
  const auto opened = open(node());
  EXPECT_TRUE(opened) << "the server's own is just made anew: " << opened.error().text();
}

// A power cut at every disk operation: of the first start, and of a renewal.
TEST_F(AuthorityTest, APowerCutAnywhereLeavesAnAuthorityThatOpens) {
  int cuts = 0;
  for (std::uint64_t cut = 1; cut < 200; ++cut) {
    os::sim::Simulation other(cut);
    auto& machine = other.node("server");
    machine.disk().crash_at(machine.disk().operations() + cut);
    (void)open(machine);
    if (machine.up()) break;
    ++cuts;
    machine.restart();
    const auto opened = open(machine);
    ASSERT_TRUE(opened) << cut << ": " << opened.error().text();
    EXPECT_EQ((*opened)->server_certificate().spki_der,
              (*opened)->server_credential().key.public_key().spki_der());
  }
  EXPECT_GT(cuts, 10);
  cuts = 0;
  for (std::uint64_t cut = 1; cut < 100; ++cut) {
    os::sim::Simulation other(cut);
    auto& machine = other.node("server");
    Bytes root;
    {
      const auto made = open(machine);
      ASSERT_TRUE(made);
      root = (*made)->root().der;
      other.jump_wall(days(70));
      machine.disk().crash_at(machine.disk().operations() + cut);
      (void)(*made)->renew_server();
    }
    if (machine.up()) break;
    ++cuts;
    machine.restart();
    const auto opened = open(machine);
    ASSERT_TRUE(opened) << cut << ": " << opened.error().text();
    EXPECT_EQ((*opened)->root().der, root);
    EXPECT_EQ((*opened)->server_certificate().spki_der,
              (*opened)->server_credential().key.public_key().spki_der());
    EXPECT_GT((*opened)->server_certificate().not_after,
              machine.system().clock.wall() + kServerRenewBefore);
  }
  EXPECT_GT(cuts, 3);
}

TEST(ServerNames, AreEachOnceAndWithoutEmptyOnes) {
  os::sim::Simulation world(1);
  const auto names =
      server_names(world.node("plant").system().network, {"plant.example", "localhost", "plant"});
  EXPECT_THAT(names, Contains("localhost"));
  EXPECT_THAT(names, Contains("127.0.0.1"));
  EXPECT_THAT(names, Contains("plant"));
  EXPECT_THAT(names, Contains("plant.example"));
  auto unique = names;
  std::ranges::sort(unique);
  EXPECT_EQ(std::ranges::adjacent_find(unique), unique.end());
  EXPECT_THAT(names, ::testing::Not(Contains("")));
}

}  // namespace
}  // namespace holdfast::identity
