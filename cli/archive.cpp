#include "cli/archive.hpp"

#include <algorithm>

#include "libs/wire/json.hpp"

namespace holdfast::cli {
namespace {

constexpr std::string_view kComplete = "COMPLETE";

std::unexpected<Error> incomplete(std::string_view why) {
  return fail(Code::backup_incomplete, "The archive is not whole: " + std::string(why) + '.');
}

bool zeros(View bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

void ArchiveReader::hash(View bytes) {
  hasher_.update(bytes);
  bytes_ += bytes.size();
}

// Appends to gathered_ until it has `whole` bytes; answers how many were taken.
std::size_t ArchiveReader::gather(View bytes, std::size_t whole) {
  const std::size_t took = std::min(bytes.size(), whole - gathered_.size());
  append(gathered_, bytes.first(took));
  return took;
}

Status ArchiveReader::feed(View bytes) {
  while (!bytes.empty()) bytes = bytes.subspan(TRY(step(bytes)));
  return {};
}

Result<std::size_t> ArchiveReader::step(View bytes) {
  switch (state_) {
    case State::header: {
      const std::size_t took = gather(bytes, wire::kTarBlock);
      if (gathered_.size() == wire::kTarBlock) TRY(header());
      return took;
    }
    case State::pax: {
      const std::size_t took = gather(bytes, static_cast<std::size_t>(left_) + padding_);
      if (gathered_.size() < left_ + padding_) return took;
      hash(gathered_);
      TRY(headers_.extend(View(gathered_).first(static_cast<std::size_t>(left_))));
      gathered_.clear();
      state_ = State::header;
      return took;
    }
    case State::content: {
      const View part =
          bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
      hash(part);
      if (on_content) TRY(on_content(part));
      left_ -= part.size();
      if (left_ > 0) return part.size();
      if (on_end) TRY(on_end());
      state_ = padding_ > 0 ? State::padding : State::header;
      return part.size();
    }
    case State::padding: {
      const View part = bytes.first(std::min(padding_, bytes.size()));
      hash(part);
      padding_ -= part.size();
      if (padding_ == 0) state_ = State::header;
      return part.size();
    }
    case State::complete: {
      const std::size_t took = gather(bytes, static_cast<std::size_t>(left_));
      if (gathered_.size() < left_) return took;
      complete_ = std::exchange(gathered_, {});
      state_ = State::complete_padding;
      return took;
    }
    case State::complete_padding: {
      const std::size_t took = std::min(padding_, bytes.size());
      padding_ -= took;
      if (padding_ == 0) state_ = State::over;
      if (took > 0 && zeros(bytes.first(took))) return took;
      break;
    }
    case State::over:
      break;
  }
  // What follows COMPLETE is the end of the tar: zeros.
  if (!zeros(bytes)) return incomplete("something follows its end");
  return bytes.size();
}

Status ArchiveReader::header() {
  const Bytes block = std::exchange(gathered_, {});
  const auto next = TRY(headers_.next(block));
  switch (next.kind) {
    case wire::TarHeaders::Kind::end:
      return incomplete("it ends without COMPLETE");
    case wire::TarHeaders::Kind::more:
      if (next.member.size > kArchiveHeaderMax)
        return fail(Code::corrupt, "A header of the archive is too long.");
      hash(block);
      left_ = next.member.size;
      padding_ = wire::tar_padding(left_);
      state_ = State::pax;
      return {};
    case wire::TarHeaders::Kind::file:
      break;
  }
  if (next.member.name != kComplete) {
    hash(block);
    return begin_file(next.member);
  }
  if (next.member.size > kArchiveHeaderMax) return incomplete("its end is too long");
  left_ = next.member.size;
  padding_ = wire::tar_padding(left_);
  state_ = left_ > 0 ? State::complete : State::complete_padding;
  return {};
}

Status ArchiveReader::begin_file(const wire::TarMember& member) {
  if (!wire::safe_tar_name(member.name)) {
    return fail(Code::corrupt, "The archive has a member whose name leads elsewhere.");
  }
  ++members_;
  if (on_member) TRY(on_member(member.name, member.size));
  left_ = member.size;
  padding_ = wire::tar_padding(left_);
  state_ = State::content;
  if (left_ > 0) return {};
  state_ = State::header;
  return on_end ? on_end() : Status{};
}

Result<ArchiveInfo> ArchiveReader::end() {
  if (state_ != State::over && !(state_ == State::complete_padding && padding_ == 0)) {
    return incomplete("it was cut short");
  }
  const wire::Json json = TRY(with_context(wire::parse_json(complete_), "reading COMPLETE"));
  const auto& object = *TRY(wire::as_object(json));
  ArchiveInfo info;
  info.backup_id = TRY(wire::get_string(object, "backup_id"));
  info.created_at = TRY(wire::get_string(object, "created_at"));
  info.version = TRY(wire::get_string(object, "version"));
  info.members = members_;
  info.bytes = bytes_;
  if (TRY(wire::get_string(object, "sha256")) != to_hex(hasher_.finish())) {
    return incomplete("its digest does not fit: something in it was changed");
  }
  if (TRY(wire::get_int(object, "members")) != static_cast<std::int64_t>(members_) ||
      TRY(wire::get_int(object, "bytes")) != static_cast<std::int64_t>(bytes_)) {
    return incomplete("members are missing");
  }
  return info;
}

}  // namespace holdfast::cli
