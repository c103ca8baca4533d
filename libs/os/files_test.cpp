// What every Files does, on this machine and in a simulation.
#include "libs/os/files.hpp"

#include <gmock/gmock.h>

#include "libs/os/contract_test.hpp"

namespace holdfast::os {
namespace {

using ::testing::ElementsAre;

class FilesTest : public ContractTest {
 protected:
  std::string text(const std::string& name) {
    auto read = read_file(files(), path(name), 1 << 20);
    return read ? string_of(*read) : "<" + read.error().text() + ">";
  }
  void put(const std::string& name, std::string_view content) {
    const auto file = files().open(path(name), Open::create).value();
    ASSERT_TRUE(file->truncate(0));
    ASSERT_TRUE(file->write_at(0, view_of(content)));
  }
  std::vector<std::string> names(const std::string& folder) {
    std::vector<std::string> out;
    const auto entries = files().list(path(folder)).value();
    for (const Entry& entry : entries) out.push_back(entry.name);
    return out;
  }
};

TEST_P(FilesTest, ReadsWhatWasWritten) {
  const auto file = files().open(path("a"), Open::create_new).value();
  EXPECT_TRUE(file->write_at(0, view_of("hello world")));
  EXPECT_TRUE(file->write_at(6, view_of("there")));
  EXPECT_TRUE(file->write_at(11, {}));
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(file->size().value(), 11U);
  EXPECT_EQ(string_of(file->read_at(0, 100).value()), "hello there");
  EXPECT_EQ(string_of(file->read_at(6, 2).value()), "th");
  EXPECT_TRUE(file->read_at(11, 5).value().empty());
  EXPECT_TRUE(file->read_at(1000, 5).value().empty());
  EXPECT_TRUE(file->read_at(1000, 1 << 20).value().empty());
  EXPECT_TRUE(file->read_at(0, 0).value().empty());
  EXPECT_EQ(file->descriptor() >= 0, GetParam() == Kind::real);
}

TEST_P(FilesTest, HolesReadAsZeros) {
  const auto file = files().open(path("a"), Open::create).value();
  EXPECT_TRUE(file->write_at(3, view_of("x")));
  EXPECT_EQ(file->read_at(0, 9).value(), (Bytes{0, 0, 0, 'x'}));
  EXPECT_TRUE(file->truncate(6));
  EXPECT_EQ(file->read_at(0, 9).value(), (Bytes{0, 0, 0, 'x', 0, 0}));
  EXPECT_TRUE(file->truncate(2));
  EXPECT_EQ(file->read_at(0, 9).value(), (Bytes{0, 0}));
}

TEST_P(FilesTest, LargeFilesComeBackWhole) {
  Bytes content(300'000);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::uint8_t>(i * 7);
  const auto file = files().open(path("big"), Open::create).value();
  EXPECT_TRUE(file->write_at(0, content));
  EXPECT_EQ(file->read_at(0, 1 << 30).value(), content);
  EXPECT_EQ(file->read_at(299'990, 1 << 20).value().size(), 10U);
}

TEST_P(FilesTest, ModesOpenWhatTheySay) {
  EXPECT_EQ(code_of(files().open(path("a"), Open::read)), Code::not_found);
  EXPECT_EQ(code_of(files().open(path("a"), Open::write)), Code::not_found);
  EXPECT_EQ(code_of(files().open(path("none/a"), Open::create)), Code::not_found);
  EXPECT_TRUE(files().open(path("a"), Open::create_new));
  EXPECT_EQ(code_of(files().open(path("a"), Open::create_new)), Code::already_exists);
  put("a", "one");
  const auto again = files().open(path("a"), Open::create).value();
  EXPECT_EQ(string_of(again->read_at(0, 9).value()), "one");
  EXPECT_TRUE(files().open(path("a"), Open::write).value()->write_at(0, view_of("O")));
  const auto reader = files().open(path("a"), Open::read).value();
  EXPECT_EQ(string_of(reader->read_at(0, 9).value()), "One");
  EXPECT_EQ(code_of(reader->write_at(0, view_of("x"))), Code::io_error);
  EXPECT_FALSE(reader->truncate(0));
  EXPECT_EQ(code_of(files().open(world().folder(), Open::read)), Code::io_error);
}

TEST_P(FilesTest, RenameReplacesAtomically) {
  put("old", "old");
  put("new", "new");
  const auto open_old = files().open(path("old"), Open::read).value();
  EXPECT_TRUE(files().rename(path("new"), path("old")));
  EXPECT_EQ(text("old"), "new");
  EXPECT_FALSE(exists(files(), path("new")));
  EXPECT_EQ(string_of(open_old->read_at(0, 9).value()), "old");  // open files keep what they were
  EXPECT_EQ(code_of(files().rename(path("none"), path("old"))), Code::not_found);
  EXPECT_EQ(code_of(files().rename(path("old"), path("none/old"))), Code::not_found);
  EXPECT_TRUE(files().rename(path("old"), path("old")));
  EXPECT_EQ(text("old"), "new");
}

TEST_P(FilesTest, RenameMovesFoldersWithTheirContent) {
  EXPECT_TRUE(files().make_folder(path("a/b")));
  put("a/b/file", "content");
  EXPECT_TRUE(files().rename(path("a"), path("c")));
  EXPECT_EQ(text("c/b/file"), "content");
  EXPECT_FALSE(exists(files(), path("a")));
  EXPECT_FALSE(files().rename(path("c"), path("c/b/d")));
  EXPECT_TRUE(files().make_folder(path("empty")));
  EXPECT_TRUE(files().rename(path("c"), path("empty")));
  EXPECT_TRUE(files().make_folder(path("other")));
  EXPECT_EQ(code_of(files().rename(path("other"), path("empty"))), Code::already_exists);
  put("file", "x");
  EXPECT_FALSE(files().rename(path("file"), path("other")));
  EXPECT_FALSE(files().rename(path("other"), path("file")));
}

TEST_P(FilesTest, RemoveTakesFilesAndEmptyFolders) {
  EXPECT_TRUE(files().make_folder(path("a")));
  put("a/file", "x");
  EXPECT_EQ(code_of(files().remove(path("a"))), Code::already_exists);
  const auto open = files().open(path("a/file"), Open::write).value();
  EXPECT_TRUE(files().remove(path("a/file")));
  EXPECT_EQ(string_of(open->read_at(0, 9).value()), "x");
  EXPECT_TRUE(open->write_at(0, view_of("y")));
  EXPECT_TRUE(files().remove(path("a")));
  EXPECT_EQ(code_of(files().remove(path("a"))), Code::not_found);
}

TEST_P(FilesTest, ListIsSortedAndTellsKinds) {
  EXPECT_TRUE(files().make_folder(path("l/folder")));
  put("l/b", "12345");
  put("l/a", "");
  put("l/c", "1");
  const auto all = files().list(path("l")).value();
  EXPECT_THAT(names("l"), ElementsAre("a", "b", "c", "folder"));
  EXPECT_EQ(all[1].size, 5U);
  EXPECT_FALSE(all[1].folder);
  EXPECT_TRUE(all[3].folder);
  EXPECT_EQ(code_of(files().list(path("none"))), Code::not_found);
  EXPECT_EQ(code_of(files().list(path("l/b"))), Code::not_found);
}

TEST_P(FilesTest, MakeFolderMakesParentsAndIsFineIfThere) {
  EXPECT_TRUE(files().make_folder(path("x/y/z")));
  EXPECT_TRUE(files().make_folder(path("x/y/z")));
  EXPECT_TRUE(files().make_folder(path("x/y")));
  EXPECT_TRUE(files().stat(path("x/y/z")).value().folder);
  put("file", "");
  EXPECT_FALSE(files().make_folder(path("file")));
  EXPECT_FALSE(files().make_folder(path("file/inner")));
}

TEST_P(FilesTest, StatTellsNameSizeAndKind) {
  put("a", "123");
  EXPECT_EQ(files().stat(path("a")).value().name, "a");
  EXPECT_EQ(files().stat(path("a")).value().size, 3U);
  EXPECT_EQ(code_of(files().stat(path("b"))), Code::not_found);
}

TEST_P(FilesTest, SpaceIsThere) {
  const Space space = files().space(world().folder()).value();
  EXPECT_GT(space.free_bytes, 0U);
  EXPECT_GE(space.total_bytes, space.free_bytes);
  EXPECT_EQ(code_of(files().space(path("none"))), Code::not_found);
}

TEST_P(FilesTest, SyncDirWantsAFolder) {
  EXPECT_TRUE(files().sync_dir(world().folder()));
  EXPECT_EQ(code_of(files().sync_dir(path("none"))), Code::not_found);
  put("a", "");
  EXPECT_FALSE(files().sync_dir(path("a")));
}

// ---- what is built on top

TEST_P(FilesTest, ReadFileHasABound) {
  put("a", "12345");
  EXPECT_EQ(string_of(read_file(files(), path("a"), 5).value()), "12345");
  EXPECT_EQ(code_of(read_file(files(), path("a"), 4)), Code::invalid_argument);
  EXPECT_EQ(code_of(read_file(files(), path("b"), 4)), Code::not_found);
  put("big", std::string(100'000, 'x'));
  EXPECT_EQ(read_file(files(), path("big"), 100'000).value().size(), 100'000U);
  EXPECT_EQ(code_of(read_file(files(), path("big"), 99'999)), Code::invalid_argument);
  put("empty", "");
  EXPECT_TRUE(read_file(files(), path("empty"), 0).value().empty());
}

TEST_P(FilesTest, ReplaceFileWritesTheWholeContent) {
  EXPECT_TRUE(replace_file(files(), path("a"), view_of("first, long")));
  EXPECT_EQ(text("a"), "first, long");
  put("a.tmp", "left over from a crash, longer than the content");
  EXPECT_TRUE(replace_file(files(), path("a"), view_of("second")));
  EXPECT_EQ(text("a"), "second");
  EXPECT_TRUE(replace_file(files(), path("a"), {}));
  EXPECT_EQ(text("a"), "");
  EXPECT_THAT(names(""), ElementsAre("a"));
  EXPECT_EQ(code_of(replace_file(files(), path("none/a"), {})), Code::not_found);
}

TEST_P(FilesTest, RemoveTreeRemovesAllOfIt) {
  EXPECT_TRUE(files().make_folder(path("t/u/v")));
  put("t/a", "");
  put("t/u/v/b", "");
  EXPECT_TRUE(remove_tree(files(), path("t")));
  EXPECT_FALSE(exists(files(), path("t")));
  EXPECT_TRUE(remove_tree(files(), path("t")));
  put("f", "");
  EXPECT_TRUE(remove_tree(files(), path("f")));
  EXPECT_THAT(names(""), ElementsAre());
}

HOLDFAST_BOTH_WORLDS(FilesTest);

TEST(Paths, AreSplitAndJoined) {
  EXPECT_EQ(folder_of("/a/b"), "/a");
  EXPECT_EQ(folder_of("/a"), "/");
  EXPECT_EQ(folder_of("a"), ".");
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(join("/a", "b"), "/a/b");
  EXPECT_EQ(join("/a/", "b"), "/a/b");
  EXPECT_EQ(join("", "b"), "b");
  EXPECT_EQ(join("/", "b"), "/b");
}

}  // namespace
}  // namespace holdfast::os
