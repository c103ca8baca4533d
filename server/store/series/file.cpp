#include "server/store/series/file.hpp"

#include "libs/crypto/hash.hpp"

namespace holdfast::series {
Result<Bytes> unit_key(const Key& subject_key, const Salt& salt) {
  return crypto::hkdf(crypto::Digest::sha256, subject_key.view(), salt,
                      view_of("holdfast series 1"), crypto::kAeadKeyBytes);
}

std::array<std::uint8_t, crypto::kAeadNonceBytes> block_nonce(std::uint64_t offset) {
  std::array<std::uint8_t, crypto::kAeadNonceBytes> nonce{};
  for (unsigned i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(offset >> (8 * i));
  return nonce;
}

Result<FilePtr> SeriesFile::open(os::Files& files, const std::string& path, const FileName& name) {
  FilePtr out(new SeriesFile(files, path));
  out->file_ = TRY(files.open(path, os::Open::read));
  out->bytes_ = TRY(out->file_->size());
  out->header_ = TRY(decode_file_header(TRY(out->file_->read_at(0, kFileHeaderBytes))));
  if (out->header_.name != name) return fail(Code::corrupt, "the file's header names another file");
  if (out->bytes_ < kFileHeaderBytes + kTrailerBytes)
    return fail(Code::corrupt, "the file is too short");
  out->trailer_ = TRY(decode_trailer(TRY(out->read(out->bytes_ - kTrailerBytes, kTrailerBytes))));
  const std::uint64_t footer_bytes = std::uint64_t{out->trailer_.units} * kUnitBytes;
  if (out->trailer_.footer_offset + footer_bytes + kTrailerBytes != out->bytes_)
    return fail(Code::corrupt, "the file's parts do not fit");
  return out;
}

SeriesFile::~SeriesFile() {
  // What is not removed now is seen to be superseded at the next start.
  if (obsolete_) static_cast<void>(files_.remove(path_));
}

Result<Bytes> SeriesFile::read(std::uint64_t offset, std::size_t size) const {
  if (offset > bytes_ || size > bytes_ - offset)
    return fail(Code::corrupt, "a block lies outside of its file");
  Bytes out = TRY(file_->read_at(offset, size));
  if (out.size() != size) return fail(Code::corrupt, "the file ends early");
  return out;
}

Result<std::vector<Unit>> SeriesFile::footer() const {
  return decode_footer(TRY(read(trailer_.footer_offset, std::size_t{trailer_.units} * kUnitBytes)),
                       trailer_);
}

Result<std::shared_ptr<const OpenUnit>> SeriesFile::open_unit(const Unit& unit, KeySource& keys,
                                                              Compressor& compressor) const {
  auto out = std::make_shared<OpenUnit>();
  out->unit = unit;
  out->key = TRY(unit_key(TRY(keys.get(unit.key)), header_.salt));
  const auto reader = TRY(BlockReader::make(*this, *out, compressor));
  out->directory =
      TRY(decode_directory(TRY(reader->read({unit.directory_offset, unit.directory_length, {}}))));
  return out;
}

Result<std::unique_ptr<BlockReader>> BlockReader::make(const SeriesFile& file, const OpenUnit& unit,
                                                       Compressor& compressor) {
  return std::unique_ptr<BlockReader>(
      new BlockReader(file, TRY(crypto::AeadKey::make(unit.key)), compressor));
}

Result<Bytes> BlockReader::read(const Ref& ref) {
  if (!ref.inlined.empty()) return ref.inlined;
  const Bytes sealed = TRY(file_.read(ref.offset, ref.length));
  Bytes packed;
  TRY(key_->open(block_nonce(ref.offset), {}, sealed, packed));
  return compressor_.unpack(packed, kBlockBytesMax);
}

Result<Times> BlockReader::times(const GroupInfo& group) {
  return decode_times(TRY(read(group.times)), group.rows);
}

Result<Column> BlockReader::column(const GroupInfo& group, const ColumnInfo& column) {
  return decode_column(TRY(read(column.ref)), group.rows, column.values);
}

}  // namespace holdfast::series
