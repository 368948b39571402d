// Backlogs: where late goods pile up, per warehouse and per carrier; how old, how fast it clears, what breaks next.

import { html } from "./html.js";
import { now } from "./clock.js";
import { number, span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { ApiLink, Card, Empty, Failure, Loading, Severity, StatePill, Table, Time } from "./parts.js";
import { link } from "./router.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MOST = 500; // children that are read to count by age
// How long its parts have been late: up to so many milliseconds.
const BANDS = [
  ["day", DAY],
  ["two_days", 2 * DAY],
  ["four_days", 4 * DAY],
  ["more", Infinity],
];

export function Backlogs({ params }) {
  const all = params.state === "all";
  const wanted = { kind: ["warehouse_backlog", "carrier_backlog"], state: all ? undefined : "open", limit: 200 };
  const { data, error } = useRead("/v1/incidents", wanted, { again: (change) => change.incident.kind.endsWith("_backlog"), every: 10_000 });
  const risk = useRead("/v1/orders", { at_risk: true, limit: 500 }, { every: 10_000 });
  const found = data?.incidents ?? [];
  return html`<section class="page">
    <header class="page-head"><h1>${t("nav.backlogs")}</h1><p>${t("backlog.hint")}</p><${ApiLink} path="/v1/incidents?kind=warehouse_backlog&kind=carrier_backlog" /></header>
    <div class="filters"><div class="segments" role="group" aria-label=${t("filter.state")}>
      ${["open", "all"].map((one) => html`<a href=${link("backlogs", null, { state: one === "open" ? "" : one })} aria-current=${(one === "all") === all ? "true" : null}>${t(`state.${one}`)}</a>`)}</div></div>
    <${Failure} error=${error} />
    ${!data && !error ? html`<${Loading} />` : null}
    ${data && found.length === 0 ? html`<${Empty} title=${t("backlog.empty")}>${t("backlog.empty.hint")}<//>` : null}
    ${["warehouse", "carrier"].map((what) => html`<${Group} key=${what} what=${what} found=${found.filter((one) => one.kind === `${what}_backlog`)} risk=${risk.data?.at_risk ?? []} />`)}
  </section>`;
}

function Group({ what, found, risk }) {
  if (found.length === 0) return null;
  return html`<section class="group"><h2>${t(`backlog.${what}`)}</h2><div class="grid">
    ${found.map((one) => html`<${Backlog} key=${one.id} one=${one} risk=${what === "warehouse" ? risk.filter((each) => each.warehouse_id === one.warehouse_id) : []} />`)}</div></section>`;
}

function Backlog({ one, risk }) {
  useNow();
  const told = one.detail;
  const parts = useRead("/v1/incidents", { muted_by: one.id, state: "open", limit: MOST }, { every: 15_000 });
  const past = useRead(cleared(one) ? "/v1/incidents" : null, { ...cleared(one), state: "ended", limit: MOST }, { every: 15_000 });
  const until = one.ended_at ? Date.parse(one.ended_at) : now();
  return html`<article class="card backlog" data-id=${one.id}>
    <header><h3><a href=${link("incidents", one.id)}><span class="mono">${one.subject}</span></a></h3>
      <span class="pills"><${Severity} grade=${one.severity} /><${StatePill} state=${one.state} /></span></header>
    <dl class="inline">
      <div><dt>${t("backlog.since")}</dt><dd><${Time} at=${one.due_at} /> <span class="minor">${span(until - Date.parse(one.due_at))}</span></dd></div>
      ${told.count === undefined ? null : html`<div><dt>${t("backlog.count")}</dt><dd><b>${number(told.count)}</b> <span class="minor"><${Time} at=${told.counted_at} /></span></dd></div>`}
      ${told.peak === undefined ? null : html`<div><dt>${t("backlog.peak")}</dt><dd>${number(told.peak)} <span class="minor"><${Time} at=${told.peak_at} /></span></dd></div>`}
      ${told.needed ? html`<div><dt>${t("backlog.usual")}</dt><dd>${number(told.needed.at(-1))}</dd></div>` : null}
      ${risk.length ? html`<div><dt>${t("backlog.next")}</dt><dd><${Time} at=${risk[0].deadline} /> <span class="minor">${t("backlog.at_risk", { n: number(risk.length) })}</span></dd></div>` : null}
    </dl>
    <${Failure} error=${parts.error} />
    ${parts.data ? html`<${Parts} one=${one} open=${parts.data.incidents} past=${past.data} more=${parts.data.next !== null} />` : null}
  </article>`;
}

// What left this place: a part that is cleared no longer belongs to the backlog. A facility's parts cannot be asked for.
function cleared(one) {
  if (one.warehouse_id) return { warehouse: one.warehouse_id, kind: "late_shipment" };
  return one.carrier ? { carrier: one.carrier, kind: ["stalled_parcel", "late_delivery"] } : null;
}

// Counted from what the backlog speaks for: how old each part is; and from what got away in the last day.
function Parts({ one, open, past, more }) {
  if (open.length === 0) return html`<p class="minor">${t("backlog.nothing_muted")}</p>`;
  const gone = past?.incidents.filter((each) => now() - Date.parse(each.ended_at) <= DAY).length ?? null;
  let from = 0;
  const bands = BANDS.map(([name, to]) => {
    const held = open.filter((each) => now() - Date.parse(each.due_at) >= from && now() - Date.parse(each.due_at) < to).length;
    from = to;
    return [name, held];
  });
  return html`<${Table} caption=${t("backlog.ages")} head=${bands.map(([name]) => t(`backlog.band.${name}`))} rows=${html`<tr>${bands.map(([, held]) => html`<td class="num">${number(held)}</td>`)}</tr>`} />
    <p>${gone === null ? "" : t("backlog.cleared", { n: number(gone) })}${gone ? ` ${t("backlog.pace", { span: span((open.length / gone) * DAY) })}` : ""}${more ? ` ${t("backlog.some", { n: number(MOST) })}` : ""}</p>
    <p><a href=${link("incidents", null, { muted_by: one.id, muted: "only" })}>${t("muted.members", { n: number(one.members) })}</a></p>`;
}
