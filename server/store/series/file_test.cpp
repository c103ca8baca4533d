#include "server/store/series/file.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "libs/os/sim/simulation.hpp"
#include "server/store/journal/memory_keys.hpp"
#include "server/store/series/file_writer.hpp"
#include "server/store/series/files.hpp"
#include "server/store/series/fixture_test.hpp"

namespace holdfast::series {
namespace {

constexpr std::int64_t kDay = 20'454;  // 2026-01-01
constexpr std::int64_t kStart = kDay * 86'400'000'000;

Rows some_rows(std::size_t count, std::int64_t from = kStart) {
  Rows rows;
  Column numbers;
  Column texts;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t us = from + static_cast<std::int64_t>(i) * 1'000'000;
    rows.times.push(us, us, TimeSource::server);
    numbers.push(4, std::bit_cast<std::uint64_t>(static_cast<double>(i % 977) / 8));
    texts.push(5, 0, i % 2 == 0 ? "even" : "odd");
  }
  rows.columns.push_back({"n", std::move(numbers)});
  rows.columns.push_back({"t", std::move(texts)});
  return rows;
}

class FileTest : public testing::Test {
 protected:
  os::sim::Simulation world_{3};
  os::sim::Node& node_ = world_.node("server");
  journal::MemoryKeys keys_{node_.system().entropy};
  Compressor compressor_;
  const FileName name_{kDay, 2, 5, 9};
  const std::string path_ = "/data/file.hfc";

  std::unique_ptr<FileWriter> writer(const FileName& name) {
    return FileWriter::create(node_.system().files, node_.system().entropy, path_, name).value();
  }
  void write(unsigned devices, std::size_t rows) {
    const auto to = writer(name_);
    for (unsigned d = 0; d < devices; ++d) {
      ASSERT_TRUE(to->begin_unit(device_of(d), device_of(d), keys_.create("series:x").value()));
      ASSERT_TRUE(to->add_rows("s", some_rows(rows)));
      ASSERT_TRUE(to->end_unit());
    }
    ASSERT_TRUE(to->publish());
  }
  Result<FilePtr> open() { return SeriesFile::open(node_.system().files, path_, name_); }
};

TEST(FileName, ReadsBack) {
  const FileName name{kDay, 7, 10, 0xABC};
  EXPECT_EQ(file_name_text(name), "007-000000000000000a-0000000000000abc.hfc");
  EXPECT_EQ(parse_file_name(kDay, file_name_text(name)), name);
  for (const char* text :
       {"", "7-a-b.hfc", "007-000000000000000a-0000000000000abc.hfe",
        "007-000000000000000b-000000000000000a.hfc", "256-0000000000000001-0000000000000001.hfc",
        "00x-0000000000000001-0000000000000001.hfc", "007-000000000000000A-0000000000000ABC.hfc"}) {
    EXPECT_FALSE(parse_file_name(kDay, text)) << text;
  }
}

TEST(FileName, CoversWhatLiesInItsRange) {
  const FileName name{kDay, 1, 3, 7};
  EXPECT_TRUE(name.covers({kDay, 1, 3, 3}));
  EXPECT_TRUE(name.covers({kDay, 1, 4, 7}));
  EXPECT_FALSE(name.covers(name));
  EXPECT_FALSE(name.covers({kDay, 1, 2, 3}));
  EXPECT_FALSE(name.covers({kDay, 2, 3, 3}));
  EXPECT_FALSE(name.covers({kDay + 1, 1, 3, 3}));
}

TEST(Day, ReadsBack) {
  EXPECT_EQ(parse_day("2026-01-01"), kDay);
  EXPECT_EQ(parse_day(day_text(-5)), -5);
  for (const char* text : {"", "2026-1-1", "2026-02-30", "x", "2026-01-01 "})
    EXPECT_FALSE(parse_day(text)) << text;
}

TEST(FileEnds, EveryFlippedBitIsSeen) {
  const Bytes header = encode_file_header({{kDay, 1, 2, 3}, {}});
  const Bytes trailer = encode_trailer({100, 3, 7});
  ASSERT_EQ(header.size(), kFileHeaderBytes);
  ASSERT_EQ(trailer.size(), kTrailerBytes);
  EXPECT_EQ(decode_file_header(header)->name, (FileName{kDay, 1, 2, 3}));
  EXPECT_EQ(decode_trailer(trailer)->units, 3U);
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    Bytes bad = header;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(decode_file_header(bad)) << bit;
  }
  for (std::size_t bit = 0; bit < trailer.size() * 8; ++bit) {
    Bytes bad = trailer;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(decode_trailer(bad)) << bit;
  }
}

