#include "server/store/events/file.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdio>

#include "server/store/series/file.hpp"

namespace holdfast::events {
namespace {

constexpr std::string_view kMagic = "HFEVTS02";
constexpr std::string_view kEndMagic = "HFEEND02";
constexpr std::size_t kWriteBytes = 1024 * 1024;
constexpr int kLevel = 1;  // half the time of level 3 for a fiftieth more bytes
using series::block_nonce;

}  // namespace

std::string file_name_text(const FileName& name) {
  char text[48];
  std::snprintf(text, sizeof text, "%016llx-%016llx.hfe",
                static_cast<unsigned long long>(name.first),
                static_cast<unsigned long long>(name.last));
  return text;
}

std::optional<FileName> parse_file_name(std::string_view text) {
  FileName out;
  if (text.size() != 37) return std::nullopt;
  std::from_chars(text.data(), text.data() + 16, out.first, 16);
  std::from_chars(text.data() + 17, text.data() + 33, out.last, 16);
  if (file_name_text(out) != text || out.first > out.last || out.first == 0) return std::nullopt;
  return out;
}

std::string key_purpose(const FileName& name) {
  return "events:" + file_name_text(name).substr(0, 33);
}

Bytes encode_file_header(const FileHeader& header) {
  Bytes out;
  append(out, view_of(kMagic));
  store_le(out, header.name.first);
  store_le(out, header.name.last);
  store_le(out, header.key);
  out.resize(kFileHeaderBytes - 4, 0);
  store_le(out, crc32c(out));
  return out;
}

Result<FileHeader> decode_file_header(View bytes) {
  if (bytes.size() < kFileHeaderBytes) return fail(Code::corrupt, "the file is too short");
  const View covered = bytes.first(kFileHeaderBytes - 4);
  if (load_le<std::uint32_t>(bytes.data() + covered.size()) != crc32c(covered))
    return fail(Code::corrupt, "the file's header is damaged");
  if (text_of(covered.first(8)) != kMagic)
    return fail(Code::corrupt, "not an event file of this version");
  return FileHeader{
      {load_le<std::uint64_t>(bytes.data() + 8), load_le<std::uint64_t>(bytes.data() + 16)},
      load_le<std::uint64_t>(bytes.data() + 24)};
}

Result<FileHeader> read_file_header(os::Files& files, const std::string& path) {
  const auto file = TRY(files.open(path, os::Open::read));
  return decode_file_header(TRY(file->read_at(0, kFileHeaderBytes)));
}

Bytes encode_trailer(const Trailer& trailer) {
  Bytes out;
  store_le(out, trailer.directory_offset);
  store_le(out, trailer.directory_length);
  store_le(out, trailer.groups);
  store_le(out, trailer.events);
  store_le(out, std::uint32_t{0});
  store_le(out, crc32c(out));
  append(out, view_of(kEndMagic));
  return out;
}

Result<Trailer> decode_trailer(View bytes) {
  if (bytes.size() != kTrailerBytes || text_of(bytes.subspan(32)) != kEndMagic ||
      load_le<std::uint32_t>(bytes.data() + 28) != crc32c(bytes.first(28))) {
    return fail(Code::corrupt, "the file has no valid end");
  }
  return Trailer{load_le<std::uint64_t>(bytes.data()), load_le<std::uint32_t>(bytes.data() + 8),
                 load_le<std::uint32_t>(bytes.data() + 12),
                 load_le<std::uint64_t>(bytes.data() + 16)};
}

// ---- reading

Result<FilePtr> EventFile::open(os::Files& files, const std::string& path, const FileName& name,
                                KeySource& keys) {
  FilePtr out(new EventFile(files, path));
  out->file_ = TRY(files.open(path, os::Open::read));
  out->bytes_ = TRY(out->file_->size());
  out->header_ = TRY(decode_file_header(TRY(out->file_->read_at(0, kFileHeaderBytes))));
  if (out->header_.name != name) return fail(Code::corrupt, "the file's header names another file");
  if (out->bytes_ < kFileHeaderBytes + kTrailerBytes)
    return fail(Code::corrupt, "the file is too short");
  out->trailer_ =
      TRY(decode_trailer(TRY(out->file_->read_at(out->bytes_ - kTrailerBytes, kTrailerBytes))));
  out->secret_ = TRY(keys.get(out->header_.key));
  const auto reader = TRY(FileReader::make(*out));
  const Trailer& end = out->trailer_;
  out->groups_ = TRY(
      decode_directory(TRY(reader->part(end.directory_offset, end.directory_length)), end.groups));
  return out;
}

Span EventFile::received() const {
  Span out;
  for (const Group& group : groups_) {
    out.add(group.received.least);
    out.add(group.received.greatest);
  }
  return out;
}

EventFile::~EventFile() {
  if (obsolete_) static_cast<void>(files_.remove(path_));
}

Result<std::unique_ptr<FileReader>> FileReader::make(const EventFile& file) {
  return std::unique_ptr<FileReader>(
      new FileReader(file, TRY(crypto::AeadKey::make(file.secret_.view()))));
}

Result<Bytes> FileReader::packed(std::uint64_t offset, std::uint32_t length) {
  if (offset > file_.bytes_ || length > file_.bytes_ - offset)
    return fail(Code::corrupt, "a part lies outside of its file");
  const Bytes sealed = TRY(file_.file_->read_at(offset, length));
  Bytes out;
  TRY(key_->open(block_nonce(offset), {}, sealed, out));
  return out;
}

Result<Bytes> FileReader::part(std::uint64_t offset, std::uint32_t length) {
  return compressor_.unpack(TRY(packed(offset, length)), kPartBytesMax);
}

Result<std::unique_ptr<Block>> FileReader::block(const Group& group, std::size_t number) {
  const BlockHead& head = group.blocks[number];
  auto out = std::make_unique<Block>();
  out->meta = TRY(decode_meta(TRY(part(group.block_offset(number), head.meta_length)), head.count));
  return out;
}

Status FileReader::add_messages(const Group& group, std::size_t number, Block& block) {
  if (block.has_messages) return {};
  const BlockHead& head = group.blocks[number];
  block.messages_part =
      TRY(part(group.block_offset(number) + head.meta_length, head.messages_length));
  block.messages = TRY(take_messages(block.messages_part, head.count, block.arena));
  block.has_messages = true;
  return {};
}

Status FileReader::add_fields(const Group& group, std::size_t number, Block& block) {
  if (block.has_fields) return {};
  const BlockHead& head = group.blocks[number];
  block.fields_part = TRY(part(group.block_offset(number) + head.meta_length + head.messages_length,
                               head.fields_length));
  block.fields = TRY(take_field_columns(block.fields_part, head.count, block.arena));
  block.has_fields = true;
  return {};
}

Result<BlockMask> FileReader::look_up(const Group& group, std::uint64_t term) {
  const std::size_t pages = group.page_lengths.size();
  if (pages == 0) return BlockMask{0};
  const std::size_t page = page_of(term, pages);
  const Bytes plain = TRY(part(group.page_offset(page), group.page_lengths[page]));
  return events::look_up(plain, term, pages, group.blocks.size());
}

Result<FileReader::Rows> FileReader::rows(const Group& group) {
  Rows out;
  for (std::size_t number = 0; number < group.blocks.size(); ++number) {
    out.blocks.push_back(TRY(block(group, number)));
    Block& block = *out.blocks.back();
    TRY(add_messages(group, number, block));
    TRY(add_fields(group, number, block));
    for (std::size_t i = 0; i < block.meta.size(); ++i) out.rows.push_back(block.row(i));
  }
  std::ranges::sort(out.rows, {}, &Row::at);
  return out;
}

// ---- writing

Result<std::unique_ptr<FileWriter>> FileWriter::create(os::Files& files, const std::string& path,
                                                       const FileName& name, const Key& key,
                                                       std::uint64_t events) {
  std::unique_ptr<FileWriter> out(new FileWriter(files, path));
  out->file_ = TRY(files.open(path + ".tmp", os::Open::create));
  TRY(out->file_->truncate(0));
  out->key_ = TRY(crypto::AeadKey::make(key.view()));
  out->buffer_ = encode_file_header({name, key.id});
  if (events > 0) {
    const std::uint64_t groups = (events + kGroupEvents - 1) / kGroupEvents;
    out->group_events_ = static_cast<std::size_t>((events + groups - 1) / groups);
  }
  return out;
}

FileWriter::~FileWriter() {
  if (!published_) static_cast<void>(files_.remove(path_ + ".tmp"));
}

Status FileWriter::add(const Row& row) {
  assert(rows_.empty() || rows_.back().at < row.at);
  rows_.push_back(row);
  rows_bytes_ += row.text_bytes();
  ++events_;
  return rows_.size() < group_events_ && rows_bytes_ < kGroupTextBytesMax ? Status{} : end_group();
}

Result<std::uint32_t> FileWriter::put_packed(View packed) {
  const std::size_t before = buffer_.size();
  TRY(key_->seal(block_nonce(written_ + before), {}, packed, buffer_));
  return static_cast<std::uint32_t>(buffer_.size() - before);
}

Result<std::uint32_t> FileWriter::put_part(View plain) {
  return put_packed(compressor_.pack(plain, kLevel));
}

Result<BlockHead> FileWriter::put_block(RowPointers rows) {
  BlockHead head = describe_block(rows);
  const Parts parts = encode_block(rows);
  head.meta_length = TRY(put_part(parts.meta));
  head.messages_length = TRY(put_part(parts.messages));
  head.fields_length = TRY(put_part(parts.fields));
  for (const Row* row : rows) each_term(*row, [&](std::uint64_t term) { filter_.add(term); });
  filter_.end_block();
  return head;
}

Status FileWriter::end_group() {
  if (rows_.empty()) return {};
  std::vector<const Row*> order;
  for (const Row& row : rows_) order.push_back(&row);
  Group group = describe(order);
  group.offset = written_ + buffer_.size();
  std::ranges::sort(order, {}, [](const Row* row) { return std::tie(row->device, row->at); });
  const RowPointers all(order);
  for (std::size_t start = 0; start < all.size(); start += kBlockEvents) {
    group.blocks.push_back(
        TRY(put_block(all.subspan(start, std::min(kBlockEvents, all.size() - start)))));
  }
  for (const Bytes& page : filter_.take_pages()) {
    Bytes packed{0};  // its bits do not compress
    append(packed, page);
    group.page_lengths.push_back(TRY(put_packed(packed)));
  }
  groups_.push_back(std::move(group));
  rows_.clear();
  rows_bytes_ = 0;
  // What was held last may hold rows still to come.
  if (held_.size() > 1) held_.erase(held_.begin(), held_.end() - 1);
  return flush(kWriteBytes);
}

Status FileWriter::copy(FileReader& from, const Group& group) {
  TRY(end_group());
  Group copied = group;
  copied.offset = written_ + buffer_.size();
  std::uint64_t offset = group.offset;
  const auto copy_part = [&](std::uint32_t length) -> Status {
    TRY(put_packed(TRY(from.packed(offset, length))));
    offset += length;
    return {};
  };
  for (const BlockHead& head : group.blocks) {
    for (const std::uint32_t length : {head.meta_length, head.messages_length, head.fields_length})
      TRY(copy_part(length));
  }
  for (const std::uint32_t length : group.page_lengths) TRY(copy_part(length));
  events_ += group.events();
  groups_.push_back(std::move(copied));
  return flush(kWriteBytes);
}

Status FileWriter::flush(std::size_t keep_below) {
  if (buffer_.size() < keep_below || buffer_.empty()) return {};
  TRY(file_->write_at(written_, buffer_));
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

Status FileWriter::publish() {
  TRY(end_group());
  Trailer trailer;
  trailer.directory_offset = written_ + buffer_.size();
  trailer.directory_length = TRY(put_part(encode_directory(groups_)));
  trailer.groups = static_cast<std::uint32_t>(groups_.size());
  trailer.events = events_;
  append(buffer_, encode_trailer(trailer));
  TRY(flush(0));
  TRY(file_->sync());
  TRY(files_.rename(path_ + ".tmp", path_));
  published_ = true;
  return {};
}

}  // namespace holdfast::events
