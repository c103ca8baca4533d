#include "server/store/series/file_writer.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace holdfast::series {
namespace {

constexpr std::size_t kWriteBytes = 1024 * 1024;

std::optional<Value> edge_of(const Column& column, std::size_t i) {
  Value value = column.value(i);
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && text->size() > kEdgeTextMax) return std::nullopt;
  return value;
}

ColumnInfo describe(const NamedColumn& named) {
  const Column& column = named.column;
  ColumnInfo info;
  info.field = named.field;
  info.kinds = static_cast<std::uint8_t>(column.mask());
  info.values = static_cast<std::uint32_t>(column.size());
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (!is_number(column.kinds[i])) continue;
    const double number = number_of(column.kinds[i], column.bits[i]);
    if (std::isnan(number)) continue;
    info.min = info.numbers == 0 ? number : std::min(info.min, number);
    info.max = info.numbers == 0 ? number : std::max(info.max, number);
    info.sum += number;
    ++info.numbers;
  }
  info.first = edge_of(column, 0);
  info.last = edge_of(column, column.size() - 1);
  return info;
}

}  // namespace

Result<std::unique_ptr<FileWriter>> FileWriter::create(os::Files& files, os::Entropy& entropy,
                                                       const std::string& path,
                                                       const FileName& name) {
  std::unique_ptr<FileWriter> out(new FileWriter(files, path));
  out->file_ = TRY(files.open(path + ".tmp", os::Open::create));
  TRY(out->file_->truncate(0));
  out->header_.name = name;
  entropy.fill(out->header_.salt);
  out->buffer_ = encode_file_header(out->header_);
  return out;
}

FileWriter::~FileWriter() {
  if (!published_) static_cast<void>(files_.remove(path_ + ".tmp"));
}

Status FileWriter::begin_unit(const Ulid& device, const Ulid& subject, const Key& key) {
  assert(units_.empty() ||
         std::tie(units_.back().device, units_.back().subject) < std::tie(device, subject));
  units_.push_back({device, subject, key.id, 0, 0});
  Bytes bytes = TRY(unit_key(key, header_.salt));
  key_ = TRY(crypto::AeadKey::make(bytes));
  crypto::wipe(bytes);
  directory_ = {};
  return {};
}

Status FileWriter::add_rows(std::string_view stream, const Rows& rows) {
  if (directory_.streams.empty() || directory_.streams.back().name != stream) {
    assert(directory_.streams.empty() || directory_.streams.back().name < stream);
    directory_.streams.push_back({std::string(stream), {}});
  }
  StreamInfo& info = directory_.streams.back();
  if (rows.size() <= kGroupRowsMax) return rows.size() == 0 ? Status{} : add_group(info, rows);
  for (std::size_t begin = 0; begin < rows.size(); begin += kGroupRowsMax) {
    TRY(add_group(info, slice_rows(rows, begin, std::min(rows.size(), begin + kGroupRowsMax))));
  }
  return {};
}

Status FileWriter::add_group(StreamInfo& stream, const Rows& rows) {
  GroupInfo group;
  group.rows = static_cast<std::uint32_t>(rows.size());
  group.first = rows.times.time.front();
  group.last = rows.times.time.back();
  group.times = TRY(put_block(encode_times(rows.times)));
  for (const NamedColumn& named : rows.columns) {
    if (named.column.size() == 0) continue;
    ColumnInfo info = describe(named);
    info.ref = TRY(put_block(encode_column(named.column, rows.size(), compressor_)));
    group.columns.push_back(std::move(info));
    points_ += named.column.size();
  }
  stream.groups.push_back(std::move(group));
  return {};
}

Result<Ref> FileWriter::put_block(View plain) {
  Ref ref;
  if (plain.size() <= kInlineMax) {
    ref.inlined.assign(plain.begin(), plain.end());
    return ref;
  }
  TRY(put_sealed(plain, ref));
  return ref;
}

Status FileWriter::put_sealed(View plain, Ref& ref) {
  const std::size_t before = buffer_.size();
  ref.offset = written_ + before;
  TRY(key_->seal(block_nonce(ref.offset), {}, compressor_.pack(plain), buffer_));
  ref.length = static_cast<std::uint32_t>(buffer_.size() - before);
  return flush(kWriteBytes);
}

Status FileWriter::flush(std::size_t keep_below) {
  if (buffer_.size() < keep_below || buffer_.empty()) return {};
  TRY(file_->write_at(written_, buffer_));
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

Status FileWriter::end_unit() {
  std::erase_if(directory_.streams, [](const StreamInfo& stream) { return stream.groups.empty(); });
  Ref ref;
  TRY(put_sealed(encode_directory(directory_), ref));
  units_.back().directory_offset = ref.offset;
  units_.back().directory_length = ref.length;
  return {};
}

Status FileWriter::publish() {
  Bytes footer;
  for (const Unit& unit : units_) put_unit(footer, unit);
  const Trailer trailer{written_ + buffer_.size(), static_cast<std::uint32_t>(units_.size()),
                        crc32c(footer)};
  append(buffer_, footer);
  append(buffer_, encode_trailer(trailer));
  TRY(flush(0));
  TRY(file_->sync());
  TRY(files_.rename(path_ + ".tmp", path_));
  published_ = true;
  return {};
}

}  // namespace holdfast::series
