#include "cli/archive.hpp"

#include "cli/cli_fixture_test.hpp"

namespace holdfast::cli {
namespace {

using ::testing::HasSubstr;

// An archive as the server makes it.
std::string make_archive(const std::vector<std::pair<std::string, std::string>>& members,
                         std::string id = "bak_1") {
  Bytes out;
  for (const auto& [name, content] : members) {
    append(out, *wire::tar_header({name, content.size(), {}}));
    append(out, view_of(content));
    out.resize(out.size() + wire::tar_padding(content.size()), 0);
  }
  const auto digest = crypto::sha256(out);
  const std::string complete =
      wire::json_text(wire::JsonObject{{"backup_id", id},
                                       {"created_at", "2026-01-01T00:00:00Z"},
                                       {"version", "1"},
                                       {"members", members.size()},
                                       {"bytes", out.size()},
                                       {"sha256", to_hex(digest)}});
  append(out, *wire::tar_header({"COMPLETE", complete.size(), {}}));
  append(out, view_of(complete));
  out.resize(out.size() + wire::tar_padding(complete.size()), 0);
  append(out, wire::tar_end());
  return string_of(out);
}

const std::vector<std::pair<std::string, std::string>> kMembers = {
    {"holdfast.db", std::string(2'000, 'd')},
    {"series/1.hfc", std::string(512, 's')},
    {"empty", ""}};

Result<ArchiveInfo> read(std::string_view archive, std::size_t piece,
                         std::map<std::string, std::string>* into = nullptr) {
  ArchiveReader reader;
  std::string name;
  reader.on_member = [&](const std::string& of, std::uint64_t) -> Status {
    name = of;
    if (into) (*into)[name] = "";
    return {};
  };
  reader.on_content = [&](View content) -> Status {
    if (into) (*into)[name] += text_of(content);
    return {};
  };
  while (!archive.empty()) {
    const std::string_view part = archive.substr(0, piece);
    TRY(reader.feed(view_of(part)));
    archive.remove_prefix(part.size());
  }
  return reader.end();
}

TEST(Archive, ReadsMembersInAnyPieces) {
  const std::string archive = make_archive(kMembers);
  for (std::size_t piece : {std::size_t{1}, std::size_t{511}, std::size_t{513}, archive.size()}) {
    std::map<std::string, std::string> members;
    const auto info = read(archive, piece, &members);
    ASSERT_TRUE(info) << info.error().text();
    EXPECT_EQ(info->backup_id, "bak_1");
    EXPECT_EQ(info->members, 3U);
    EXPECT_EQ(members, (std::map<std::string, std::string>(kMembers.begin(), kMembers.end())));
  }
}

TEST(Archive, EveryCutIsNoticed) {
  const std::string archive = make_archive(kMembers);
  // The last two blocks are zeros: without them it is whole as well.
  const std::size_t needed = archive.size() - 1024;
  for (std::size_t size = 0; size < needed; size += 97) {
    const auto info = read(std::string_view(archive).substr(0, size), 1000);
    ASSERT_FALSE(info) << size;
    EXPECT_EQ(info.error().code, Code::backup_incomplete) << size;
  }
  EXPECT_TRUE(read(std::string_view(archive).substr(0, needed), 1000));
}

TEST(Archive, EveryChangedByteIsNoticed) {
  const std::string archive = make_archive(kMembers);
  int unnoticed = 0;
  for (std::size_t at = 0; at < archive.size(); at += 13) {
    std::string changed = archive;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    unnoticed += read(changed, 4096).has_value();
  }
  // What is told about the backup itself (its id, its version) is not under the digest.
  EXPECT_LE(unnoticed, 8);
}

TEST(Archive, NamesCannotLeadElsewhere) {
  Bytes header = *wire::tar_header({"aaaaaaaa", 0, {}});
  const std::string bad = "../../xy";
  std::copy(bad.begin(), bad.end(), header.begin());
  // The checksum is made anew, as an attacker would.
  std::fill_n(header.begin() + 148, 8, ' ');
  unsigned sum = 0;
  for (const std::uint8_t byte : header) sum += byte;
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%06o", sum);
  std::copy_n(text.begin(), 7, header.begin() + 148);
  ArchiveReader reader;
  EXPECT_FALSE(reader.feed(header));
}

// ---- holdfast backup, holdfast restore

class BackupTest : public CliTest {
 protected:
  void SetUp() override {
    script.on("POST /v1/backup", Scripted{200,
                                          make_archive(kMembers, "bak_7"),
                                          {{"Content-Type", "application/octet-stream"}}});
    script.on("POST /v1/backup/ring",
              Scripted{200, "the ring", {{"Content-Type", "application/octet-stream"}}});
  }
};

TEST_F(BackupTest, MakesAFolderAndARing) {
  EXPECT_EQ(run({"backup", "/bak/"}), 0);
  EXPECT_EQ(file("/bak.ring"), "the ring");
  EXPECT_EQ(string_of(script.last().body), R"({"backup_id":"bak_7"})");
  EXPECT_EQ(terminal.printed, "/bak\n");
  EXPECT_EQ(run({"backup", "/bak"}), 6) << "never into one that is there";
}

TEST_F(BackupTest, HalfABackupIsNone) {
  script.answers.clear();
  script.on("POST /v1/backup", Scripted{200,
                                        make_archive(kMembers).substr(0, 1500),
                                        {{"Content-Type", "application/octet-stream"}}});
  EXPECT_NE(run({"backup", "/bak"}), 0);
  EXPECT_THAT(terminal.said, HasSubstr("backup-incomplete"));
  EXPECT_FALSE(os::exists(system.files, "/bak"));
}

TEST_F(BackupTest, RestoresWhatItMade) {
  ASSERT_EQ(run({"backup", "/bak"}), 0);
  EXPECT_EQ(run({"restore", "/bak", "--data", "/srv/data"}), 0);
  EXPECT_EQ(file("/srv/data/holdfast.db"), kMembers[0].second);
  EXPECT_EQ(file("/srv/data/series/1.hfc"), kMembers[1].second);
  EXPECT_EQ(file("/srv/data/empty"), "");
  EXPECT_EQ(file("/srv/data.ring"), "the ring");
  EXPECT_EQ(file("/srv/data/COMPLETE"), "(none)");
  EXPECT_FALSE(os::exists(system.files, "/srv/data.restoring"));
  EXPECT_THAT(terminal.said, HasSubstr("/srv/data.seal"));
  EXPECT_EQ(run({"restore", "/bak", "--data", "/srv/data"}), 6) << "never over data";
}

TEST_F(BackupTest, BringsTheSealingKey) {
  ASSERT_EQ(run({"backup", "/bak"}), 0);
  put("/safe/key", "sealing key");
  EXPECT_EQ(run({"restore", "/bak", "--data", "/one", "--seal-key", "/safe/key"}), 0);
  EXPECT_EQ(file("/one.seal"), "sealing key");
  terminal.typed = {"ABCD-EFGH"};
  EXPECT_EQ(run({"restore", "/bak", "--data", "/two", "--recovery-key"}), 0);
  EXPECT_EQ(file("/two.recovery"), "ABCD-EFGH\n");
  EXPECT_TRUE(terminal.asked_hidden);
}

TEST_F(BackupTest, ADamagedBackupPutsNothingInPlace) {
  ASSERT_EQ(run({"backup", "/bak"}), 0);
  std::string archive = file("/bak/archive.tar");
  archive[600] ^= 1;
  put("/bak/archive.tar", archive);
  EXPECT_NE(run({"restore", "/bak", "--data", "/srv/data"}), 0);
  EXPECT_THAT(terminal.said, HasSubstr("its digest does not fit"));
  EXPECT_FALSE(os::exists(system.files, "/srv/data"));
  EXPECT_FALSE(os::exists(system.files, "/srv/data.ring"));
  EXPECT_EQ(run({"restore", "/nowhere", "--data", "/srv/data"}), 3);
}

}  // namespace
}  // namespace holdfast::cli
