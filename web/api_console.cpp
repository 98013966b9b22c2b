// The pages of the web console. Each carries the API's own answers to what it asks first, so that
// it stands without a second round trip; from then on it speaks to the API like anybody else.
#include <algorithm>
#include <initializer_list>

#include "web/api.h"
#include "web/console_assets.h"
#include "web/problem.h"
#include "web/router.h"
#include "web/target.h"

namespace runbookd::web {

using planner::ErrorCode;

namespace {

constexpr std::string_view no_console = R"html(
<p>This is runbookd: it carries database migrations through phases and back again.</p>
<p>It was built without its web console (<code>RUNBOOKD_CONSOLE=OFF</code>). Steer it from a terminal:</p>
<pre>runbookctl run list
runbookctl status
runbookctl --help</pre>
<p>or over HTTP, where everything is below <a href="/api/v1"><code>/api/v1</code></a>:</p>
<ul>
<li><a href="/api/v1/runs"><code>/api/v1/runs</code></a>: the runs</li>
<li><a href="/api/v1/plans"><code>/api/v1/plans</code></a>: the plans</li>
<li><a href="/api/v1/schemas/plan.json"><code>/api/v1/schemas/plan.json</code></a>: the schema of plan files</li>
<li><a href="/readyz"><code>/readyz</code></a>: whether it is ready</li>
</ul>
<p>Who may do what is said by tokens: <code>runbookctl login</code>, <code>runbookctl whoami</code>.</p>
)html";

// Nothing but our own files, nothing inline, and no text that becomes markup or script.
constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

std::string address_of(std::string_view file) {
  return "/console/" + std::string(console_version()) + "/" + std::string(file);
}

// JSON within a script element: no text in it can end the element or begin a comment.
std::string within_script(std::string_view json) {
  std::string out;
  for (char const c : json) {
    out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  }
  return out;
}

std::string head() {
  std::string text =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>runbookd</title>"
      "<link rel=\"icon\" href=\"" +
      address_of("icon.svg") + "\"><link rel=\"stylesheet\" href=\"" + address_of("console.css") +
      "\">";
  for (auto const& asset : console_assets()) {
    if (asset.name.ends_with(".js") && asset.name != "main.js") {
      text += "<link rel=\"modulepreload\" href=\"" + address_of(asset.name) + "\">";
    }
  }
  return text + "<script type=\"module\" src=\"" + address_of("main.js") + "\"></script></head>";
}

Response page_with(std::string_view told) {
  Response page{.content_type = "text/html; charset=utf-8"};
  page.body = head() +
              "<body><div id=\"page\"><noscript><p>This console needs JavaScript. From a terminal: "
              "<code>runbookctl status</code></p></noscript></div>"
              "<script type=\"application/json\" id=\"told\">" +
              within_script(told) + "</script></body></html>\n";
  page.headers = {{"Content-Security-Policy", std::string(policy)},
                  {"Referrer-Policy", "no-referrer"},
                  {"Cross-Origin-Opener-Policy", "same-origin"}};
  return page;
}

// What does not answer with 200 is left for the page to ask, which then shows the problem.
Response page_that_asks(Request const& page_asked, RunService& service,
                        std::initializer_list<std::string> questions) {
  if (console_assets().empty()) {
    return html_page("runbookd", no_console);
  }
  std::string told = "{";
  int status = 200;
  for (auto const& question : questions) {
    auto request = read_target("GET", question);
    if (!request) {
      continue;
    }
    request->peer = page_asked.peer;
    request->caller = page_asked.caller;
    auto const answer = respond(std::move(*request), service);
    if (answer.status != 200) {
      status = answer.status;
      continue;
    }
    told += (told == "{" ? "\"" : ",\"") + question + "\":" + answer.body;
  }
  auto page = page_with(told + "}");
  page.status = status;
  return page;
}

// In a page's JSON, and asked for by the page, it has to be spelled alike: only what needs no
// escape is asked for here.
std::string plain(std::string const& part) {
  bool const is_plain = std::ranges::all_of(part, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ':';
  });
  return is_plain ? part : "unknown";
}

bool takes_gzip(Request const& request) {
  auto const accepted = request.header("accept-encoding");
  return !accepted || accepted->find("gzip") != std::string_view::npos ||
         accepted->find('*') != std::string_view::npos;
}

}  // namespace

Response overview_page(Request const& request, RunService& service) {
  return page_that_asks(request, service,
                        {"/api/v1", "/api/v1/whoami", "/api/v1/runs?state=unfinished&limit=500",
                         "/api/v1/runs?limit=50"});
}

Response history_page(Request const& request, RunService& service) {
  return page_that_asks(request, service, {"/api/v1", "/api/v1/whoami"});
}

Response plans_page(Request const& request, RunService& service) {
  return page_that_asks(request, service, {"/api/v1", "/api/v1/whoami", "/api/v1/plans?limit=50"});
}

Response plan_page(Request const& request, RunService& service) {
  return page_that_asks(
      request, service,
      {"/api/v1", "/api/v1/whoami", "/api/v1/plans/" + plain(request.part("digest"))});
}

Response run_page(Request const& request, RunService& service) {
  return page_that_asks(
      request, service,
      {"/api/v1", "/api/v1/whoami", "/api/v1/runs/" + plain(request.part("run"))});
}

// Its name holds the version of all files, so what it names never changes.
Response console_file(Request const& request, RunService&) {
  auto const assets = console_assets();
  auto const asset = std::ranges::find(assets, request.part("file"), &ConsoleAsset::name);
  if (asset == assets.end() || request.part("version") != console_version()) {
    return problem({.code = ErrorCode::not_found,
                    .detail = "the console has no such file, or no more",
                    .next = "load the page again"});
  }
  if (!takes_gzip(request)) {
    return problem({.code = ErrorCode::not_acceptable,
                    .detail = "the console's files are kept compressed only",
                    .next = "send Accept-Encoding: gzip"});
  }
  auto const tag = '"' + std::string(console_version()) + '-' + std::string(asset->name) + '"';
  Response response{.content_type = std::string(asset->content_type)};
  response.headers = {{"ETag", tag},
                      {"Cache-Control", "public, max-age=31536000, immutable"},
                      {"Vary", "Accept-Encoding"}};
  if (request.header("if-none-match") == tag) {
    response.status = 304;
    return response;
  }
  response.headers.push_back({"Content-Encoding", "gzip"});
  response.body = std::string(asset->gzipped);
  return response;
}

}  // namespace runbookd::web
