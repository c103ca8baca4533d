// A backup of a server that runs: what the archive holds and what it must not, and that a new
// server made from it goes on. Damaged archives are the command line's matter (cli/archive_test).
#include "server/app/backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/crypto/hash.hpp"
#include "libs/wire/tar.hpp"
#include "server/app/fixture_test.hpp"

namespace holdfast::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Archive {
  std::map<std::string, Bytes> files;
  std::uint64_t bytes_before_complete = 0;
  std::string digest_before_complete;
};

// As anyone with tar would read it.
Archive unpack(const Bytes& tar) {
  Archive out;
  wire::TarHeaders headers;
  std::size_t at = 0;
  for (;;) {
    const std::size_t start = at;
    if (at + wire::kTarBlock > tar.size()) {
      ADD_FAILURE() << "the archive has no end";
      return out;
    }
    const auto next = headers.next(View(tar).subspan(at, wire::kTarBlock));
    if (!next) {
      ADD_FAILURE() << next.error().text() << " at " << at;
      return out;
    }
    at += wire::kTarBlock;
    if (next->kind == wire::TarHeaders::Kind::end) break;
    const auto size = static_cast<std::size_t>(next->member.size);
    const View content = View(tar).subspan(at, size);
    at += size + wire::tar_padding(size);
    if (next->kind == wire::TarHeaders::Kind::more) {
      EXPECT_TRUE(headers.extend(content));
      continue;
    }
    EXPECT_TRUE(wire::safe_tar_name(next->member.name)) << next->member.name;
    if (next->member.name == "COMPLETE") {
      out.bytes_before_complete = start;
      out.digest_before_complete = to_hex(crypto::sha256(View(tar).subspan(0, start)));
    }
    EXPECT_TRUE(out.files.emplace(next->member.name, as_bytes(content)).second)
        << next->member.name << " twice";
  }
  return out;
}

class BackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto ready = server.start();
    ASSERT_TRUE(ready) << ready.error().text();
    person = std::make_unique<Peer>(server, "person", 0);
    device = enrol(server, *person, "pump 7");
    Peer pump(server, "pump", 2, device.credential);
    http::Headers json;
    json.set("Content-Type", "application/json");
    EXPECT_LT(pump.ask("POST", "/device/v1/telemetry/lab",
                       R"({"temp":20.5,"note":"REPORTED-WORD-91"})", json)
                  .status,
              300);
    EXPECT_LT(pump.ask("PUT", "/device/v1/twin/reported", R"({"secret":"REPORTED-WORD-92"})", json)
                  .status,
              300);
    world.run_for(seconds(2));
  }
  Bytes take() {
    const auto answer = person->admin("POST", "/v1/backup");
    EXPECT_EQ(answer.status, 200) << answer.text();
    backup_id = std::string(answer.headers.get("Holdfast-Backup-Id").value_or(""));
    return answer.body;
  }
  Bytes take_ring() {
    const auto answer =
        person->admin("POST", "/v1/backup/ring", R"({"backup_id":")" + backup_id + R"("})");
    EXPECT_EQ(answer.status, 200) << answer.text();
    return answer.body;
  }
  // As `holdfast restore` lays it out.
  void lay_out(const Archive& archive, const Bytes& ring, const std::string& data) {
    os::Files& files = server.node.system().files;
    ASSERT_TRUE(files.make_folder(data));
    for (const auto& [name, content] : archive.files) {
      if (name == "COMPLETE") continue;
      for (std::size_t slash = name.find('/'); slash != std::string::npos;
           slash = name.find('/', slash + 1)) {
        ASSERT_TRUE(files.make_folder(os::join(data, name.substr(0, slash))));
      }
      ASSERT_TRUE(os::replace_file(files, os::join(data, name), content));
    }
    ASSERT_TRUE(os::replace_file(files, data + ".ring", ring));
    ASSERT_TRUE(os::replace_file(files, data + ".seal", view_of(server.file("/data.seal"))));
  }
  os::sim::Simulation world{21};
  Server server{world, "/data", 8443};
  std::unique_ptr<Peer> person;
  Enrolled device;
  std::string backup_id;
};

TEST_F(BackupTest, TheArchiveIsWholeAndSaysSo) {
  const Bytes tar = take();
  const Archive archive = unpack(tar);
  ASSERT_TRUE(archive.files.contains("COMPLETE"));
  const auto complete = wire::parse_json(archive.files.at("COMPLETE"));
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->at("backup_id"), wire::Json(backup_id));
  EXPECT_EQ(complete->at("members"), wire::Json(archive.files.size() - 1));
  EXPECT_EQ(complete->at("bytes"), wire::Json(archive.bytes_before_complete));
  EXPECT_EQ(complete->at("sha256"), wire::Json(archive.digest_before_complete));
  EXPECT_TRUE(archive.files.contains("holdfast.db"));
  EXPECT_TRUE(archive.files.contains("recovery.sealed"));
  EXPECT_TRUE(archive.files.contains("ca/root.pem"));
  bool series = false;
  for (const auto& [name, content] : archive.files) {
    series = series || name.starts_with("series/");
    for (const char* never :
         {"journal", "admin-token", "setup-link", "data.seal", "data.ring", ".tmp"}) {
      EXPECT_EQ(name.find(never), std::string::npos) << name;
    }
  }
  EXPECT_TRUE(series) << "the journal was sealed first";
  EXPECT_FALSE(server.has("/data/backup.db.tmp")) << "the copy is gone";
  const auto audit = person->json(person->admin("GET", "/v1/audit?action=create_backup"), 200);
  EXPECT_EQ(audit.at_pointer("/items/0/object"), wire::Json(backup_id));
}

