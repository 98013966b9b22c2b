// A report in the forms that people read. Everything in it may come from strangers: from plans,
// databases and requests.
#include <algorithm>

#include "daemon/report.h"
#include "planner/render.h"

namespace runbookd::daemon {
namespace {

constexpr auto style =
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;padding:0 1rem;max-width:90rem}"
    "table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}"
    "th,td{border:1px solid #8888;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "td{overflow-wrap:anywhere}td:last-child{font:12px/1.5 ui-monospace,monospace}"
    "pre{font:12px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}"
    "@media print{body{margin:0}}";

bool is_empty(ReportTable const& table) { return table.rows.empty(); }

// ---- Markdown

std::string cell(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\r', ' ');
  auto escaped = planner::markdown_text(text);
  for (auto at = escaped.find('|'); at != std::string::npos; at = escaped.find('|', at + 2)) {
    if (at == 0 || escaped[at - 1] != '\\') {
      escaped.insert(at, "\\");
    }
  }
  return escaped;
}

std::string markdown_row(std::vector<std::string> const& cells) {
  std::string line = "|";
  for (auto const& text : cells) {
    line += ' ' + cell(text) + " |";
  }
  return line + '\n';
}

std::string markdown_table(ReportTable const& table) {
  auto text = markdown_row(table.head) + '|';
  for (std::size_t i = 0; i < table.head.size(); ++i) {
    text += " --- |";
  }
  text += '\n';
  for (auto const& row : table.rows) {
    text += markdown_row(row);
  }
  return text + '\n';
}

// Indented, so that no fence within it can end it.
std::string markdown_block(std::string const& text) {
  std::string block = "    ";
  for (char const c : text) {
    block += c;
    block += c == '\n' ? "    " : "";
  }
  return block + "\n\n";
}

// ---- HTML

std::string escaped(std::string const& text) {
  std::string out;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
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
      case '"':
        out += "&quot;";
        break;
      default:
        // other control characters may not stand in a page
        out += byte < ' ' && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string html_row(std::vector<std::string> const& cells, std::string const& open,
                     std::string const& close) {
  std::string line = "<tr>";
  for (auto const& text : cells) {
    line += open + escaped(text) + close;
  }
  return line + "</tr>\n";
}

std::string html_table(ReportTable const& table) {
  auto text =
      "<table><thead>" + html_row(table.head, "<th scope=\"col\">", "</th>") + "</thead><tbody>\n";
  for (auto const& row : table.rows) {
    text += html_row(row, "<td>", "</td>");
  }
  return text + "</tbody></table>\n";
}

}  // namespace

std::string to_markdown(Report const& report) {
  auto text = "# " + cell(report.title) + "\n\n";
  for (auto const& section : report.sections) {
    text += "## " + section.title + "\n\n";
    for (auto const& paragraph : section.paragraphs) {
      text += cell(paragraph) + "\n\n";
    }
    text += is_empty(section.table) ? "" : markdown_table(section.table);
    text += section.preformatted.empty() ? "" : markdown_block(section.preformatted);
  }
  return text;
}

std::string to_html(Report const& report) {
  auto text =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><meta "
      "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\"><title>" +
      escaped(report.title) + "</title><style>" + style + "</style></head><body><main><h1>" +
      escaped(report.title) + "</h1>\n";
  for (auto const& section : report.sections) {
    text += "<section><h2>" + escaped(section.title) + "</h2>\n";
    for (auto const& paragraph : section.paragraphs) {
      text += "<p>" + escaped(paragraph) + "</p>\n";
    }
    text += is_empty(section.table) ? "" : html_table(section.table);
    text += section.preformatted.empty()
                ? ""
                : "<pre tabindex=\"0\">" + escaped(section.preformatted) + "</pre>\n";
    text += "</section>\n";
  }
  return text + "</main></body></html>\n";
}

}  // namespace runbookd::daemon
