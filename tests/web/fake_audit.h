// An audit that keeps what it was told, and can refuse.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "web/audit.h"
#include "web/service.h"

namespace runbookd::web::test {

class FakeAudit : public Auditor {
 public:
  std::vector<Asked> begun;
  std::vector<int> ended;                // statuses
  std::optional<planner::Error> refuse;  // what end() says of an answer that is no refusal
  std::map<std::string, Response> kept;  // by the key's scope
  std::vector<Keyed> keys;
  std::optional<planner::Error> refuse_key;
  std::string searched;

  std::unique_ptr<Recording> begin(Asked const& asked, std::optional<Keyed> const& keyed) override {
    begun.push_back(asked);
    if (keyed) {
      keys.push_back(*keyed);
    }
    return std::make_unique<Fake>(*this, keyed);
  }
  planner::Result<std::optional<Response>> answered(Keyed const& keyed) override {
    if (refuse_key) {
      return tl::unexpected(*refuse_key);
    }
    auto const found = kept.find(keyed.scope);
    return found == kept.end() ? std::optional<Response>{} : std::optional(found->second);
  }
  planner::Result<Document> search(AuditQuery const& query) override {
    searched = "search " + query.actor + "," + query.action + "," + query.run + "," +
               query.outcome + "," + std::to_string(query.limit) + "," +
               std::to_string(query.before);
    return Document{.json = R"({"entries":[]})"};
  }
  planner::Result<Document> key() override { return Document{.json = R"({"key":"k"})"}; }
  void verify(Told told) override { told(Document{.json = R"({"ok":true})"}); }
  planner::Result<Parts> read_out() override {
    return Parts([left = 2]() mutable -> planner::Result<std::string> {
      return left-- > 0 ? "{\"audit\":1}\n" : "";
    });
  }

 private:
  class Fake final : public Recording {
   public:
    Fake(FakeAudit& audit, std::optional<Keyed> keyed) : audit_(audit), keyed_(std::move(keyed)) {}
    std::string const& id() const override { return id_; }
    void leave() override {}
    planner::Result<void> end(Response const& response) override {
      audit_.ended.push_back(response.status);
      if (audit_.refuse && response.status < 400) {
        return tl::unexpected(*audit_.refuse);
      }
      if (keyed_) {
        audit_.kept[keyed_->scope] = response;
      }
      return {};
    }

   private:
    FakeAudit& audit_;
    std::optional<Keyed> keyed_;
    std::string id_ = "0123456789abcdef";
  };
};

}  // namespace runbookd::web::test
