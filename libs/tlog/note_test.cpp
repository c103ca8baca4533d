#include "libs/tlog/note.hpp"

#include <gtest/gtest.h>

namespace holdfast::tlog {
namespace {

crypto::PrivateKey key_from(std::uint8_t seed) {
  // PrivateKeyInfo of Ed25519 (RFC 8410) around a seed.
  Bytes der = *from_hex("302e020100300506032b657004220420");
  der.insert(der.end(), 32, seed);
  return std::move(*crypto::PrivateKey::from_pkcs8(der));
}
Checkpoint sample() {
  Checkpoint checkpoint;
  checkpoint.origin = "holdfast.example/audit";
  checkpoint.size = 123;
  checkpoint.root.fill(7);
  checkpoint.time = WallTime{1'767'225'600'000'000};
  return checkpoint;
}

TEST(Note, SaysWhatTheSpecificationSays) {
  const auto note = sign_note(sample(), key_from(1));
  ASSERT_TRUE(note) << note.error().text();
  const std::string text =
      "holdfast.example/audit\n123\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\ntime "
      "2026-01-01T00:00:00Z\n";
  EXPECT_EQ(signed_text(sample()), text);
  EXPECT_TRUE(note->starts_with(text + "\n\xE2\x80\x94 holdfast.example/audit "));
  EXPECT_TRUE(note->ends_with("\n"));
  const auto parsed = parse_note(*note);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->checkpoint, sample());
  EXPECT_EQ(parsed->text, text);
  EXPECT_EQ(parsed->signature.size(), 64U);
}

TEST(Note, FitsItsKeyOnly) {
  const auto note = *parse_note(*sign_note(sample(), key_from(1)));
  EXPECT_TRUE(note_fits(note, key_from(1).public_key()));
  EXPECT_FALSE(note_fits(note, key_from(2).public_key()));
  EXPECT_FALSE(
      note_fits(note, crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256)->public_key()));
  SignedNote changed = note;
  changed.text.replace(changed.text.find("123"), 3, "124");
  EXPECT_FALSE(note_fits(changed, key_from(1).public_key()));
}

TEST(Note, OtherSignaturesAndLinesAreLeftAlone) {
  std::string note = *sign_note(sample(), key_from(1));
  note += "\xE2\x80\x94 witness.example AAAA\n";
  EXPECT_TRUE(note_fits(*parse_note(note), key_from(1).public_key()));
  const std::size_t blank = note.find("\n\n");
  EXPECT_TRUE(parse_note(note.substr(0, blank) + "\nsomething new" + note.substr(blank)));
}

TEST(Note, WhatIsNoneIsRefused) {
  const std::string good = *sign_note(sample(), key_from(1));
  std::vector<std::string> wrong{"", "\n\n", "one line", good.substr(0, good.size() - 1),
                                 good + std::string(5'000, 'x')};
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    wrong.push_back(text);
  };
  with("\n123\n", "\n0123\n");
  with("\n123\n", "\n-1\n");
  with("\n123\n", "\n99999999999999999999999\n");
  with("Bwc=", "Bwc");
  with("BwcHBwc=", "");
  with("holdfast.example/audit\n123", "hold fast\n123");
  with("time 2026", "time 2x26");
  with("\xE2\x80\x94 ", "- ");
  with("\xE2\x80\x94 holdfast", "\xE2\x80\x94 someone");
  for (const std::string& text : wrong) EXPECT_FALSE(parse_note(text)) << text;
  EXPECT_TRUE(parse_note(good));
}

TEST(Note, OnlySensibleThingsAreSigned) {
  Checkpoint spaced = sample();
  spaced.origin = "two words";
  EXPECT_EQ(sign_note(spaced, key_from(1)).error().code, Code::internal);
  EXPECT_EQ(
      sign_note(sample(), *crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256)).error().code,
      Code::internal);
}

}  // namespace
}  // namespace holdfast::tlog
