#include "server/store/events/file.hpp"

#include <cassert>
#include <charconv>
#include <cstdio>

#include "server/store/series/file.hpp"

namespace holdfast::events {
namespace {

constexpr std::string_view kMagic = "HFEVTS01";
constexpr std::string_view kEndMagic = "HFEEND01";
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
  store_le(out, trailer.index_offset);
  store_le(out, trailer.index_length);
  store_le(out, trailer.blocks);
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
  out->index_ =
      TRY(decode_index(TRY(reader->part(out->trailer_.index_offset, out->trailer_.index_length)),
                       out->trailer_.blocks));
  return out;
}

EventFile::~EventFile() {
  if (obsolete_) static_cast<void>(files_.remove(path_));
}

Result<std::unique_ptr<FileReader>> FileReader::make(const EventFile& file) {
  return std::unique_ptr<FileReader>(
      new FileReader(file, TRY(crypto::AeadKey::make(file.secret_.view()))));
}

Result<Bytes> FileReader::part(std::uint64_t offset, std::uint32_t length) {
  if (offset > file_.bytes_ || length > file_.bytes_ - offset)
    return fail(Code::corrupt, "a part lies outside of its file");
  const Bytes sealed = TRY(file_.file_->read_at(offset, length));
  Bytes packed;
  TRY(key_->open(block_nonce(offset), {}, sealed, packed));
  return compressor_.unpack(packed, kPartBytesMax);
}

Result<Meta> FileReader::meta(const IndexEntry& entry) {
  return decode_meta(TRY(part(entry.offset, entry.meta_length)), entry.count);
}
Result<Bytes> FileReader::messages(const IndexEntry& entry) {
  return part(entry.offset + entry.meta_length, entry.messages_length);
}
Result<Bytes> FileReader::fields(const IndexEntry& entry) {
  return part(entry.offset + entry.meta_length + entry.messages_length, entry.fields_length);
}

Result<std::vector<Row>> FileReader::rows(const IndexEntry& entry) {
  const Meta meta_part = TRY(meta(entry));
  const Bytes messages_part = TRY(messages(entry));
  const Bytes fields_part = TRY(fields(entry));
  const auto messages_of = TRY(decode_texts(messages_part, entry.count));
  const auto fields_of = TRY(decode_texts(fields_part, entry.count));
  std::vector<Row> out;
  out.reserve(entry.count);
  for (std::size_t i = 0; i < entry.count; ++i)
    out.push_back(make_row(meta_part, i, messages_of[i], fields_of[i]));
  return out;
}

Row make_row(const Meta& meta, std::size_t i, std::string_view message, std::string_view fields) {
  Row row;
  row.at = meta.at[i];
  row.subject = meta.subjects[meta.subject[i]];
  row.event.received = {meta.received[i]};
  row.event.time = {meta.time[i]};
  row.event.claimed = {meta.claimed[i]};
  row.event.id = event_id(row.event.received, row.at);
  row.event.time_source = static_cast<TimeSource>(meta.source[i]);
  row.event.severity = static_cast<Severity>(meta.severity[i]);
  row.event.device = meta.devices[meta.device[i]];
  row.event.kind = meta.kinds[meta.kind[i]];
  row.event.message = message;
  row.encoded_fields = bytes_of(fields);
  return row;
}

// ---- writing

Result<std::unique_ptr<FileWriter>> FileWriter::create(os::Files& files, const std::string& path,
                                                       const FileName& name, const Key& key) {
  std::unique_ptr<FileWriter> out(new FileWriter(files, path));
  out->file_ = TRY(files.open(path + ".tmp", os::Open::create));
  TRY(out->file_->truncate(0));
  out->key_ = TRY(crypto::AeadKey::make(key.view()));
  out->buffer_ = encode_file_header({name, key.id});
  return out;
}

FileWriter::~FileWriter() {
  if (!published_) static_cast<void>(files_.remove(path_ + ".tmp"));
}

Status FileWriter::add(Row row) {
  assert(rows_.empty() || rows_.back().at < row.at);
  rows_.push_back(std::move(row));
  ++events_;
  return rows_.size() < kBlockEvents ? Status{} : end_block();
}

Result<std::uint32_t> FileWriter::put_part(View plain) {
  const std::size_t before = buffer_.size();
  TRY(key_->seal(block_nonce(written_ + before), {}, compressor_.pack(plain, kLevel), buffer_));
  return static_cast<std::uint32_t>(buffer_.size() - before);
}

Status FileWriter::end_block() {
  if (rows_.empty()) return {};
  IndexEntry entry = describe(rows_);
  const Parts parts = encode_block(rows_);
  rows_.clear();
  entry.offset = written_ + buffer_.size();
  entry.meta_length = TRY(put_part(parts.meta));
  entry.messages_length = TRY(put_part(parts.messages));
  entry.fields_length = TRY(put_part(parts.fields));
  index_.push_back(entry);
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
  TRY(end_block());
  Trailer trailer;
  trailer.index_offset = written_ + buffer_.size();
  trailer.index_length = TRY(put_part(encode_index(index_)));
  trailer.blocks = static_cast<std::uint32_t>(index_.size());
  trailer.events = events_;
  append(buffer_, encode_trailer(trailer));
  TRY(flush(0));
  TRY(file_->sync());
  TRY(files_.rename(path_ + ".tmp", path_));
  published_ = true;
  return {};
}

}  // namespace holdfast::events
