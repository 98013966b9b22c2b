#include "deploy/demo/load_statistics.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <ctime>
#include <sstream>

namespace runbookd::demo {
namespace {

constexpr auto slow_limit = std::chrono::milliseconds(200);

double milliseconds(std::chrono::microseconds span) {
  return static_cast<double>(span.count()) / 1000;
}

std::string fixed(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

std::string utc(std::chrono::system_clock::time_point moment) {
  auto const whole = std::chrono::system_clock::to_time_t(moment);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string quoted(std::string const& text) {
  std::string result = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + '"';
}

std::string object(std::map<std::string, std::uint64_t> const& counts) {
  std::string members;
  for (auto const& [name, count] : counts) {
    members += (members.empty() ? "" : ", ") + quoted(name) + ": " + std::to_string(count);
  }
  return "{" + members + "}";
}

}  // namespace

void LoadStatistics::record(Transaction const& transaction) {
  std::lock_guard const lock(mutex_);
  ++count_;
  ++buckets_[bucket_of(transaction.took)];
  slow_ += transaction.took > slow_limit ? 1 : 0;
  if (transaction.took > longest_.took) {
    longest_ = transaction;
  }
  if (!transaction.sqlstate.empty()) {
    ++errors_[transaction.sqlstate];
    last_error_ = transaction.message;
  }
}

std::string LoadStatistics::summary(std::string const& version) const {
  std::lock_guard const lock(mutex_);
  std::uint64_t errors = 0;
  for (auto const& [_, count] : errors_) {
    errors += count;
  }
  std::ostringstream json;
  json << "{\n  \"app_version\": " << quoted(version) << ",\n  \"transactions\": " << count_
       << ",\n  \"errors\": " << errors << ",\n  \"errors_by_sqlstate\": " << object(errors_)
       << ",\n  \"last_error\": " << quoted(last_error_)
       << ",\n  \"p50_ms\": " << fixed(percentile_ms(0.50))
       << ",\n  \"p99_ms\": " << fixed(percentile_ms(0.99))
       << ",\n  \"longest_ms\": " << fixed(milliseconds(longest_.took))
       << ",\n  \"longest_kind\": " << quoted(longest_.kind)
       << ",\n  \"longest_at\": " << quoted(count_ == 0 ? "" : utc(longest_.due))
       << ",\n  \"longer_than_200_ms\": " << slow_ << "\n}\n";
  return json.str();
}

std::size_t LoadStatistics::bucket_of(std::chrono::microseconds took) {
  auto const value = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
  if (value < buckets_per_power) {
    return value;
  }
  auto const shift = std::bit_width(value) - std::bit_width(buckets_per_power);
  return shift * buckets_per_power + (value >> shift);
}

double LoadStatistics::upper_bound_ms(std::size_t bucket) {
  if (bucket < buckets_per_power) {
    return static_cast<double>(bucket) / 1000;
  }
  auto const shift = bucket / buckets_per_power - 1;
  auto const within = bucket - shift * buckets_per_power;
  return static_cast<double>((within + 1) << shift) / 1000;
}

double LoadStatistics::percentile_ms(double share) const {
  auto const wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen > wanted) {
      return std::min(upper_bound_ms(bucket), milliseconds(longest_.took));
    }
  }
  return 0;
}

}  // namespace runbookd::demo
