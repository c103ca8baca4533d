#include "libs/tlog/tiles.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/hash.hpp"
#include "libs/os/sim/simulation.hpp"
#include "libs/tlog/audit_folder.hpp"

namespace holdfast::tlog {
namespace {

crypto::PrivateKey test_key() {
  Bytes der = *from_hex("302e020100300506032b657004220420");
  der.insert(der.end(), 32, 9);
  return std::move(*crypto::PrivateKey::from_pkcs8(der));
}

// Entries as the audit writes them: a chain of JSON.
std::vector<Bytes> chain(std::size_t count) {
  std::vector<Bytes> out;
  std::string previous(64, '0');
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(
        bytes_of("{\"v\":1,\"seq\":" + std::to_string(i) + ",\"prev_hash\":\"" + previous + "\"}"));
    previous = to_hex(crypto::sha256(out.back()));
  }
  return out;
}
std::vector<Bytes> part(const std::vector<Bytes>& all, std::size_t begin, std::size_t end) {
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}
Edge edge_of(const std::vector<Bytes>& entries) {
  Edge edge;
  for (const Bytes& entry : entries) edge.append(leaf_hash(entry));
  return edge;
}

class TilesTest : public testing::Test {
 protected:
  TilesTest()
      : world_(1), node_(world_.node("server")), tiles_(node_.system().files, "/data/audit") {}
  void grow_to(const std::vector<Bytes>& all, std::initializer_list<std::size_t> sizes) {
    std::size_t size = 0;
    for (const std::size_t next : sizes) {
      ASSERT_TRUE(tiles_.extend(size, part(all, size, next)));
      ASSERT_TRUE(tiles_.drop_partials(size, next));
      size = next;
    }
  }
  std::string note_for(const std::vector<Bytes>& entries) {
    Checkpoint checkpoint{"test/audit", entries.size(), edge_of(entries).root(), world_.wall()};
    return *sign_note(checkpoint, test_key());
  }
  bool exists(const std::string& path) {
    return os::exists(node_.system().files, "/data/audit/" + path);
  }

