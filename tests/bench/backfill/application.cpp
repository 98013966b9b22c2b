#include "tests/bench/backfill/application.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>

#include <libpq-fe.h>

namespace runbookd::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int connections = 4;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void ask(PGconn* connection, char const* sql, std::string const& id) {
  char const* const values[] = {id.c_str()};
  auto* result = PQexecParams(connection, sql, 1, nullptr, values, nullptr, nullptr, 0);
  auto const status = PQresultStatus(result);
  PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQerrorMessage(connection));
  }
}

constexpr std::array colours{"#b22222", "#d2691e", "#1e66b2", "#2e8b57", "#6a3fa0", "#444444"};
constexpr double width = 1'000, height = 420, left = 70, bottom = 50;

// Latencies go over powers of ten, from 0.1 ms to 10 s.
double y_of(double ms) {
  auto const share = (std::log10(std::clamp(ms, 0.1, 10'000.0)) + 1) / 5;
  return height - bottom - share * (height - bottom - 20);
}

void draw_axes(std::ostringstream& out, double seconds) {
  for (double const ms : {0.1, 1.0, 10.0, 100.0, 1'000.0, 10'000.0}) {
    out << "<line x1='" << left << "' x2='" << width << "' y1='" << y_of(ms) << "' y2='" << y_of(ms)
        << "' stroke='#ddd'/><text x='8' y='" << y_of(ms) + 4 << "'>" << ms << " ms</text>";
  }
  out << "<text x='" << left << "' y='" << height - 30 << "'>0 s</text><text x='" << width - 60
      << "' y='" << height - 30 << "'>" << std::lround(seconds) << " s</text>";
}

}  // namespace

Application::Application(std::string const& dsn, long users, double rate) {
  for (unsigned lane = 0; lane < connections && rate > 0; ++lane) {
    lanes_.emplace_back([=, this] { work(dsn, users, rate / connections, lane + 1); });
  }
}

Application::~Application() { (void)latencies(); }

std::vector<Latency> Application::latencies() {
  over_ = true;
  for (auto& lane : lanes_) {
    lane.join();
  }
  lanes_.clear();
  return std::move(seen_);
}

// What is due while the one before is under way waits, and its wait counts.
void Application::work(std::string const& dsn, long users, double rate, unsigned seed) {
  auto* connection = PQconnectdb((dsn + " application_name=application").c_str());
  std::minstd_rand chance(seed);
  auto const apart =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate));
  for (auto due = Clock::now(); !over_; due += apart) {
    std::this_thread::sleep_until(due);
    auto const id = std::to_string(1 + static_cast<long>(chance()) % users);
    ask(connection, "SELECT email, org_id FROM users WHERE id = $1", id);
    ask(connection, "UPDATE users SET last_seen = now() WHERE id = $1", id);
    std::lock_guard const lock(mutex_);
    seen_.push_back({.at = seconds_since(began_), .ms = seconds_since(due) * 1'000});
  }
  PQfinish(connection);
}

double share_of(std::vector<double> values, double share) {
  if (values.empty()) {
    return 0;
  }
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

std::string svg_of(std::vector<Curve> const& curves) {
  double seconds = 1;
  for (auto const& curve : curves) {
    for (auto const& point : curve.points) {
      seconds = std::max(seconds, point.at);
    }
  }
  std::ostringstream out;
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << width << "' height='" << height
      << "' font-family='sans-serif' font-size='12'><rect width='100%' height='100%' "
         "fill='white'/>";
  draw_axes(out, seconds);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    std::map<long, double> worst;
    for (auto const& point : curves[i].points) {
      auto& here = worst[std::lround(std::floor(point.at))];
      here = std::max(here, point.ms);
    }
    out << "<polyline fill='none' stroke-width='1.5' stroke='" << colours[i % colours.size()]
        << "' points='";
    for (auto const& [second, ms] : worst) {
      out << left + static_cast<double>(second) / seconds * (width - left) << "," << y_of(ms)
          << " ";
    }
    out << "'/><text x='" << left + 10 + 180 * static_cast<double>(i) << "' y='" << height - 8
        << "' fill='" << colours[i % colours.size()] << "'>" << curves[i].name << "</text>";
  }
  out << "<text x='" << left << "' y='14'>longest transaction of the application in each second"
      << "</text></svg>\n";
  return out.str();
}

}  // namespace runbookd::bench
