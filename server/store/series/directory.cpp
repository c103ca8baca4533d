// The bytes of directories, headers, footers and names.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdio>

#include "server/store/series/file.hpp"
#include "server/store/series/rollup.hpp"

namespace holdfast::series {
namespace {

constexpr std::string_view kFileMagic = "HFCOLS01";
constexpr std::string_view kTrailerMagic = "HFCEND01";
constexpr std::uint8_t kLongText = 6;
constexpr std::uint64_t kRowsPossible = kGroupRowsMax;

void put_text(Bytes& out, std::string_view text) {
  put_varint(out, text.size());
  append(out, view_of(text));
}

Result<std::string> take_text(ByteReader& in, std::size_t size_max) {
  const std::uint64_t size = TRY(in.varint());
  if (size > size_max) return fail(Code::corrupt, "a name in a directory is too long");
  return string_of(TRY(in.take(size)));
}

// A first or last value, as a cell.
void put_edge(Bytes& out, const std::optional<Value>& value) {
  if (!value) {
    out.push_back(kLongText);
  } else if (const auto* boolean = std::get_if<bool>(&*value)) {
    out.push_back(*boolean ? 2 : 1);
  } else if (const auto* integer = std::get_if<std::int64_t>(&*value)) {
    out.push_back(3);
    put_varint(out, zigzag(*integer));
  } else if (const auto* number = std::get_if<double>(&*value)) {
    out.push_back(4);
    store_le(out, std::bit_cast<std::uint64_t>(*number));
  } else {
    out.push_back(5);
    put_text(out, std::get<std::string>(*value));
  }
}

Result<std::optional<Value>> take_edge(ByteReader& in) {
  switch (TRY(in.le<std::uint8_t>())) {
    case 1:
      return Value(false);
    case 2:
      return Value(true);
    case 3:
      return Value(unzigzag(TRY(in.varint())));
    case 4:
      return Value(std::bit_cast<double>(TRY(in.le<std::uint64_t>())));
    case 5:
      return Value(TRY(take_text(in, kEdgeTextMax)));
    case kLongText:
      return std::optional<Value>();
    default:
      return fail(Code::corrupt, "a directory has a value of unknown kind");
  }
}

// `end` is where the block that the ref before named ends.
void put_ref(Bytes& out, const Ref& ref, std::uint64_t& end) {
  if (!ref.inlined.empty()) {
    put_varint(out, ref.inlined.size() * 2 + 1);
    append(out, ref.inlined);
    return;
  }
  put_varint(out, std::uint64_t{ref.length} * 2);
  put_varint(out, zigzag(static_cast<std::int64_t>(ref.offset - end)));
  end = ref.offset + ref.length;
}

Result<Ref> take_ref(ByteReader& in, std::uint64_t& end) {
  Ref ref;
  const std::uint64_t length = TRY(in.varint());
  if ((length & 1) != 0) {
    const View plain = TRY(in.take(length / 2));
    if (plain.empty()) return fail(Code::corrupt, "a directory has an empty block");
    ref.inlined.assign(plain.begin(), plain.end());
    return ref;
  }
  if (length / 2 > kBlockBytesMax)
    return fail(Code::corrupt, "a directory names a block larger than any can be");
  ref.length = static_cast<std::uint32_t>(length / 2);
  ref.offset = end + static_cast<std::uint64_t>(unzigzag(TRY(in.varint())));
  end = ref.offset + ref.length;
  return ref;
}

void put_column(Bytes& out, const ColumnInfo& column, std::uint64_t& end) {
  put_text(out, column.field);
  out.push_back(column.kinds);
  put_varint(out, column.values);
  put_varint(out, column.numbers);
  if (column.numbers > 0) {
    for (const double number : {column.min, column.max, column.sum})
      store_le(out, std::bit_cast<std::uint64_t>(number));
  }
  put_edge(out, column.first);
  put_edge(out, column.last);
  put_ref(out, column.ref, end);
}

Result<ColumnInfo> take_column(ByteReader& in, std::uint32_t rows, std::uint64_t& end) {
  ColumnInfo column;
  column.field = TRY(take_text(in, wire::kFieldNameBytesMax + kRollupNameExtra));
  column.kinds = TRY(in.le<std::uint8_t>());
  const std::uint64_t values = TRY(in.varint());
  const std::uint64_t numbers = TRY(in.varint());
  if (values == 0 || values > rows || numbers > values)
    return fail(Code::corrupt, "a directory miscounts a column");
  column.values = static_cast<std::uint32_t>(values);
  column.numbers = static_cast<std::uint32_t>(numbers);
  if (numbers > 0) {
    column.min = std::bit_cast<double>(TRY(in.le<std::uint64_t>()));
    column.max = std::bit_cast<double>(TRY(in.le<std::uint64_t>()));
    column.sum = std::bit_cast<double>(TRY(in.le<std::uint64_t>()));
  }
  column.first = TRY(take_edge(in));
  column.last = TRY(take_edge(in));
  column.ref = TRY(take_ref(in, end));
  return column;
}

Result<GroupInfo> take_group(ByteReader& in, std::uint64_t& end) {
  GroupInfo group;
  const std::uint64_t rows = TRY(in.varint());
  if (rows == 0 || rows > kRowsPossible)
    return fail(Code::corrupt, "a row group has an impossible size");
  group.rows = static_cast<std::uint32_t>(rows);
  group.first = unzigzag(TRY(in.varint()));
  group.last =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(group.first) + TRY(in.varint()));
  if (group.last < group.first) return fail(Code::corrupt, "a row group ends before it begins");
  group.times = TRY(take_ref(in, end));
  const std::uint64_t columns = TRY(in.varint());
  for (std::uint64_t i = 0; i < columns; ++i) {
    group.columns.push_back(TRY(take_column(in, group.rows, end)));
    if (i > 0 && group.columns[i - 1].field >= group.columns[i].field)
      return fail(Code::corrupt, "columns are in disorder");
  }
  return group;
}

}  // namespace

