#include <gtest/gtest.h>

#include "libs/os/system.hpp"
#include "server/store/seal/ring.hpp"
#include "server/store/seal/sealer.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::seal {
namespace {

Bytes bytes_of_key(const SecretKey& key) {
  return {key.view().begin(), key.view().end()};
}

class SealKey : public testing::Test {
 protected:
  SealKey()
      : os_(std::move(*os::RealSystem::make())),
        files_(os_->system().files),
        folder_(files_),
        path_(folder_ / "data.seal") {}

  std::unique_ptr<os::RealSystem> os_;
  os::Files& files_;
  sql::TempFolder folder_;
  std::string path_;
};

TEST_F(SealKey, IsMadeOnceAndLoadedAgain) {
  EXPECT_EQ(load_seal_key(files_, path_).error().code, Code::seal_key_missing);
  const auto key = create_seal_key(os_->system(), path_);
  ASSERT_TRUE(key) << key.error().text();
  EXPECT_EQ(bytes_of_key(*load_seal_key(files_, path_)), bytes_of_key(*key));
  EXPECT_EQ(create_seal_key(os_->system(), path_).error().code, Code::already_exists);
  const auto mode = os_->system().process.run({"stat", "-c", "%a", path_}, "", seconds(10), 100);
  EXPECT_EQ(mode->out, "600\n");
}

TEST_F(SealKey, OtherContentIsRefused) {
  for (const std::string& content :
       {std::string(), std::string("HFSEAL1 "), "HFSEAL1 " + std::string(62, 'a'),
        "HFSEAL1 " + std::string(64, 'x'), std::string(64, 'a'),
        "HFSEAL2 " + std::string(64, 'a')}) {
    ASSERT_TRUE(os::replace_file(files_, path_, view_of(content)));
    EXPECT_EQ(load_seal_key(files_, path_).error().code, Code::seal_key_wrong) << content;
  }
  ASSERT_TRUE(os::replace_file(files_, path_, view_of("HFSEAL1 " + std::string(64, 'a') + "\r\n")));
  EXPECT_TRUE(load_seal_key(files_, path_));
}

TEST_F(SealKey, TheRecoveryKeyIsReadAsPeopleTypeIt) {
  const SecretKey recovery(os_->system().entropy.bytes(32));
  const std::string text = recovery_text(recovery);
  EXPECT_EQ(text.size(), 14U * 4 + 13);
  EXPECT_EQ(bytes_of_key(*parse_recovery(text)), bytes_of_key(recovery));
  std::string typed;
  for (const char c : text) {
    if (c == '-') {
      typed += " \n";
    } else if (c == '0') {
      typed += 'o';
    } else if (c == '1') {
      typed += 'l';
    } else {
      typed += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  EXPECT_EQ(bytes_of_key(*parse_recovery(typed)), bytes_of_key(recovery));
}

TEST_F(SealKey, EveryTypingErrorIsFound) {
  const std::string text = recovery_text(SecretKey(Bytes(32, 0x5A)));
  int accepted = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '-') continue;
    std::string wrong = text;
    wrong[at] = text[at] == 'Z' ? 'Y' : 'Z';
    accepted += parse_recovery(wrong) ? 1 : 0;
  }
  EXPECT_EQ(accepted, 0);
  for (const std::string& wrong :
       {text.substr(1), text + "A", std::string("U") + text.substr(1), std::string()}) {
    EXPECT_EQ(parse_recovery(wrong).error().code, Code::invalid_argument) << wrong;
  }
}

TEST_F(SealKey, RecoveryGivesTheSealingKeyBack) {
  const auto key = create_seal_key(os_->system(), path_);
  const SecretKey recovery(os_->system().entropy.bytes(32));
  const std::string sealed = folder_ / "recovery.sealed";
  ASSERT_TRUE(write_recovery(os_->system(), sealed, *key, recovery));
  EXPECT_EQ(bytes_of_key(*recover_seal_key(files_, sealed, recovery)), bytes_of_key(*key));
  EXPECT_EQ(recover_seal_key(files_, sealed, SecretKey(Bytes(32, 1))).error().code,
            Code::seal_key_wrong);
  ASSERT_TRUE(os::replace_file(files_, sealed, view_of("HFRECOV2 something else")));
  EXPECT_EQ(recover_seal_key(files_, sealed, recovery).error().code, Code::corrupt);
  ASSERT_TRUE(os::replace_file(files_, sealed, view_of("HF")));
  EXPECT_EQ(recover_seal_key(files_, sealed, recovery).error().code, Code::corrupt);
}

class SealerTest : public SealKey {
 protected:
  SealerTest()
      : ring_(
            std::move(*Ring::make(os_->system(), folder_ / "data.ring", SecretKey(Bytes(32, 3))))),
        sealer_(*ring_, os_->system().entropy) {}

  std::unique_ptr<Ring> ring_;
  Sealer sealer_;
  const Bytes row_{1, 2, 3};
  const Place place_{"twin", row_, "reported"};
};

TEST_F(SealerTest, OpensWhereItWasSealed) {
  const auto sealed = sealer_.seal(place_, "{\"temp\":20.5}");
  ASSERT_TRUE(sealed) << sealed.error().text();
  EXPECT_EQ(text_of(*sealed).find("temp"), std::string_view::npos);
  EXPECT_EQ(sealer_.open_text(place_, *sealed), "{\"temp\":20.5}");
  EXPECT_NE(*sealer_.seal(place_, "{\"temp\":20.5}"), *sealed) << "a nonce of its own each time";
  EXPECT_EQ(sealer_.open_text(place_, *sealer_.seal(place_, "")), "");
}

TEST_F(SealerTest, DoesNotOpenAnywhereElse) {
  const Bytes sealed = *sealer_.seal(place_, "value");
  const Bytes other_row{1, 2, 4};
  EXPECT_EQ(sealer_.open({"twin", other_row, "reported"}, sealed).error().code, Code::corrupt);
  EXPECT_EQ(sealer_.open({"twin", row_, "desired"}, sealed).error().code, Code::corrupt);
  EXPECT_EQ(sealer_.open({"twi", row_, "nreported"}, sealed).error().code, Code::corrupt);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes bad = sealed;
    bad[at] ^= 1;
    EXPECT_EQ(sealer_.open(place_, bad).error().code, Code::corrupt) << at;
    EXPECT_EQ(sealer_.open(place_, View(sealed).first(at)).error().code, Code::corrupt) << at;
  }
}

TEST_F(SealerTest, DestroyingASubjectsKeyErasesItsValues) {
  const Bytes mine = *sealer_.seal(place_, view_of("mine"), "subject:dev_1");
  const Bytes theirs = *sealer_.seal(place_, view_of("theirs"), "subject:dev_2");
  ASSERT_TRUE(ring_->destroy(*ring_->current("subject:dev_1")));
  EXPECT_EQ(sealer_.open(place_, mine).error().code, Code::corrupt);
  EXPECT_EQ(sealer_.open_text(place_, theirs), "theirs");
}

}  // namespace
}  // namespace holdfast::seal
