#include "server/store/journal/windows.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::journal {
namespace {

constexpr std::size_t kBodyTarget = 128 * 1024;
constexpr std::uint32_t kRewriteSlack = 256 * 1024;
constexpr std::string_view kFilePrefix = "windows.";
constexpr int kEvictionSample = 8;

// Groups entries by session into bodies of window records.
class BodyWriter {
 public:
  void add(std::uint64_t session, const std::vector<std::uint64_t>& packed) {
    if (packed.empty()) return;
    store_le(body_, session);
    put_varint(body_, packed.size());
    for (const std::uint64_t entry : packed) store_le(body_, entry);
    if (body_.size() >= kBodyTarget) finish();
  }
  std::vector<Bytes> take() {
    finish();
    return std::move(bodies_);
  }

 private:
  void finish() {
    if (!body_.empty()) bodies_.push_back(std::move(body_));
    body_ = {};
  }
  Bytes body_;
  std::vector<Bytes> bodies_;
};

}  // namespace

Entry entry_of(const Delivery& delivery) {
  return {delivery.session, delivery.packet | delivery.hash << 16};
}

void Windows::add(const Entry& entry) {
  if (sessions_.size() >= sessions_max_ && !sessions_.contains(entry.session)) evict_one();
  Session& session = sessions_[entry.session];
  session.used = ++additions_;
  if (std::ranges::find(session.ring, entry.packed) != session.ring.end()) return;
  if (session.ring.size() < kWindowMax) {
    session.ring.push_back(entry.packed);
    return;
  }
  session.ring[session.oldest] = entry.packed;
  session.oldest = static_cast<std::uint8_t>((session.oldest + 1) % kWindowMax);
}

bool Windows::has(const Entry& entry) const {
  const auto session = sessions_.find(entry.session);
  return session != sessions_.end() &&
         std::ranges::find(session->second.ring, entry.packed) != session->second.ring.end();
}

std::size_t Windows::entries_of(const Session* only) const {
  if (only != nullptr) return only->ring.size();
  std::size_t sum = 0;
  for (const auto& [id, session] : sessions_) sum += session.ring.size();
  return sum;
}

// The idlest of a few: enough to keep busy sessions, without a list of all by age.
void Windows::evict_one() {
  auto at = sessions_.begin();
  auto idlest = at;
  for (int i = 0; i < kEvictionSample && at != sessions_.end(); ++i, ++at) {
    if (additions_ - at->second.used > additions_ - idlest->second.used) idlest = at;
  }
  if (idlest == sessions_.end()) return;
  sessions_.erase(idlest);
  ++evicted_;
}

std::vector<Bytes> Windows::encode_all() const {
  BodyWriter out;
  for (const auto& [id, session] : sessions_) {
    std::vector<std::uint64_t> packed(session.ring);
    std::ranges::rotate(packed, packed.begin() + session.oldest);
    out.add(id, packed);
  }
  return out.take();
}

std::vector<Bytes> Windows::encode(const std::vector<Entry>& entries) const {
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> alive;
  for (const Entry& entry : entries) {
    if (has(entry)) alive[entry.session].push_back(entry.packed);
  }
  BodyWriter out;
  for (const auto& [id, packed] : alive) out.add(id, packed);
  return out.take();
}

Status Windows::decode(View body) {
  ByteReader in(body);
  while (!in.done()) {
    const std::uint64_t session = TRY(in.le<std::uint64_t>());
    const std::uint64_t count = TRY(in.varint());
    if (count > in.left() / 8) return fail(Code::corrupt, "a resend window ends early");
    for (std::uint64_t i = 0; i < count; ++i) add({session, TRY(in.le<std::uint64_t>())});
  }
  return {};
}

std::string WindowFile::path(std::uint64_t number) const {
  return os::join(folder_, std::string(kFilePrefix) + std::to_string(number));
}

