// The few pages for people: no script, nothing fetched from elsewhere.
#include "web/problem.h"

namespace runbookd::web {

using planner::ErrorCode;

namespace {

constexpr std::string_view style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"
    "code,pre{font:14px/1.5 ui-monospace,monospace}"
    ":root{color-scheme:light dark}";

Response page_of(ErrorCode code) {
  auto const kind = problem_kind(code);
  std::string const slug(planner::to_slug(code));
  auto const body = "<p><code>" + slug + "</code>, status " + std::to_string(kind.status) +
                    "</p><h2>What it means</h2><p>" + html_escaped(kind.meaning) +
                    "</p><h2>What to do</h2><p>" + html_escaped(kind.advice) + "</p>";
  return html_page(kind.title, body);
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Response html_page(std::string_view title, std::string_view body) {
  auto const heading = html_escaped(title);
  Response response{.content_type = "text/html; charset=utf-8"};
  response.body = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                  heading + "</title><style>" + std::string(style) + "</style></head><body><h1>" +
                  heading + "</h1>" + std::string(body) + "</body></html>\n";
  response.headers.push_back({"Content-Security-Policy",
                              "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors "
                              "'none'; base-uri 'none'; form-action 'none'"});
  return response;
}

std::optional<Response> problem_page(std::string_view slug) {
  for (auto const code : all_problems()) {
    if (planner::to_slug(code) == slug) {
      return page_of(code);
    }
  }
  return std::nullopt;
}

}  // namespace runbookd::web
