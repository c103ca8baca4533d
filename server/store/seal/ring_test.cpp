#include "server/store/seal/ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "libs/os/system.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::seal {
namespace {

class RingTest : public testing::Test {
 protected:
  RingTest()
      : os_(std::move(*os::RealSystem::make())),
        files_(os_->system().files),
        folder_(files_),
        path_(folder_ / "data.ring"),
        seal_(Bytes(32, 7)) {}

  std::unique_ptr<Ring> made() { return std::move(*Ring::make(os_->system(), path_, seal_)); }
  Result<std::unique_ptr<Ring>> opened() { return Ring::open(os_->system(), path_, seal_); }
  Bytes file() { return *os::read_file(files_, path_, 1 << 20); }
  void set_file(View bytes) { ASSERT_TRUE(os::replace_file(files_, path_, bytes)); }
  static Bytes secret(const Ring& ring, KeyId id) {
    const auto key = ring.get(id);
    EXPECT_TRUE(key) << key.error().text();
    return key ? Bytes(key->view().begin(), key->view().end()) : Bytes{};
  }

  std::unique_ptr<os::RealSystem> os_;
  os::Files& files_;
  sql::TempFolder folder_;
  std::string path_;
  SecretKey seal_;
};

TEST_F(RingTest, KeysSurviveReopening) {
  Bytes first;
  Bytes second;
  {
    const auto ring = made();
    EXPECT_EQ(ring->create("sql"), 1U);
    EXPECT_EQ(ring->create("series:dev_1"), 2U);
    first = secret(*ring, 1);
    second = secret(*ring, 2);
  }
  EXPECT_NE(first, second);
  const auto ring = std::move(*opened());
  EXPECT_EQ(secret(*ring, 1), first);
  EXPECT_EQ(secret(*ring, 2), second);
  EXPECT_EQ(ring->create("journal"), 3U);
  const auto series = ring->list("series:");
  ASSERT_EQ(series.size(), 1U);
  EXPECT_EQ(series[0].purpose, "series:dev_1");
  EXPECT_GT(series[0].created.us, 0);
  EXPECT_EQ(ring->list().size(), 3U);
}

TEST_F(RingTest, ManyAreMadeWithOneWrite) {
  const auto ring = made();
  const auto ids = ring->create_all({"events:1", "events:2", "events:2"});
  ASSERT_TRUE(ids);
  EXPECT_EQ(*ids, (std::vector<KeyId>{1, 2, 3}));
  EXPECT_EQ(ring->current("events:2"), 3U);
  EXPECT_EQ(ring->current("events:"), 4U);
  EXPECT_EQ((*opened())->list().size(), 4U);
  EXPECT_TRUE(ring->create_all({})->empty());
}

TEST_F(RingTest, ADestroyedKeyIsGoneFromTheFileAndItsIdIsNotUsedAgain) {
  const auto ring = made();
  ASSERT_TRUE(ring->create_all({"a", "b", "c"}));
  const Bytes before = file();
  const std::uint64_t generation = ring->generation();
  ASSERT_TRUE(ring->destroy_all({3, 2, 99}));
  EXPECT_EQ(ring->get(3).error().code, Code::not_found);
  EXPECT_LT(file().size(), before.size());
  EXPECT_EQ(ring->generation(), generation + 1);
  EXPECT_TRUE(ring->destroy(3));
  EXPECT_EQ(ring->generation(), generation + 1) << "nothing to destroy, nothing to write";
  const auto again = std::move(*opened());
  EXPECT_EQ(again->list().size(), 1U);
  EXPECT_EQ(again->create("d"), 4U);
}

TEST_F(RingTest, NoFrameOfAnOlderFileOpensInTheNewOne) {
  const auto ring = made();
  ASSERT_TRUE(ring->create_all({"a", "b"}));
  const Bytes old = file();
  ASSERT_TRUE(ring->destroy(2));
  // The frame of key 2 as it was, behind the new file's frames.
  Bytes mixed = file();
  const std::size_t frame = 8 + 8 + 2 + 1 + 12 + 48;
  append(mixed, View(old).last(frame));
  append(mixed, Bytes(1000, 1));  // long enough not to be a torn tail
  set_file(mixed);
  EXPECT_EQ(opened().error().code, Code::corrupt);
}

TEST_F(RingTest, TheSealingKeyMustFit) {
  made();
  const auto wrong = Ring::open(os_->system(), path_, SecretKey(Bytes(32, 8)));
  EXPECT_EQ(wrong.error().code, Code::seal_key_wrong);
}

TEST_F(RingTest, ARingIsNeitherMadeTwiceNorOpenedFromNothing) {
  EXPECT_EQ(opened().error().code, Code::not_found);
  made();
  EXPECT_EQ(Ring::make(os_->system(), path_, seal_).error().code, Code::already_exists);
}

TEST_F(RingTest, ATornLastFrameIsCutAndAnEarlierOneIsDamage) {
  {
    const auto ring = made();
    ASSERT_TRUE(ring->create_all({"a", "b", "c", "d", "e", "f", "g", "h"}));
  }
  const Bytes whole = file();
  for (std::size_t cut = 1; cut <= 78; cut += 11) {
    set_file(View(whole).first(whole.size() - cut));
    auto ring = opened();
    ASSERT_TRUE(ring) << ring.error().text();
    EXPECT_EQ((*ring)->list().size(), 7U);
    EXPECT_EQ((*ring)->cut_bytes(), 79 - cut);
    EXPECT_TRUE(os::exists(files_, path_ + ".damaged"));
    // The next key goes into a file that is whole again.
    EXPECT_EQ((*ring)->create("i"), 8U);
    EXPECT_EQ((*opened())->list().size(), 8U);
    EXPECT_EQ((*opened())->cut_bytes(), 0U);
  }
  for (std::size_t at = 56; at < whole.size() - 400; at += 13) {
    Bytes bad = whole;
    bad[at] ^= 1;
    set_file(bad);
    EXPECT_EQ(opened().error().code, Code::corrupt) << at;
  }
  for (std::size_t at = 0; at < 56; ++at) {
    Bytes bad = whole;
    bad[at] ^= 0x10;
    set_file(bad);
    EXPECT_FALSE(opened()) << at;
  }
}

TEST_F(RingTest, RewrapChangesTheSealingKeyOnly) {
  const auto ring = made();
  ASSERT_TRUE(ring->create("sql"));
  const Bytes key = secret(*ring, 1);
  const SecretKey other(Bytes(32, 9));
  ASSERT_TRUE(ring->rewrap(other));
  EXPECT_EQ(secret(*ring, 1), key);
  EXPECT_EQ(opened().error().code, Code::seal_key_wrong);
  ASSERT_TRUE(ring->create("journal"));
  const auto again = Ring::open(os_->system(), path_, other);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(secret(**again, 1), key);
  EXPECT_EQ((*again)->list().size(), 2U);
}

TEST_F(RingTest, TheExportOpensElsewhere) {
  const auto ring = made();
  ASSERT_TRUE(ring->create("sql"));
  const Bytes exported = *ring->export_file();
  const std::string other = folder_ / "other.ring";
  ASSERT_TRUE(os::replace_file(files_, other, exported));
  EXPECT_EQ(secret(**Ring::open(os_->system(), other, seal_), 1), secret(*ring, 1));
}

TEST_F(RingTest, NoKeyLiesInTheFileInClear) {
  const auto ring = made();
  ASSERT_TRUE(ring->create_all({"sql", "journal"}));
  const Bytes content = file();
  for (const KeyId id : {1U, 2U}) {
    const Bytes key = secret(*ring, id);
    EXPECT_EQ(std::ranges::search(content, key).begin(), content.end());
  }
}

TEST_F(RingTest, CallersOfOnePurposeGetOneKey) {
  const auto ring = made();
  std::vector<KeyId> ids(8);
  {
    std::vector<std::jthread> threads;
    for (KeyId& id : ids) {
      threads.emplace_back([&] { id = *ring->current("sql"); });
    }
  }
  EXPECT_EQ(ids, std::vector<KeyId>(8, 1));
}

TEST_F(RingTest, APurposeHasABound) {
  const auto ring = made();
  EXPECT_TRUE(ring->create(std::string(kPurposeBytesMax, 'p')));
  EXPECT_EQ(ring->create(std::string(kPurposeBytesMax + 1, 'p')).error().code,
            Code::invalid_argument);
  EXPECT_EQ((*opened())->list().size(), 1U);
}

TEST_F(RingTest, AFailedWriteLosesNothing) {
  const auto ring = made();
  ASSERT_TRUE(ring->create("a"));
  ASSERT_TRUE(files_.rename(path_, path_ + ".away"));
  ASSERT_TRUE(files_.make_folder(path_));  // no file can be opened or put here
  EXPECT_FALSE(ring->create("b"));
  EXPECT_FALSE(ring->destroy(1));
  EXPECT_TRUE(ring->get(1));
  ASSERT_TRUE(files_.remove(path_));
  ASSERT_TRUE(files_.rename(path_ + ".away", path_));
  EXPECT_EQ(ring->create("b"), 2U);
  EXPECT_EQ((*opened())->list().size(), 2U);
}

}  // namespace
}  // namespace holdfast::seal