TEST(Directory, ReadsBackAndRefusesEveryCut) {
  Directory directory;
  for (const char* stream : {"a", "b"}) {
    StreamInfo info{stream, {}};
    for (int g = 0; g < 2; ++g) {
      GroupInfo group;
      group.rows = 100;
      group.first = kStart + g * 1000;
      group.last = group.first + 999;
      group.times = {64, 500, {}};
      ColumnInfo number;
      number.field = "n";
      number.kinds = 1U << 4;
      number.values = number.numbers = 100;
      number.min = -1.5;
      number.max = 7;
      number.sum = 50;
      number.first = Value(1.0);
      number.last = Value(std::int64_t{-3});
      number.ref = {564, 1000, {}};
      ColumnInfo text;
      text.field = "t";
      text.values = 10;
      text.first = Value(std::string("x"));
      text.ref = {0, 0, Bytes{1, 2, 3}};
      group.columns = {number, text};
      info.groups.push_back(group);
    }
    directory.streams.push_back(info);
  }
  const Bytes bytes = encode_directory(directory);
  const auto back = decode_directory(bytes);
  ASSERT_TRUE(back);
  const GroupInfo& group = back->find("b")->groups[1];
  EXPECT_EQ(group.first, kStart + 1000);
  EXPECT_EQ(group.times.offset, 64U);
  EXPECT_EQ(group.find("n")->ref.offset, 564U);
  EXPECT_EQ(group.find("n")->min, -1.5);
  EXPECT_EQ(std::get<std::int64_t>(*group.find("n")->last), -3);
  EXPECT_EQ(group.find("t")->ref.inlined, (Bytes{1, 2, 3}));
  EXPECT_FALSE(group.find("t")->last) << "a long text is not there";
  EXPECT_EQ(group.find("x"), nullptr);
  EXPECT_EQ(back->find("c"), nullptr);
  EXPECT_GT(back->memory(), 100U);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode_directory(View(bytes).first(length))) << length;
}

TEST(Directory, DisorderIsCorrupt) {
  const auto refused = [](Directory directory) {
    return !decode_directory(encode_directory(directory));
  };
  GroupInfo group;
  group.rows = 1;
  group.times.inlined = {1};
  const Directory good{{{"a", {group}}, {"b", {group}}}};
  EXPECT_FALSE(refused(good));
  EXPECT_TRUE(refused({{{"b", {group}}, {"a", {group}}}}));
  GroupInfo later = group;
  later.first = later.last = 5;
  EXPECT_TRUE(refused({{{"a", {later, group}}}})) << "groups that step back";
  GroupInfo large = group;
  large.rows = kGroupRowsMax + 1;
  EXPECT_TRUE(refused({{{"a", {large}}}}));
}