std::string file_name_text(const FileName& name) {
  char text[64];
  std::snprintf(text, sizeof text, "%03u-%016llx-%016llx.%s", unsigned{name.retention},
                static_cast<unsigned long long>(name.first),
                static_cast<unsigned long long>(name.last), name.rollup ? "hfr" : "hfc");
  return text;
}

std::optional<FileName> parse_file_name(std::int64_t day, std::string_view name) {
  FileName out;
  out.day = day;
  if (name.size() != 41) return std::nullopt;
  out.rollup = name.ends_with("r");
  const auto number = [&](std::size_t at, std::size_t size, int base, auto& into) {
    const char* const end = name.data() + at + size;
    const auto got = std::from_chars(name.data() + at, end, into, base);
    return got.ec == std::errc{} && got.ptr == end;
  };
  const bool good = number(0, 3, 10, out.retention) && number(4, 16, 16, out.first) &&
                    number(21, 16, 16, out.last);
  if (!good || file_name_text(out) != name || out.first > out.last) return std::nullopt;
  return out;
}

std::optional<std::int64_t> parse_day(std::string_view text) {
  const auto time = from_rfc3339(std::string(text) + "T00:00:00Z");
  if (!time || day_text(day_of(*time)) != text) return std::nullopt;
  return day_of(*time);
}

const ColumnInfo* GroupInfo::find(std::string_view field) const {
  const auto at = std::ranges::lower_bound(
      columns, field, {}, [](const ColumnInfo& column) { return std::string_view(column.field); });
  return at != columns.end() && at->field == field ? &*at : nullptr;
}

const StreamInfo* Directory::find(std::string_view stream) const {
  const auto at = std::ranges::lower_bound(
      streams, stream, {}, [](const StreamInfo& info) { return std::string_view(info.name); });
  return at != streams.end() && at->name == stream ? &*at : nullptr;
}

std::size_t Directory::memory() const {
  std::size_t sum = sizeof(Directory);
  for (const StreamInfo& stream : streams) {
    sum += sizeof(StreamInfo);
    for (const GroupInfo& group : stream.groups) {
      sum += sizeof(GroupInfo) + group.times.inlined.size();
      for (const ColumnInfo& column : group.columns)
        sum += sizeof(ColumnInfo) + column.ref.inlined.size();
    }
  }
  return sum;
}

Bytes encode_directory(const Directory& directory) {
  Bytes out;
  std::uint64_t end = 0;
  put_varint(out, directory.streams.size());
  for (const StreamInfo& stream : directory.streams) {
    put_text(out, stream.name);
    put_varint(out, stream.groups.size());
    for (const GroupInfo& group : stream.groups) {
      put_varint(out, group.rows);
      put_varint(out, zigzag(group.first));
      put_varint(out,
                 static_cast<std::uint64_t>(group.last) - static_cast<std::uint64_t>(group.first));
      put_ref(out, group.times, end);
      put_varint(out, group.columns.size());
      for (const ColumnInfo& column : group.columns) put_column(out, column, end);
    }
  }
  return out;
}