TEST_F(BackupTest, NothingSecretStandsInTheClear) {
  const Bytes tar = take();
  const Bytes ring = take_ring();
  std::vector<std::string> secrets{device.claim, server.file("/data/admin-token"),
                                   "REPORTED-WORD-91", "REPORTED-WORD-92"};
  const std::string link = server.file("/data/setup-link");
  secrets.push_back(link.substr(link.find('#') + 1));
  secrets.push_back(server.file("/data.seal"));
  const std::string note = server.file("/data.recovery");
  secrets.push_back(note.substr(note.find('\n') + 1, 24));
  for (const std::string& secret : secrets) {
    ASSERT_GE(secret.size(), 12U);
    const std::string base64 = to_base64(view_of(secret)).substr(0, secret.size() / 3 * 4);
    for (const Bytes* bytes : {&tar, &ring}) {
      EXPECT_EQ(text_of(*bytes).find(secret), std::string_view::npos) << secret.substr(0, 6);
      EXPECT_EQ(text_of(*bytes).find(base64), std::string_view::npos) << secret.substr(0, 6);
    }
  }
}

TEST_F(BackupTest, AServerMadeFromItGoesOn) {
  const Bytes tar = take();
  const Bytes ring = take_ring();
  const auto root = server.trust();
  {
    Peer late(server, "pump", 2, device.credential);
    http::Headers json;
    json.set("Content-Type", "application/json");
    EXPECT_LT(late.ask("POST", "/device/v1/telemetry/lab", R"({"temp":99})", json).status, 300);
  }
  lay_out(unpack(tar), ring, "/restored");
  person.reset();
  ASSERT_TRUE(server.stop());

  Server second(world, "/restored", 8443);
  const auto ready = second.start();
  ASSERT_TRUE(ready) << ready.error().text();
  EXPECT_EQ(second.trust(), root) << "the same authority";
  Peer again(second, "person", 0);
  const auto shown = again.json(again.admin("GET", "/v1/devices/" + device.id), 200);
  EXPECT_EQ(shown.at("name"), wire::Json("pump 7"));
  const auto twin = again.json(again.admin("GET", "/v1/devices/" + device.id + "/twin"), 200);
  EXPECT_EQ(twin.at_pointer("/reported/secret"), wire::Json("REPORTED-WORD-92"));
  const auto points = again.json(
      again.admin("GET", "/v1/devices/" + device.id + "/telemetry?metric=lab.temp&since=1h"), 200);
  ASSERT_EQ(points.at("points").as_array().size(), 1U) << "what came after the backup is not in it";
  EXPECT_EQ(points.at_pointer("/points/0/value"), wire::Json(20.5));
  const auto verdict = again.json(again.admin("POST", "/v1/audit/verify", "{}"), 200);
  EXPECT_EQ(verdict.at("ok"), wire::Json(true));
  Peer pump(second, "pump", 2, device.credential);
  http::Headers json;
  json.set("Content-Type", "application/json");
  EXPECT_LT(pump.ask("POST", "/device/v1/telemetry/lab", R"({"temp":21})", json).status, 300)
      << "the device comes back as it is";
}

TEST_F(BackupTest, WithoutItsRingItIsRefused) {
  const Bytes tar = take();
  lay_out(unpack(tar), take_ring(), "/restored");
  ASSERT_TRUE(server.node.system().files.remove("/restored.ring"));
  person.reset();
  ASSERT_TRUE(server.stop());
  Server second(world, "/restored", 8443);
  EXPECT_EQ(second.start().error().code, Code::seal_key_missing);
}

TEST_F(BackupTest, OneAtATimeAndTheNextAfterIt) {
  take();
  take();
  const auto wrong = person->admin("POST", "/v1/backup/ring", R"({"backup_id":"nonsense"})");
  EXPECT_EQ(wrong.status, 422) << wrong.text();
  EXPECT_THAT(std::string(wrong.text()), HasSubstr("/backup_id"));
  // A client that goes away in the middle holds nothing up.
  {
    Peer away(server, "away", 0);
    http::ClientRequest request;
    request.method = "POST";
    request.target = "/v1/backup";
    request.headers.set("Authorization", "Bearer " + server.file("/data/admin-token"));
    request.headers.set("Idempotency-Key", "away");
    request.on_body = [](View) -> Status { return fail(Code::cancelled, "enough"); };
    std::optional<bool> ended;
    Metrics metrics;
    auto transport = crypto::make_plain_transport(world.node("away").system().network, metrics);
    crypto::ClientSettings settings;
    settings.trust_der = server.trust();
    settings.server_name = "server";
    http::Client client(world.node("away").loop(), *transport, {"server", 8443}, settings);
    request.deadline = world.now() + seconds(20);
    client.send(std::move(request), [&](auto answer) { ended = answer.has_value(); });
    ASSERT_TRUE(world.run_until([&] { return ended.has_value(); }, seconds(30)));
    EXPECT_FALSE(*ended);
  }
  world.run_for(seconds(5));
  EXPECT_FALSE(server.has("/data/backup.db.tmp"));
  take();
}

}  // namespace
}  // namespace holdfast::app