  os::sim::Simulation world_;
  os::sim::Node& node_;
  Tiles tiles_;
};

TEST(TilePaths, AreThoseOfTheSpecification) {
  EXPECT_EQ(tile_path(0, 0, 256), "tile/0/000");
  EXPECT_EQ(tile_path(3, 1'234'067, 256), "tile/3/x001/x234/067");
  EXPECT_EQ(tile_path(1, 5, 7), "tile/1/005.p/7");
  EXPECT_EQ(entries_path(1'000, 255), "tile/entries/x001/000.p/255");
}

TEST_F(TilesTest, TheTreeOnDiskIsTheTree) {
  const auto all = chain(1'100);
  grow_to(all, {1, 2, 255, 256, 257, 700, 1'024, 1'100});
  EXPECT_EQ(*tiles_.root(1'100), edge_of(all).root());
  // Full tiles still hold the older trees that end at their edge.
  EXPECT_EQ(*tiles_.root(1'024), edge_of(part(all, 0, 1'024)).root());
  EXPECT_TRUE(exists("tile/0/003"));
  EXPECT_TRUE(exists("tile/0/004.p/76"));
  EXPECT_TRUE(exists("tile/1/000.p/4"));
  EXPECT_TRUE(exists("tile/entries/004.p/76"));
  EXPECT_FALSE(exists("tile/1/000.p/2")) << "partial tiles that were outgrown go";
  EXPECT_FALSE(exists("tile/0/002.p"));
  for (const std::uint64_t index : {0U, 255U, 256U, 1'023U, 1'099U}) {
    const auto path = tiles_.inclusion(index, 1'100);
    ASSERT_TRUE(path) << path.error().text();
    EXPECT_EQ(*root_from_path(leaf_hash(all[index]), index, 1'100, *path), edge_of(all).root());
  }
  EXPECT_EQ(*tiles_.entries(2, 1'100), part(all, 512, 768));
  EXPECT_EQ(*tiles_.entries(4, 1'100), part(all, 1'024, 1'100));
}

TEST_F(TilesTest, AThirdLevelComesWithSixtyFiveThousandEntries) {
  std::vector<Bytes> all(65'536 + 3, bytes_of("x"));
  ASSERT_TRUE(tiles_.extend(0, all));
  EXPECT_TRUE(exists("tile/1/000"));
  EXPECT_TRUE(exists("tile/2/000.p/1"));
  EXPECT_EQ(*tiles_.root(65'539), edge_of(all).root());
}

TEST_F(TilesTest, DamageIsFound) {
  const auto all = chain(300);
  grow_to(all, {300});
  ASSERT_TRUE(node_.system().files.remove("/data/audit/tile/0/000"));
  EXPECT_EQ(tiles_.inclusion(5, 300).error().code, Code::not_found);
  ASSERT_TRUE(os::replace_file(node_.system().files, "/data/audit/tile/0/001.p/44", Bytes(31, 0)));
  EXPECT_EQ(tiles_.node(0, 257, 300).error().code, Code::corrupt);
  EXPECT_EQ(tiles_.node(0, 600, 300).error().code, Code::internal);
}

TEST_F(TilesTest, BundlesHoldExactlyTheirWidth) {
  const Bytes bundle{0, 2, 'a', 'b', 0, 0};
  EXPECT_EQ(parse_bundle(bundle, 2)->at(0), bytes_of("ab"));
  EXPECT_EQ(parse_bundle(bundle, 1).error().code, Code::corrupt);
  EXPECT_EQ(parse_bundle(bundle, 3).error().code, Code::corrupt);
  EXPECT_EQ(parse_bundle(View(bundle).first(3), 1).error().code, Code::corrupt);
  EXPECT_EQ(tiles_.extend(0, {Bytes(kEntryBytesMax + 1)}).error().code, Code::internal);
}

TEST_F(TilesTest, ACutAtAnyOperationLeavesTheOldTreeAndGrowsAgain) {
  const auto all = chain(600);
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    os::sim::Simulation world(extra);
    os::sim::Node& node = world.node("server");
    {
      Tiles tiles(node.system().files, "/data/audit");
      ASSERT_TRUE(tiles.extend(0, part(all, 0, 250)));
      node.disk().crash_at(node.disk().operations() + extra);
      (void)tiles.extend(250, part(all, 250, 520));
    }
    if (node.up()) break;
    ++cuts;
    node.crash();
    node.restart();
    Tiles tiles(node.system().files, "/data/audit");
    EXPECT_EQ(*tiles.root(250), edge_of(part(all, 0, 250)).root());
    ASSERT_TRUE(tiles.extend(250, part(all, 250, 600)));
    EXPECT_EQ(*tiles.root(600), edge_of(all).root());
    EXPECT_EQ(*tiles.entries(2, 600), part(all, 512, 600));
  }
  EXPECT_GT(cuts, 20);
}

class FolderTest : public TilesTest {
 protected:
  void SetUp() override {
    grow_to(all_, {100, 500});
    old_note_ = note_for(part(all_, 0, 100));
    ASSERT_TRUE(tiles_.write_checkpoint(note_for(all_)));
  }
  Verdict verify(std::vector<std::string> notes = {}) {
    const auto verdict =
        verify_folder(node_.system().files, "/data/audit", notes, {test_key().public_key()});
    EXPECT_TRUE(verdict) << verdict.error().text();
    return *verdict;
  }
  // Writes a bundle with other entries, without touching the hashes.
  void put_bundle(std::uint64_t index, const std::vector<Bytes>& entries) {
    Bytes bytes;
    for (const Bytes& entry : entries) {
      store_be(bytes, static_cast<std::uint16_t>(entry.size()));
      append(bytes, entry);
    }
    ASSERT_TRUE(os::replace_file(
        node_.system().files, "/data/audit/" + entries_path(index, index == 0 ? 256 : 244), bytes));
  }
  const std::vector<Bytes> all_ = chain(500);
  std::string old_note_;
};

TEST_F(FolderTest, AWholeOneIsFine) {
  const Verdict verdict = verify({old_note_});
  EXPECT_TRUE(verdict.ok) << verdict.detail;
  EXPECT_EQ(verdict.entries_checked, 500U);
  EXPECT_EQ(verdict.checkpoints_checked, 2U);
  const auto without_key = verify_folder(node_.system().files, "/data/audit", {old_note_}, {});
  EXPECT_TRUE(without_key->ok);
  EXPECT_FALSE(without_key->detail.empty());
}

TEST_F(FolderTest, EditsRemovalsAndMovesAreFound) {
  auto entries = part(all_, 0, 256);
  entries[77].push_back(' ');
  put_bundle(0, entries);
  EXPECT_EQ(verify().finding, "edited");
  EXPECT_EQ(verify().first_bad_seq, 77U);
  entries = part(all_, 0, 256);
  std::swap(entries[10], entries[9]);
  put_bundle(0, entries);
  EXPECT_EQ(verify().finding, "removed") << "entry 10 at the place of 9";
  EXPECT_EQ(verify().first_bad_seq, 9U);
  entries = part(all_, 0, 256);
  entries[9] = entries[8];
  put_bundle(0, entries);
  EXPECT_EQ(verify().finding, "reordered");
  entries = part(all_, 0, 256);
  entries.erase(entries.begin() + 5);
  put_bundle(0, entries);
  EXPECT_EQ(verify().finding, "removed");
  entries = part(all_, 0, 256);
  entries[3] = bytes_of("not json");
  put_bundle(0, entries);
  EXPECT_EQ(verify().first_bad_seq, 3U);
}

TEST_F(FolderTest, ARewrittenHistoryDoesNotFitTheCheckpointKeptElsewhere) {
  auto other = chain(499);
  other[0].push_back(' ');  // and a new chain from there on
  std::string previous = to_hex(crypto::sha256(other[0]));
  for (std::size_t i = 1; i < other.size(); ++i) {
    other[i] =
        bytes_of("{\"v\":1,\"seq\":" + std::to_string(i) + ",\"prev_hash\":\"" + previous + "\"}");
    previous = to_hex(crypto::sha256(other[i]));
  }
  ASSERT_TRUE(tiles_.extend(0, other));
  ASSERT_TRUE(tiles_.write_checkpoint(note_for(other)));
  EXPECT_TRUE(verify().ok) << "nothing inside the folder tells";
  const Verdict verdict = verify({old_note_});
  EXPECT_EQ(verdict.finding, "edited");
  EXPECT_EQ(verdict.first_bad_seq, 0U);
}

TEST_F(FolderTest, ACutTailShowsAgainstALaterCheckpoint) {
  const std::string later = note_for(all_);
  const auto shorter = part(all_, 0, 100);
  ASSERT_TRUE(tiles_.extend(0, shorter));
  ASSERT_TRUE(tiles_.write_checkpoint(note_for(shorter)));
  EXPECT_TRUE(verify().ok);
  const Verdict verdict = verify({later});
  EXPECT_EQ(verdict.finding, "cut_tail");
  EXPECT_EQ(verdict.first_bad_seq, 100U);
}

TEST_F(FolderTest, ACheckpointOfSomeoneElseIsABadSignature) {
  Bytes der = *from_hex("302e020100300506032b657004220420");
  der.insert(der.end(), 32, 8);
  const auto other = std::move(*crypto::PrivateKey::from_pkcs8(der));
  const Checkpoint forged{"test/audit", 100, edge_of(part(all_, 0, 100)).root(), world_.wall()};
  EXPECT_EQ(verify({*sign_note(forged, other)}).finding, "bad_signature");
  EXPECT_EQ(verify({"nonsense"}).finding, "bad_signature");
}

}  // namespace
}  // namespace holdfast::tlog
