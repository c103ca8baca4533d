// tools/hfread knows the formats from docs/spec alone. Here it reads what the engines wrote, and
// agrees with what they themselves read, value by value and bit by bit.
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <deque>
#include <limits>
#include <map>
#include <sstream>

#include "libs/os/sim/random.hpp"
#include "libs/os/system.hpp"
#include "server/store/events/file.hpp"
#include "server/store/journal/memory_keys.hpp"
#include "server/store/journal/segment.hpp"
#include "server/store/series/file_writer.hpp"

namespace holdfast::events {
namespace {

class HfreadTest : public testing::Test {
 protected:
  HfreadTest() {
    char name[] = "/tmp/holdfast-hfread-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~HfreadTest() override { EXPECT_TRUE(os::remove_tree(system_.files, folder_)); }

  void SetUp() override {
    const auto python =
        system_.process.run({"python3", "-c", "import cryptography"}, "", seconds(20), 1000);
    if (!python || python->status != 0) GTEST_SKIP() << "python3-cryptography is not installed";
  }

  // The lines that the script prints for a file.
  std::vector<std::string> script(const std::string& path, const std::vector<Key>& keys) {
    std::string text;
    for (const Key& key : keys) text += std::to_string(key.id) + " " + to_hex(key.view()) + "\n";
    EXPECT_TRUE(os::replace_file(system_.files, folder_ + "/keys", view_of(text)));
    const auto ran = system_.process.run({"python3", "tools/hfread", folder_ + "/keys", path}, "",
                                         seconds(120), 64 << 20);
    EXPECT_TRUE(ran);
    EXPECT_EQ(ran ? ran->status : -1, 0) << (ran ? ran->err : "");
    std::vector<std::string> lines;
    std::istringstream in(ran ? ran->out : "");
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  void compare(const std::vector<std::string>& script_lines, const std::vector<std::string>& ours) {
    ASSERT_FALSE(ours.empty());
    ASSERT_EQ(script_lines.size(), ours.size());
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_EQ(script_lines[i], ours[i]) << "line " << i;
  }

  static Ulid device_of(unsigned number) {
    Ulid out{};
    out[0] = 1;
    out[15] = static_cast<std::uint8_t>(number);
    return out;
  }

  std::unique_ptr<os::RealSystem> real_ = os::RealSystem::make().value();
  os::System system_ = real_->system();
  std::string folder_;
  journal::MemoryKeys keys_{system_.entropy};
  os::sim::Random random_{77};
};

TEST_F(HfreadTest, ReadsJournalSegments) {
  const Key key = keys_.create("journal").value();
  const std::string path = folder_ + "/0000000000000007.hfj";
  journal::SegmentHeader header;
  header.number = 7;
  header.key = key.id;
  const auto writer =
      journal::SegmentWriter::create(system_.files, path, header, key, 4096).value();
  std::vector<std::string> ours;
  std::uint32_t number = 0;
  std::int64_t time = 1'767'225'600'000'000;
  for (int frame = 0; frame < 5; ++frame) {
    journal::RecordWriter records;
    for (int i = 0; i < 20; ++i) {
      const std::string body(random_.below(50), static_cast<char>(random_.below(256)));
      journal::Record record;
      record.kind = random_.chance(50) ? journal::Kind::reading : journal::Kind::event;
      if (random_.chance(80)) record.device = device_of(static_cast<unsigned>(random_.below(5)));
      if (random_.chance(20)) record.subject = device_of(99);
      if (random_.chance(50))
        record.delivery = {random_.next() | 1, static_cast<std::uint16_t>(random_.below(65536)),
                           random_.next() >> 16, false};
      record.ticks = static_cast<std::uint32_t>(1 + random_.below(3));
      record.body = view_of(body);
      time += static_cast<std::int64_t>(random_.below(1'000'000)) - 1000;
      records.add(record, {time});
      std::ostringstream line;
      line << 7 << ' ' << number++ << ' ' << static_cast<int>(record.kind) << ' ' << time << ' '
           << to_hex(record.device) << ' ' << to_hex(record.subject) << ' '
           << record.delivery.session << ' ' << record.delivery.packet << ' '
           << record.delivery.hash << ' ' << record.ticks << ' ' << to_hex(record.body);
      ours.push_back(line.str());
    }
    ASSERT_TRUE(writer->stage(records.take(), 20));
    ASSERT_TRUE(writer->commit(true));
  }
  compare(script(path, {key}), ours);
}

// A column of one style: what encoders choose between.
series::Column column_of(os::sim::Random& random, std::uint64_t style, std::size_t rows) {
  series::Column column;
  const auto push = [&](double value) { column.push(4, std::bit_cast<std::uint64_t>(value)); };
  double walk = 50;
  for (std::size_t i = 0; i < rows; ++i) {
    walk += static_cast<double>(random.below(201)) / 100 - 1;
    switch (style) {
      case 0:
        push(static_cast<double>(static_cast<std::int64_t>(walk * 100)) / 100);
        break;
      case 1:
        push(walk / 3);
        break;
      case 2:
        column.push(3, random.chance(95) ? static_cast<std::uint64_t>(i * 4096) : random.next());
        break;
      case 3:
        push(7.25);
        break;
      case 4:
        if (random.chance(50)) {
          column.push(3, random.below(100));
        } else {
          push(walk + 0.123);
        }
        break;
      case 5:
        if (random.chance(50)) {
          column.push(3, random.next());
        } else {
          push(static_cast<double>(random.below(10)));
        }
        break;
      case 6:
        column.push(5, 0, "state " + std::to_string(random.below(3)));
        break;
      case 7:
        column.push(5, 0, "line " + std::to_string(i) + "\xC3\xA4");
        break;
      case 8:
        column.push(static_cast<std::uint8_t>(1 + random.below(2)), 0);
        break;
      case 9:
        push(i % 50 == 7   ? std::numeric_limits<double>::infinity()
             : i % 50 == 9 ? -0.0
                           : std::bit_cast<double>(random.next()));
        break;
      default:
        if (random.chance(30)) {
          column.push(5, 0, "mixed");
        } else if (random.chance(50)) {
          column.push(2, 0);
        } else {
          push(walk);
        }
    }
  }
  return column;
}

std::string cell_text(const series::Column& column, std::size_t i) {
  switch (column.kinds[i]) {
    case 1:
      return "false";
    case 2:
      return "true";
    case 3:
      return "int:" + std::to_string(static_cast<std::int64_t>(column.bits[i]));
    case 4: {
      Bytes bits;
      store_le(bits, column.bits[i]);
      return "double:" + to_hex(bits);
    }
    default:
      return "text:" + to_hex(view_of(column.texts[column.bits[i]]));
  }
}

TEST_F(HfreadTest, ReadsSeriesFiles) {
  const series::FileName name{20'454, 3, 5, 9};
  const std::string path = folder_ + "/file.hfc";
  const auto writer =
      series::FileWriter::create(system_.files, system_.entropy, path, name).value();
  std::vector<Key> keys;
  std::vector<std::string> ours;
  for (unsigned device = 1; device <= 2; ++device) {
    keys.push_back(keys_.create("series:x").value());
    ASSERT_TRUE(writer->begin_unit(device_of(device), device_of(device), keys.back()));
    const std::size_t count = device == 1 ? 700 : 40;
    series::Rows rows;
    std::int64_t time = 20'454LL * 86'400'000'000;
    for (std::size_t i = 0; i < count; ++i) {
      time += 1'000'000 + (device == 1 ? 0 : static_cast<std::int64_t>(random_.below(1000)));
      rows.times.push(time, random_.chance(device == 1 ? 100 : 50) ? time : time + 5000,
                      static_cast<series::TimeSource>(device == 1 ? 1 : random_.below(3)));
    }
    for (std::uint64_t style = 0; style <= 10; ++style) {
      series::Column column = column_of(random_, style, count);
      if (style % 3 == 1) {  // with gaps, some of them wide
        series::Column sparse;
        for (std::uint32_t row = 0; row < count; ++row) {
          if (row % (style == 1 ? 40 : 2) != 0) continue;
          const bool text = series::is_text(column.kinds[row]);
          sparse.push(column.kinds[row], column.bits[row],
                      text ? std::string_view(column.texts[column.bits[row]]) : std::string_view());
          sparse.rows.push_back(row);
        }
        column = std::move(sparse);
      }
      char field[8];
      std::snprintf(field, sizeof field, "f%02u", static_cast<unsigned>(style));
      for (std::size_t i = 0; i < column.size(); ++i) {
        const std::uint32_t row = column.row(i);
        std::ostringstream line;
        line << to_hex(device_of(device)) << ' ' << to_hex(device_of(device)) << " s." << field
             << ' ' << rows.times.time[row] << ' ' << rows.times.other[row] << ' '
             << int{rows.times.source[row]} << ' ' << cell_text(column, i);
        ours.push_back(line.str());
      }
      rows.columns.push_back({field, std::move(column)});
    }
    ASSERT_TRUE(writer->add_rows("s", rows));
    ASSERT_TRUE(writer->end_unit());
  }
  ASSERT_TRUE(writer->publish());
  compare(script(path, keys), ours);
  // Without the first subject's key its half is not there.
  const auto rest = script(path, {keys[1]});
  EXPECT_LT(rest.size(), ours.size());
  EXPECT_EQ(rest.back(), ours.back());
}

TEST_F(HfreadTest, ReadsEventFiles) {
  const FileName name{3, 4};
  const Key key = keys_.create(key_purpose(name)).value();
  const std::string path = folder_ + "/file.hfe";
  const auto writer = FileWriter::create(system_.files, path, name, key).value();
  std::map<std::pair<Ulid, journal::Cursor>, std::string> lines;  // in the order of a group
  std::deque<std::string> texts;
  journal::Cursor at{3, 0};
  std::int64_t received = 1'767'225'600'000'000;
  for (int i = 0; i < 5000; ++i) {
    Row row;
    at.record += static_cast<std::uint32_t>(1 + random_.below(3));
    received += static_cast<std::int64_t>(random_.below(100'000));
    row.at = at;
    row.received = row.time = row.claimed = received;
    row.source = static_cast<std::uint8_t>(random_.below(3));
    if (row.source == 1) row.time = row.claimed = received - 5'000'000;
    if (row.source == 2) row.claimed = 1;
    row.severity = static_cast<std::uint8_t>(random_.below(6));
    row.device = device_of(static_cast<unsigned>(random_.below(7)));
    if (random_.chance(10)) row.subject = device_of(200);
    row.kind = random_.chance(50) ? "log" : "flow";
    row.message = texts.emplace_back(random_.chance(5)
                                         ? "raw \1 one"
                                         : "Message 10.0.0." + std::to_string(random_.below(256)) +
                                               " number " + std::to_string(random_.below(100'000)) +
                                               (random_.chance(3) ? " fe80::7" : ""));
    FieldMap fields{{"port", static_cast<std::int64_t>(random_.below(65536))}, {"x", 0.5}};
    if (random_.chance(30)) fields["who"] = "user " + std::to_string(random_.below(9));
    if (random_.chance(10)) fields["yes"] = random_.chance(50);
    Bytes encoded;
    put_fields(encoded, fields);
    row.fields = texts.emplace_back(string_of(encoded));
    std::ostringstream line;
    line << row.at.segment << ' ' << row.at.record << ' ' << row.received << ' ' << row.time << ' '
         << row.claimed << ' ' << int{row.source} << ' ' << int{row.severity} << ' '
         << to_hex(row.device) << ' ' << to_hex(row.subject) << ' ' << row.kind << ' '
         << to_hex(view_of(row.message)) << ' ' << to_hex(view_of(row.fields));
    lines[{row.device, row.at}] = line.str();
    ASSERT_TRUE(writer->add(row));
  }
  ASSERT_TRUE(writer->publish());
  std::vector<std::string> ours;
  for (const auto& [order, line] : lines) ours.push_back(line);
  compare(script(path, {key}), ours);
}

}  // namespace
}  // namespace holdfast::events