TEST_F(FileTest, WhatWasWrittenIsRead) {
  write(3, 20'000);
  const auto file = open();
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->units(), 3U);
  const auto units = (*file)->footer();
  ASSERT_TRUE(units);
  const auto unit = (*file)->open_unit((*units)[1], keys_, compressor_);
  ASSERT_TRUE(unit);
  const auto& groups = (*unit)->directory.find("s")->groups;
  ASSERT_EQ(groups.size(), 3U) << "of at most 8,640 rows";
  const auto reader = BlockReader::make(**file, **unit, compressor_);
  const Rows want = some_rows(20'000);
  std::size_t row = 0;
  for (const GroupInfo& group : groups) {
    const auto times = (*reader)->times(group);
    const auto numbers = (*reader)->column(group, *group.find("n"));
    const auto texts = (*reader)->column(group, *group.find("t"));
    ASSERT_TRUE(times && numbers && texts);
    for (std::size_t i = 0; i < group.rows; ++i, ++row) {
      ASSERT_EQ(times->time[i], want.times.time[row]);
      ASSERT_EQ(numbers->bits[i], want.columns[0].column.bits[row]);
      ASSERT_EQ(texts->value(i), want.columns[1].column.value(row));
    }
  }
  EXPECT_EQ(row, 20'000U);
}

TEST_F(FileTest, TheDirectorySaysWhatIsInAColumn) {
  write(1, 1000);
  const auto file = open();
  const auto unit = (*file)->open_unit((*file)->footer()->at(0), keys_, compressor_);
  const ColumnInfo& info = *(*unit)->directory.find("s")->groups[0].find("n");
  EXPECT_EQ(info.values, 1000U);
  EXPECT_EQ(info.numbers, 1000U);
  EXPECT_EQ(info.min, 0);
  EXPECT_EQ(info.max, 976.0 / 8);
  EXPECT_EQ(std::get<double>(*info.first), 0);
  EXPECT_EQ(std::get<double>(*info.last), 22.0 / 8);
}

TEST_F(FileTest, AUnitWithoutItsKeyDoesNotExist) {
  write(2, 10);
  const auto file = open();
  const Unit unit = (*file)->footer()->at(0);
  ASSERT_TRUE(keys_.destroy(unit.key));
  const auto opened = (*file)->open_unit(unit, keys_, compressor_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::not_found);
  UnitCache cache(keys_, 1 << 20);
  EXPECT_TRUE(cache.units(*file, device_of(0), compressor_)->empty());
  EXPECT_EQ(cache.units(*file, device_of(1), compressor_)->size(), 1U);
}

TEST_F(FileTest, AnotherKeyOpensNothing) {
  write(1, 10);
  const auto file = open();
  Unit unit = (*file)->footer()->at(0);
  unit.key = keys_.create("series:y")->id;
  EXPECT_EQ((*file)->open_unit(unit, keys_, compressor_).error().code, Code::corrupt);
}

TEST_F(FileTest, TheSameContentLooksDifferentInEachFile) {
  write(1, 1000);
  const Bytes first = *os::read_file(node_.system().files, path_, 1 << 20);
  const auto key = keys_.get(open().value()->footer()->at(0).key);
  const auto to = writer(name_);
  ASSERT_TRUE(to->begin_unit(device_of(0), device_of(0), *key));
  ASSERT_TRUE(to->add_rows("s", some_rows(1000)));
  ASSERT_TRUE(to->end_unit());
  ASSERT_TRUE(to->publish());
  const Bytes second = *os::read_file(node_.system().files, path_, 1 << 20);
  EXPECT_NE(Bytes(first.begin() + 64, first.begin() + 128),
            Bytes(second.begin() + 64, second.begin() + 128))
      << "another salt, another key";
}

TEST_F(FileTest, FilesThatAreNotWhatTheirNameSaysAreCorrupt) {
  write(1, 10);
  EXPECT_EQ(SeriesFile::open(node_.system().files, path_, {kDay, 2, 5, 10}).error().code,
            Code::corrupt);
  const auto size = node_.system().files.stat(path_)->size;
  const auto file = node_.system().files.open(path_, os::Open::write);
  ASSERT_TRUE((*file)->truncate(size - 1));
  EXPECT_EQ(open().error().code, Code::corrupt);
  ASSERT_TRUE((*file)->truncate(20));
  EXPECT_EQ(open().error().code, Code::corrupt);
}

TEST_F(FileTest, AWriterThatIsDroppedLeavesNothing) {
  {
    const auto to = writer(name_);
    ASSERT_TRUE(to->begin_unit(device_of(0), device_of(0), keys_.create("series:x").value()));
  }
  EXPECT_TRUE(node_.system().files.list("/data")->empty());
}

TEST_F(FileTest, AnObsoleteFileGoesWithItsLastUser) {
  write(1, 10);
  FilePtr user = open().value();
  user->remove_when_unused();
  EXPECT_TRUE(user->footer());
  user.reset();
  EXPECT_FALSE(os::exists(node_.system().files, path_));
}

TEST_F(FileTest, TheCacheIsBounded) {
  write(50, 200);
  const FilePtr file = open().value();
  UnitCache cache(keys_, 4000);
  for (int round = 0; round < 2; ++round) {
    for (unsigned d = 0; d < 50; ++d) {
      const auto units = cache.units(file, device_of(d), compressor_);
      ASSERT_TRUE(units);
      ASSERT_EQ(units->size(), 1U);
      EXPECT_EQ((*units)[0]->unit.device, device_of(d));
    }
  }
  // What is kept needs no reading; what was pushed out is read again.
  const std::uint64_t before = node_.disk().reads();
  ASSERT_TRUE(cache.units(file, device_of(49), compressor_));
  const std::uint64_t kept = node_.disk().reads() - before;
  ASSERT_TRUE(cache.units(file, device_of(0), compressor_));
  EXPECT_GT(node_.disk().reads() - before, kept);
}

class FileSetTest : public FileTest {
 protected:
  FileSet set_{node_.system().files, "/data/series"};
  std::vector<std::string> alarms_;

  void put(const FileName& name) {
    ASSERT_TRUE(set_.make_day(name.day));
    const auto to =
        FileWriter::create(node_.system().files, node_.system().entropy, set_.path(name), name)
            .value();
    ASSERT_TRUE(to->publish());
  }
  Status load(SegmentId first_unsealed) {
    return set_.load(first_unsealed, [this](const std::string& what) { alarms_.push_back(what); });
  }
  std::vector<std::pair<SegmentId, SegmentId>> ranges() {
    std::vector<std::pair<SegmentId, SegmentId>> out;
    for (const auto& [day, files] : set_.version()->days) {
      for (const FilePtr& file : files) out.emplace_back(file->name().first, file->name().last);
    }
    return out;
  }
};

TEST_F(FileSetTest, CountsWhatIsSealedAndNotSuperseded) {
  ASSERT_TRUE(node_.system().files.make_folder("/data/series"));
  put({kDay, 0, 1, 1});
  put({kDay, 0, 2, 2});
  put({kDay, 0, 1, 2});  // merged from the two
  put({kDay, 0, 3, 3});
  put({kDay, 0, 4, 4});  // its segment is not sealed
  put({kDay, 1, 1, 1});  // another class
  EXPECT_EQ(set_.newest().value(), 4U);
  ASSERT_TRUE(load(4));
  EXPECT_EQ(ranges(), (std::vector<std::pair<SegmentId, SegmentId>>{{1, 1}, {1, 2}, {3, 3}}));
  EXPECT_EQ(set_.version()->sealed, 3U);
  EXPECT_EQ(node_.system().files.list("/data/series/2026-01-01")->size(), 3U)
      << "the others are gone from disk";
  EXPECT_TRUE(alarms_.empty());
}

TEST_F(FileSetTest, ADamagedFileSupersedesNothing) {
  ASSERT_TRUE(node_.system().files.make_folder("/data/series"));
  put({kDay, 0, 1, 1});
  put({kDay, 0, 1, 2});
  ASSERT_TRUE(node_.disk().flip_bit(set_.path({kDay, 0, 1, 2}), 12));
  ASSERT_TRUE(load(3));
  EXPECT_EQ(ranges(), (std::vector<std::pair<SegmentId, SegmentId>>{{1, 1}}));
  EXPECT_EQ(alarms_.size(), 1U);
  EXPECT_EQ(set_.version()->damaged.size(), 1U);
}

TEST_F(FileSetTest, AFileThatCannotBeReadIsServedOnceItCan) {
  ASSERT_TRUE(node_.system().files.make_folder("/data/series"));
  put({kDay, 0, 1, 1});
  put({kDay, 0, 2, 2});
  node_.disk().fail_read_at(node_.disk().reads() + 1);
  ASSERT_TRUE(load(3));
  EXPECT_EQ(ranges().size(), 1U);
  EXPECT_EQ(set_.version()->unread.size(), 1U);
  EXPECT_TRUE(set_.version()->damaged.empty());
  EXPECT_TRUE(set_.version()->lacks(kDay, kDay));
  EXPECT_FALSE(set_.version()->lacks(kDay + 1, kDay + 9));
  const auto alarm = [&](const std::string& what) { alarms_.push_back(what); };
  node_.disk().fail_read_at(node_.disk().reads() + 1);
  EXPECT_FALSE(set_.open_unread(alarm));
  EXPECT_EQ(set_.version()->unread.size(), 1U);
  EXPECT_TRUE(set_.open_unread(alarm));
  EXPECT_EQ(ranges(), (std::vector<std::pair<SegmentId, SegmentId>>{{1, 1}, {2, 2}}));
  EXPECT_FALSE(set_.version()->lacks(kDay, kDay));
  EXPECT_EQ(alarms_.size(), 1U);
}

TEST_F(FileSetTest, AFileThatIsReadLateSupersedesAsItWouldHaveAtTheStart) {
  ASSERT_TRUE(node_.system().files.make_folder("/data/series"));
  put({kDay, 0, 1, 1});
  put({kDay, 0, 1, 2});  // merged from the two; the other is gone already
  for (const std::uint64_t read : {1U, 3U}) {
    node_.disk().fail_read_at(node_.disk().reads() + read);
    ASSERT_TRUE(load(3));
    ASSERT_EQ(set_.version()->unread.size(), 1U) << read;
    ASSERT_TRUE(set_.open_unread([](const std::string&) {}));
    EXPECT_EQ(ranges(), (std::vector<std::pair<SegmentId, SegmentId>>{{1, 2}}));
    EXPECT_EQ(node_.system().files.list("/data/series/2026-01-01")->size(), 1U);
    put({kDay, 0, 1, 1});
  }
}

TEST_F(FileSetTest, WhatIsDamagedAfterAllIsNotTriedForEver) {
  ASSERT_TRUE(node_.system().files.make_folder("/data/series"));
  put({kDay, 0, 1, 1});
  put({kDay, 0, 2, 2});
  node_.disk().fail_read_at(node_.disk().reads() + 1);
  ASSERT_TRUE(load(3));
  const FileName name = set_.version()->unread.at(0);
  ASSERT_TRUE(node_.disk().flip_bit(set_.path(name), 12));
  EXPECT_FALSE(set_.open_unread([&](const std::string& what) { alarms_.push_back(what); }));
  EXPECT_TRUE(set_.version()->unread.empty());
  EXPECT_EQ(set_.version()->damaged, std::vector<FileName>{name});
  EXPECT_EQ(alarms_.size(), 2U);
}

TEST_F(FileSetTest, AVersionThatIsHeldDoesNotChange) {
  ASSERT_TRUE(load(1));
  put({kDay, 0, 1, 1});
  const VersionPtr before = set_.version();
  ASSERT_TRUE(set_.add({{kDay, 0, 1, 1}}, 1));
  EXPECT_TRUE(before->days.empty());
  EXPECT_EQ(set_.version()->days.at(kDay).size(), 1U);
  EXPECT_EQ(set_.version()->sealed, 1U);
  set_.remove(set_.version()->days.at(kDay));
  EXPECT_TRUE(set_.version()->days.empty());
  EXPECT_FALSE(os::exists(node_.system().files, set_.path({kDay, 0, 1, 1})));
}

TEST_F(FileSetTest, AMergeWhoseInputsAreGoneIsDropped) {
  ASSERT_TRUE(load(1));
  put({kDay, 0, 1, 1});
  put({kDay, 0, 2, 2});
  ASSERT_TRUE(set_.add({{kDay, 0, 1, 1}, {kDay, 0, 2, 2}}, 2));
  const auto inputs = set_.version()->days.at(kDay);
  set_.remove({inputs[0]});  // retention came first
  put({kDay, 0, 1, 2});
  ASSERT_TRUE(set_.replace(inputs, {kDay, 0, 1, 2}));
  EXPECT_EQ(ranges(), (std::vector<std::pair<SegmentId, SegmentId>>{{2, 2}}));
  EXPECT_FALSE(os::exists(node_.system().files, set_.path({kDay, 0, 1, 2})));
}

}  // namespace
}  // namespace holdfast::series