Status WindowFile::load(Windows& windows) {
  std::vector<std::uint64_t> numbers;
  for (const os::Entry& entry : TRY(system_.files.list(folder_))) {
    if (!entry.name.starts_with(kFilePrefix)) continue;
    const std::string_view digits = std::string_view(entry.name).substr(kFilePrefix.size());
    std::uint64_t number = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (end.ec == std::errc{} && end.ptr == digits.data() + digits.size())
      numbers.push_back(number);
  }
  std::ranges::sort(numbers, std::greater{});
  for (const std::uint64_t number : numbers) {
    number_ = std::max(number_, number);
    KeyId key = 0;
    if (current_ == 0) {
      // One that cannot be read stays: the disk may have a better day.
      if (read(number, windows, key)) {
        key_ = key;
        current_ = number;
      }
    } else {
      TRY(remove(number, key_of(number)));
    }
  }
  return {};
}

KeyId WindowFile::key_of(std::uint64_t number) const {
  const auto file = system_.files.open(path(number), os::Open::read);
  if (!file) return 0;
  const auto head = (*file)->read_at(0, kSegmentHeaderBytes);
  if (!head) return 0;
  const auto header = decode_header(*head);
  return header ? header->key : 0;
}

Status WindowFile::read(std::uint64_t number, Windows& windows, KeyId& key) {
  const auto file = TRY(system_.files.open(path(number), os::Open::read));
  const SegmentHeader header = TRY(decode_header(TRY(file->read_at(0, kSegmentHeaderBytes))));
  key = header.key;
  FrameCipher cipher = TRY(FrameCipher::make(header.number, TRY(keys_.get(header.key)).view()));
  Status decoded;
  const Scan scan =
      TRY(scan_segment(*file, cipher, kSegmentHeaderBytes, std::nullopt, [&](Frame frame) {
        static_cast<void>(for_each_record(frame.plain, {}, [&](const Stored& record) {
          if (record.kind == Kind::window) decoded = windows.decode(record.body);
          return decoded.has_value();
        }));
        return decoded.has_value();
      }));
  snapshot_bytes_ = scan.length;
  return decoded;
}

Status WindowFile::remove(std::uint64_t number, KeyId key) {
  if (key != 0) TRY(keys_.destroy(key));
  return system_.files.remove(path(number));
}

Status WindowFile::write(const std::vector<Bytes>& bodies) {
  for (const Bytes& body : bodies) {
    RecordWriter record;
    Record window;
    window.kind = Kind::window;
    window.body = body;
    record.add(window, system_.clock.wall());
    TRY(writer_->stage(record.take(), 1));
  }
  return writer_->commit(true);
}

Status WindowFile::carry(const std::vector<Bytes>& entries,
                         const std::function<std::vector<Bytes>()>& snapshot) {
  if (entries.empty()) return {};
  const bool grown = writer_ && writer_->length() > 2 * snapshot_bytes_ + kRewriteSlack;
  if (!writer_ || grown) return rewrite(snapshot());
  auto written = write(entries);
  // After an error the file's tail is unknown: the next time begins a new one.
  if (!written) writer_.reset();
  return written;
}

// The new file gets its name when all of it is on disk; until then the old one counts.
Status WindowFile::rewrite(const std::vector<Bytes>& snapshot) {
  const std::uint64_t old_number = current_;
  const KeyId old_key = key_;
  const Key key = TRY(keys_.create(kJournalPurpose));
  SegmentHeader header;
  header.number = number_ + 1;
  header.key = key.id;
  header.created = system_.clock.wall();
  const std::string temporary = path(header.number) + ".tmp";
  writer_ = nullptr;
  auto made = [&]() -> Status {
    writer_ = TRY(SegmentWriter::create(system_.files, temporary, header, key, 0));
    TRY(write(snapshot));
    TRY(system_.files.rename(temporary, path(header.number)));
    return system_.files.sync_dir(folder_);
  }();
  if (!made) {
    writer_ = nullptr;
    ++number_;  // that name may be on disk already: never write it again
    return made;
  }
  number_ = header.number;
  current_ = number_;
  key_ = key.id;
  snapshot_bytes_ = writer_->length();
  return old_number == 0 ? Status{} : remove(old_number, old_key);
}

}  // namespace holdfast::journal
