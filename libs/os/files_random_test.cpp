// The simulated files against the real ones: any sequence of operations must give the same answers
// and leave the same content.
#include <gtest/gtest.h>

#include "libs/os/contract_test.hpp"
#include "libs/os/sim/random.hpp"

namespace holdfast::os {
namespace {

constexpr std::string_view kPaths[] = {"a", "b", "d", "d/x", "d/y", "d/e", "d/e/z", "f", "f/x"};

// One sequence, drawn from a seed; answers what each step said.
class Sequence {
 public:
  Sequence(World& world, std::uint64_t seed) : world_(world), random_(seed) {}

  std::string step() {
    const std::string one = pick();
    const std::string other = pick();
    const auto number = random_.below(2000);
    switch (random_.below(9)) {
      case 0:
        return "make " + one + said(files().make_folder(path(one)));
      case 1:
        return "remove " + one + said(files().remove(path(one)));
      case 2:
      case 3:
        return "rename " + one + " " + other + said(files().rename(path(one), path(other)));
      case 4:
        return "list " + one + list(path(one));
      case 5:
        return "stat " + one + stat(path(one));
      case 6:
        return "sync " + one + said(files().sync_dir(path(one)));
      default:
        return "use " + one + use(path(one), number);
    }
  }

  // All that is there: names, kinds, content.
  std::string everything(const std::string& folder) {
    std::string out;
    const auto entries = files().list(folder);
    if (!entries) return "<" + entries.error().text() + ">";
    for (const Entry& entry : *entries) {
      const std::string at = join(folder, entry.name);
      out += entry.name + (entry.folder ? "/(" + everything(at) + ")" : "=" + content(at)) + " ";
    }
    return out;
  }

 private:
  Files& files() { return world_.system().files; }
  std::string path(const std::string& name) { return join(world_.folder(), name); }
  std::string pick() { return std::string(kPaths[random_.below(std::size(kPaths))]); }
  static std::string said(const Status& status) {
    return status ? ": fine" : ": " + std::string(row_of(status.error().code).name);
  }
  std::string content(const std::string& at) {
    const auto bytes = read_file(files(), at, 1 << 20);
    return bytes ? std::to_string(bytes->size()) + "#" + std::to_string(crc32c(*bytes)) : "<error>";
  }
  std::string list(const std::string& at) {
    const auto entries = files().list(at);
    if (!entries) return said(std::unexpected(entries.error()));
    std::string out = ":";
    for (const Entry& entry : *entries) out += " " + entry.name;
    return out;
  }
  std::string stat(const std::string& at) {
    const auto entry = files().stat(at);
    if (!entry) return said(std::unexpected(entry.error()));
    return ": " + entry->name + (entry->folder ? " folder" : " " + std::to_string(entry->size));
  }
  std::string use(const std::string& at, std::uint64_t number) {
    const auto mode = static_cast<Open>(random_.below(4));
    const bool cut = random_.chance(30);
    const Bytes bytes(random_.below(3000), static_cast<std::uint8_t>(number));
    const auto file = files().open(at, mode);
    if (!file) return said(std::unexpected(file.error()));
    std::string out = said((*file)->write_at(number, bytes));
    if (cut) out += said((*file)->truncate(number));
    const auto read = (*file)->read_at(number / 2, 1000);
    if (!read) return out + said(std::unexpected(read.error()));
    return out + ": " + std::to_string(crc32c(*read)) + said((*file)->sync());
  }

  World& world_;
  sim::Random random_;
};

TEST(FilesRandom, BothWorldsGiveTheSameAnswers) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    RealWorld real;
    SimWorld simulated(seed);
    Sequence one(real, seed);
    Sequence other(simulated, seed);
    for (int i = 0; i < 60; ++i) {
      const std::string said = one.step();
      ASSERT_EQ(other.step(), said) << "seed " << seed << " step " << i;
    }
    EXPECT_EQ(other.everything(simulated.folder()), one.everything(real.folder())) << seed;
  }
}

}  // namespace
}  // namespace holdfast::os
