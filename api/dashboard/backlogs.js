// Backlogs: what lies at each warehouse, carrier and facility; how old, how fast it goes on, and what breaks first.

import { html } from "./html.js";
import { now } from "./clock.js";
import { hours, number, span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { ApiLink, Empty, Failure, Loading, OrderLink, Severity, Table, Time } from "./parts.js";
import { link } from "./router.js";

const PLACES = ["warehouse", "carrier", "facility"];

export function Backlogs({ params }) {
  const crowded = params.incident === "open";
  const wanted = { incident: crowded ? true : undefined, limit: 200 };
  const { data, error } = useRead("/v1/backlogs", wanted, { again: (change) => change.incident.kind.endsWith("_backlog"), every: 10_000 });
  const found = data?.backlogs ?? [];
  return html`<section class="page">
    <header class="page-head"><h1>${t("nav.backlogs")}</h1><p>${t("backlog.hint")}</p><${ApiLink} path=${`/v1/backlogs${crowded ? "?incident=true" : ""}`} /></header>
    <div class="filters"><div class="segments" role="group" aria-label=${t("filter.state")}>
      ${["all", "open"].map((one) => html`<a href=${link("backlogs", null, { incident: one === "open" ? "open" : "" })} aria-current=${(one === "open") === crowded ? "true" : null}>${t(`backlog.show.${one}`)}</a>`)}</div></div>
    <${Failure} error=${error} />
    ${!data && !error ? html`<${Loading} />` : null}
    ${data && found.length === 0 ? html`<${Empty} title=${t("backlog.empty")}>${t("backlog.empty.hint")}<//>` : null}
    ${PLACES.map((what) => html`<${Group} key=${what} what=${what} found=${found.filter((one) => one.what === what)} />`)}
    ${data?.next ? html`<p class="minor">${t("backlog.more", { n: number(found.length) })}</p>` : null}
  </section>`;
}

// What has grown into an incident first, then where most is late, then where most lies.
function Group({ what, found }) {
  if (found.length === 0) return null;
  const ranked = [...found].sort((one, other) => !one.incident - !other.incident || other.late - one.late || other.open - one.open);
  return html`<section class="group"><h2>${t(`backlog.${what}`)}</h2><div class="grid">
    ${ranked.map((one) => html`<${Backlog} key=${one.name} one=${one} />`)}</div></section>`;
}

function Backlog({ one }) {
  useNow();
  const of = one.unit;
  return html`<article class="card backlog" data-id=${`${one.what}/${one.name}`}>
    <header><h3 class="mono">${one.name}</h3>${one.incident ? html`<span class="pills"><${Severity} grade=${one.incident.severity} /></span>` : null}</header>
    <dl class="inline">
      <div><dt>${t(`backlog.open.${of}`)}</dt><dd><b>${number(one.open)}</b>${one.pieces === null ? null : html` <span class="minor">${t("backlog.pieces", { n: number(one.pieces) })}</span>`}</dd></div>
      <div><dt>${t("backlog.late")}</dt><dd><b>${number(one.late)}</b></dd></div>
      ${one.held ? html`<div><dt>${t("backlog.held")}</dt><dd>${number(one.held)}</dd></div>` : null}
      <div><dt>${t("backlog.pace")}</dt><dd>${number(one.throughput.per_hour)}${one.throughput.usual_per_hour === null ? null : html` <span class="minor">${t("backlog.usual_pace", { n: number(one.throughput.usual_per_hour) })}</span>`}</dd></div>
      <div><dt>${t("backlog.clears")}</dt><dd>${one.clears.hours === null ? html`<span class="minor">${t(`backlog.never.${one.clears.reason}`)}</span>` : hours(one.clears.hours)}</dd></div>
    </dl>
    <${Promise} of=${one} />
    <${Table} caption=${t("backlog.ages")} head=${one.ages.map((band) => t(`backlog.band.${band.band}`))} rows=${html`<tr>${one.ages.map((band) => html`<td class="num">${number(band.count)}</td>`)}</tr>`} />
    <${Midnights} of=${one} />
    ${one.incident ? html`<${Incident} one=${one.incident} />` : null}
  </article>`;
}

function Promise({ of }) {
  const first = of.first_to_break;
  if (!first) return html`<p class="minor">${t(of.next_promise ? "backlog.kept" : "backlog.no_promise")}</p>`;
  const left = Date.parse(first.at) - now();
  return html`<p class="breaks">${t("backlog.first")} <${Time} at=${first.at} /> <span class="minor">${left > 0 ? t("backlog.left", { span: span(left) }) : null}</span>
    ${first.order_ids.slice(0, 3).map((id) => html` <${OrderLink} id=${id} />`)}</p>`;
}

function Midnights({ of }) {
  if (!of.counted && of.midnights.every((one) => one.count === 0)) return null;
  return html`<p class="minor">${t("backlog.counted", { n: number(of.counted) })} ${t("backlog.midnights", { list: of.midnights.map((one) => number(one.count)).join(" · ") })}</p>`;
}

function Incident({ one }) {
  return html`<dl class="inline">
      <div><dt>${t("backlog.since")}</dt><dd><a href=${link("incidents", one.id)}><${Time} at=${one.since} /></a> <span class="minor">${span(now() - Date.parse(one.since))}</span></dd></div>
      <div><dt>${t("backlog.count")}</dt><dd><b>${number(one.count)}</b> <span class="minor"><${Time} at=${one.counted_at} /></span></dd></div>
      <div><dt>${t("backlog.peak")}</dt><dd>${number(one.peak)} <span class="minor"><${Time} at=${one.peak_at} /></span></dd></div>
      <div><dt>${t("backlog.usual")}</dt><dd>${number(one.needed)}</dd></div>
    </dl>
    <p>${one.members ? html`<a href=${link("incidents", null, { muted_by: one.id, muted: "only" })}>${t("muted.members", { n: number(one.members) })}</a>` : html`<span class="minor">${t("backlog.nothing_muted")}</span>`}</p>`;
}
