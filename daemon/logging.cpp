#include "daemon/logging.h"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "web/server.h"

namespace runbookd::daemon {
namespace {

bool as_json = false;

// Whoever gives a reason writes neither lines of his own nor to somebody's terminal.
std::string in_one_line(std::string const& text) {
  constexpr auto digits = "0123456789abcdef";
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters, too
    bool const second = i > 0 && text[i - 1] == '\xc2' && c >= 0x80 && c < 0xa0;
    if (c >= 0x20 && c != 0x7f && !second) {
      line += text[i];
      continue;
    }
    line += {'\\', 'x', digits[c / 16], digits[c % 16]};
  }
  return line;
}

std::string human(std::string const& message, LogFields const& fields) {
  auto text = message;
  for (auto const& [name, value] : fields) {
    if (!value.empty()) {
      text += " " + name + "=" + value;
    }
  }
  return in_one_line(text);
}

std::string json_line(spdlog::level::level_enum level, std::string const& message,
                      LogFields const& fields) {
  auto const name = spdlog::level::to_string_view(level);
  nlohmann::json line{{"level", std::string{name.data(), name.size()}}, {"message", message}};
  for (auto const& [field, value] : fields) {
    if (!value.empty()) {
      line[field] = value;
    }
  }
  auto const text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.substr(1);  // the pattern has opened the object with the time
}

void write(spdlog::level::level_enum level, std::string const& message, LogFields const& fields) {
  if (!spdlog::should_log(level)) {
    return;
  }
  spdlog::log(level, "{}", as_json ? json_line(level, message, fields) : human(message, fields));
}

std::string failure_of(planner::EventBody const& body) {
  if (auto const* failed = std::get_if<planner::StepFailed>(&body)) {
    return failed->failure.message;
  }
  if (auto const* retry = std::get_if<planner::StepRetryScheduled>(&body)) {
    return retry->failure.message;
  }
  if (auto const* baselines = std::get_if<planner::BaselinesFailed>(&body)) {
    return baselines->failure.message;
  }
  if (auto const* lost = std::get_if<planner::OutcomeLost>(&body)) {
    return lost->why;
  }
  if (auto const* interrupted = std::get_if<planner::StepInterrupted>(&body)) {
    return interrupted->why;
  }
  return "";
}

}  // namespace

void start_logging(config::LogSettings const& settings) {
  as_json = settings.format == config::LogFormat::json;
  auto logger = std::make_shared<spdlog::logger>("runbookd",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_level(spdlog::level::from_str(settings.level == "warning" ? "warn" : settings.level));
  logger->set_pattern(
      as_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)" : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void log_info(std::string const& message, LogFields const& fields) {
  write(spdlog::level::info, message, fields);
}
void log_warning(std::string const& message, LogFields const& fields) {
  write(spdlog::level::warn, message, fields);
}
void log_error(std::string const& message, LogFields const& fields) {
  write(spdlog::level::err, message, fields);
}

void log_event(planner::RunId const& run, planner::Event const& event, std::string const& label) {
  auto const why = failure_of(event.body);
  auto const level = why.empty() ? spdlog::level::info : spdlog::level::warn;
  write(level, std::string{planner::kind_of(event.body)},
        {{"run", run.text},
         {"step", label},
         {"actor", event.actor},
         {"reason", event.reason},
         {"why", why}});
}

void log_access(web::AccessLine const& line) {
  write(spdlog::level::debug, "request",
        {{"method", line.method},
         {"target", line.target},
         {"actor", line.actor},
         {"status", std::to_string(line.status)},
         {"took_us", std::to_string(line.took.count())}});
}

}  // namespace runbookd::daemon