Result<Directory> decode_directory(View plain) {
  Directory out;
  ByteReader in(plain);
  std::uint64_t end = 0;
  const std::uint64_t streams = TRY(in.varint());
  for (std::uint64_t s = 0; s < streams; ++s) {
    StreamInfo stream;
    stream.name = TRY(take_text(in, kStreamBytesMax));
    if (s > 0 && out.streams.back().name >= stream.name)
      return fail(Code::corrupt, "streams are in disorder");
    const std::uint64_t groups = TRY(in.varint());
    for (std::uint64_t g = 0; g < groups; ++g) {
      stream.groups.push_back(TRY(take_group(in, end)));
      if (g > 0 && stream.groups[g - 1].last > stream.groups[g].first)
        return fail(Code::corrupt, "row groups overlap");
    }
    out.streams.push_back(std::move(stream));
  }
  if (!in.done()) return fail(Code::corrupt, "a directory has bytes beyond its end");
  return out;
}

Bytes encode_file_header(const FileHeader& header) {
  Bytes out;
  append(out, view_of(kFileMagic));
  store_le(out, header.name.day);
  out.push_back(header.name.retention);
  out.push_back(header.name.rollup ? 1 : 0);
  out.resize(24, 0);
  store_le(out, header.name.first);
  store_le(out, header.name.last);
  append(out, header.salt);
  out.resize(kFileHeaderBytes - 4, 0);
  store_le(out, crc32c(out));
  return out;
}

Result<FileHeader> decode_file_header(View bytes) {
  if (bytes.size() < kFileHeaderBytes) return fail(Code::corrupt, "the file is too short");
  const View covered = bytes.first(kFileHeaderBytes - 4);
  if (load_le<std::uint32_t>(bytes.data() + covered.size()) != crc32c(covered))
    return fail(Code::corrupt, "the file's header is damaged");
  if (text_of(covered.first(8)) != kFileMagic)
    return fail(Code::corrupt, "not a series file of this version");
  FileHeader out;
  out.name.day = load_le<std::int64_t>(bytes.data() + 8);
  out.name.retention = bytes[16];
  out.name.rollup = bytes[17] == 1;
  out.name.first = load_le<std::uint64_t>(bytes.data() + 24);
  out.name.last = load_le<std::uint64_t>(bytes.data() + 32);
  std::copy_n(bytes.begin() + 40, kSaltBytes, out.salt.begin());
  return out;
}

Bytes encode_trailer(const Trailer& trailer) {
  Bytes out;
  store_le(out, trailer.footer_offset);
  store_le(out, trailer.units);
  store_le(out, trailer.footer_crc);
  store_le(out, std::uint32_t{0});
  store_le(out, crc32c(out));
  append(out, view_of(kTrailerMagic));
  return out;
}

Result<Trailer> decode_trailer(View bytes) {
  if (bytes.size() != kTrailerBytes || text_of(bytes.subspan(24)) != kTrailerMagic ||
      load_le<std::uint32_t>(bytes.data() + 20) != crc32c(bytes.first(20))) {
    return fail(Code::corrupt, "the file has no valid end");
  }
  return Trailer{load_le<std::uint64_t>(bytes.data()), load_le<std::uint32_t>(bytes.data() + 8),
                 load_le<std::uint32_t>(bytes.data() + 12)};
}

void put_unit(Bytes& out, const Unit& unit) {
  append(out, unit.device);
  append(out, unit.subject);
  store_le(out, unit.key);
  store_le(out, unit.directory_offset);
  store_le(out, unit.directory_length);
}

Result<std::vector<Unit>> decode_footer(View bytes, const Trailer& trailer) {
  if (bytes.size() != std::size_t{trailer.units} * kUnitBytes ||
      crc32c(bytes) != trailer.footer_crc) {
    return fail(Code::corrupt, "the file's list of devices is damaged");
  }
  std::vector<Unit> out(trailer.units);
  const std::uint8_t* at = bytes.data();
  for (Unit& unit : out) {
    std::copy_n(at, 16, unit.device.begin());
    std::copy_n(at + 16, 16, unit.subject.begin());
    unit.key = load_le<std::uint64_t>(at + 32);
    unit.directory_offset = load_le<std::uint64_t>(at + 40);
    unit.directory_length = load_le<std::uint32_t>(at + 48);
    at += kUnitBytes;
  }
  return out;
}

}  // namespace holdfast::series
