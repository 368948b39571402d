// Incidents: what is wrong, since when, why. The list on the left, one of them on the right.

import { html, useEffect, useRef, useState } from "./html.js";
import { useActor } from "./actor.js";
import { now } from "./clock.js";
import { StatusPill } from "./desk.js";
import { Typed } from "./fields.js";
import { number, span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { IncidentPanel } from "./incident.js";
import { bind } from "./keys.js";
import { KINDS, overdue, STATUSES } from "./kinds.js";
import { Members } from "./muted.js";
import { Empty, Failure, kindName, Loading, Severity, StatePill, Time } from "./parts.js";
import { go, link } from "./router.js";
import { useRows } from "./rows.js";

const STATES = ["open", "ended", "retracted", "all"];
const GRADES = ["critical", "high", "medium", "low"];
const FEW = 3; // orders named in a row
const GRAVE = "critical,high";
const FILTERS = ["kind", "severity", "warehouse", "carrier", "status", "assignee", "muted", "muted_by", "order"];

export function Incidents({ id, params }) {
  const [paused, setPaused] = useState(false);
  const list = useRows(params, paused);
  useEffect(() => {
    const step = (by) => () => {
      const links = [...document.querySelectorAll(".rows a.row")];
      const at = links.findIndex((one) => one === document.activeElement || (id !== null && one.dataset.id === id));
      links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
    };
    return bind({
      j: step(1),
      k: step(-1),
      p: () => setPaused((before) => !before),
      Enter: () => document.activeElement.matches?.("a.row") && document.activeElement.click(),
      Escape: () => id !== null && go("incidents", null, params),
    });
  }, [id, JSON.stringify(params)]);

  return html`<div class=${id === null ? "split" : "split chosen"}>
    <section class="list" aria-label=${t("nav.incidents")}>
      <h1 class="hidden">${t("nav.incidents")}</h1>
      <${Summary} list=${list} params=${params} />
      <${Filters} params=${params} rows=${list.rows} paused=${paused} waiting=${list.waiting.length} onPause=${() => setPaused(!paused)} />
      ${list.error ? html`<${Failure} error=${list.error} />` : null}
      ${list.rows.length ? html`<${Rows} rows=${list.rows} id=${id} params=${params} />` : null}
      ${!list.rows.length && !list.error ? (list.loading ? html`<${Loading} />` : html`<${Nothing} params=${params} />`) : null}
      ${list.next ? html`<button type="button" class="more" onClick=${list.more}>${t("list.more")}</button>` : null}
    </section>
    <aside class="panel" aria-label=${t("panel.label")}>
      ${id === null ? html`<${Empty} title=${t("panel.empty")}>${t("panel.hint")}<//>` : html`<${IncidentPanel} id=${id} params=${params} onChange=${list.refresh} />`}
    </aside>
    <${Announcer} rows=${list.rows} />
  </div>`;
}

function Summary({ list, params }) {
  useNow();
  const risk = useRead("/v1/orders", { at_risk: true, limit: 500 }, { every: 5000 });
  const open = list.rows.filter((one) => one.state === "open");
  const grave = open.filter((one) => one.severity === "critical" || one.severity === "high");
  const oldest = open.reduce((least, one) => (least === null || one.due_at < least ? one.due_at : least), null);
  const plus = list.next ? "+" : "";
  const unread = !list.rows.length && (list.loading || list.error);
  const told = (value) => (unread ? "…" : value);
  const atRisk = risk.data?.at_risk.length ?? null;
  const tiles = [
    ["open", told(`${number(open.length)}${plus}`), t("tile.open"), link("incidents", null, {})],
    ["grave", told(`${number(grave.length)}${plus}`), t("tile.grave"), link("incidents", null, { severity: GRAVE })],
    ["oldest", told(oldest === null ? "—" : `${span(now() - Date.parse(oldest))}${params.sort === "due_at" ? "" : plus}`), t("tile.oldest"), link("incidents", null, { sort: "due_at" })],
    ["risk", atRisk === null ? "…" : `${number(atRisk)}${risk.data.next ? "+" : ""}`, t("tile.risk"), link("at-risk")],
  ];
  return html`<ul class="tiles">
    ${tiles.map(([kind, value, name, to]) => html`<li class=${kind}><a href=${to}><span class="value">${value}</span><span class="name">${name}</span></a></li>`)}
  </ul>`;
}

function Filters({ params, rows, paused, waiting, onPause }) {
  const set = (name) => (event) => go("incidents", null, { ...params, [name]: event.target.value });
  const me = useActor();
  const known = (name) => [...new Set([...rows.map((one) => one[name]), params[name.replace("_id", "")]])].filter(Boolean).sort();
  const chosen = params.state ?? "open";
  const active = FILTERS.filter((name) => params[name]);
  return html`<div class="filters" role="group" aria-label=${t("filter.label")}>
    <div class="segments" role="group" aria-label=${t("filter.state")}>
      ${STATES.map((one) => html`<a href=${link("incidents", null, { ...params, state: one === "open" ? "" : one })} aria-current=${one === chosen ? "true" : null}>${t(`state.${one}`)}</a>`)}
    </div>
    <${Choice} name="kind" value=${params.kind} options=${[...new Set([...KINDS, ...known("kind")])]} shown=${kindName} onChange=${set("kind")} />
    <${Choice} name="severity" value=${params.severity} options=${[GRAVE, ...GRADES]} shown=${(one) => t(`severity.${one}`)} onChange=${set("severity")} />
    <${Choice} name="warehouse" value=${params.warehouse} options=${known("warehouse_id")} onChange=${set("warehouse")} />
    <${Choice} name="carrier" value=${params.carrier} options=${known("carrier")} onChange=${set("carrier")} />
    <${Choice} name="status" value=${params.status} options=${STATUSES} shown=${(one) => t(`status.staff.${one}`)} onChange=${set("status")} />
    <${Choice} name="muted" value=${params.muted} options=${["all", "only"]} shown=${(one) => t(`filter.muted.${one}`)} onChange=${set("muted")} />
    <label class="choice"><span class="hidden">${t("filter.assignee")}</span><${Typed} name="assignee" class=${params.assignee ? "set" : ""} placeholder=${t("filter.assignee")} value=${params.assignee ?? ""} onDone=${(who) => go("incidents", null, { ...params, assignee: who })} /></label>
    ${me && params.assignee !== me ? html`<button type="button" onClick=${() => go("incidents", null, { ...params, assignee: me })}>${t("work.mine")}</button>` : null}
    <${Choice} name="sort" value=${params.sort} options=${["due_at"]} shown=${() => t("sort.oldest")} none=${t("sort.newest")} onChange=${set("sort")} />
    ${params.order ? html`<span class="chip">${t("filter.order")} <b class="mono">${params.order}</b></span>` : null}
    ${params.muted_by ? html`<span class="chip">${t("muted.by")} <b class="mono">${params.muted_by.replace(/^incident-/, "")}</b></span>` : null}
    ${active.length ? html`<a class="clear" href=${link("incidents", null, { state: params.state })}>${t("filter.clear")}</a>` : null}
    <button type="button" class="pause" aria-pressed=${String(paused)} onClick=${onPause}>
      ${paused ? t("live.resume", { n: waiting }) : t("live.pause")}
    </button>
  </div>`;
}

function Choice({ name, value, options, shown = (one) => one, none = t(`filter.any.${name}`), onChange }) {
  return html`<label class="choice">
    <span class="hidden">${t(`filter.${name}`)}</span>
    <select name=${name} onChange=${onChange} class=${value ? "set" : ""}>
      <option value="" selected=${!value}>${none}</option>
      ${options.map((one) => html`<option value=${one} selected=${one === value}>${shown(one)}</option>`)}
    </select>
  </label>`;
}

function Rows({ rows, id, params }) {
  useNow();
  return html`<ul class="rows">
    ${rows.map((one) => html`<li key=${one.id}><${Row} one=${one} chosen=${one.id === id} params=${params} /><${Members} one=${one} /></li>`)}
  </ul>`;
}

function Row({ one, chosen, params }) {
  const classes = ["row", one.severity, one.state, one.leaving ? "leaving" : "", one.fresh ? `fresh-${one.fresh}` : ""];
  const until = one.ended_at ? Date.parse(one.ended_at) : now();
  const age = span(until - Date.parse(one.due_at));
  return html`<a class=${classes.join(" ")} data-id=${one.id} href=${link("incidents", one.id, params)} aria-current=${chosen ? "true" : null}>
    <${Severity} grade=${one.severity} word=${false} />
    <span class="what">
      <span class="line"><b>${kindName(one.kind)}</b> <span class="mono subject">${one.subject}</span></span>
      <span class="line minor">
        ${one.order_ids.length === 0 || (one.order_ids.length === 1 && one.subject.startsWith(one.order_ids[0])) ? null : html`<span class="mono">${one.order_ids.slice(0, FEW).join(", ")}${one.order_ids.length > FEW ? ` +${number(one.order_ids.length - FEW)}` : ""}</span>`}
        ${one.warehouse_id ? html`<span>${one.warehouse_id}</span>` : null}
        ${one.carrier ? html`<span>${one.carrier}</span>` : null}
        <span>${t(overdue(one.kind) ? "row.due" : "row.since")} <${Time} at=${one.due_at} /></span>
        ${one.staff && one.staff.status !== "new" ? html`<${StatusPill} status=${one.staff.status} />` : null}
        ${one.staff?.person || one.staff?.team ? html`<span>${[one.staff.person, one.staff.team].filter(Boolean).join(" · ")}</span>` : null}
        ${one.staff?.level ? html`<span class="tag warn">↑ ${one.staff.escalated_to ?? t("desk.level", { n: one.staff.level })}</span>` : null}
        ${one.flapping ? html`<span class="tag" title=${t("tag.flapping.hint")}>${t("tag.flapping", { n: one.flapping.changes })}</span>` : null}
        ${one.staff?.attempt_due ? html`<span class="tag warn">${t("desk.attempt_due")}</span>` : null}
        ${one.muted_as ? html`<span class="tag">${t(`muted.${one.muted_as}`)}</span>` : null}
        ${one.historic ? html`<span class="tag">${t("tag.historic")}</span>` : null}
        ${one.stale ? html`<span class="tag warn">${t("tag.stale")}</span>` : null}
      </span>
    </span>
    <span class="when">
      <span class="age">${one.state === "open" ? age : one.state === "ended" ? t("row.lasted", { span: age }) : "—"}</span>
      ${one.state === "open" ? html`<span class="minor">${t(overdue(one.kind) ? "row.late" : "row.open")}</span>` : html`<${StatePill} state=${one.state} />`}
    </span>
  </a>`;
}

function Nothing({ params }) {
  const filtered = FILTERS.some((name) => params[name]) || (params.state && params.state !== "open");
  if (filtered) {
    return html`<${Empty} title=${t("empty.filtered")}><a href=${link("incidents")}>${t("filter.clear")}</a><//>`;
  }
  return html`<${Empty} title=${t("empty.incidents")}>
    <p>${t("empty.incidents.hint")}</p>
    <p><a href=${link("feeds")}>${t("empty.feeds")}</a> · <a href=${link("incidents", null, { state: "all" })}>${t("empty.all")}</a></p>
  <//>`;
}

// Says what changed, politely and not too often.
function Announcer({ rows }) {
  const [said, say] = useState("");
  const counted = useRef(null);
  const open = rows.filter((one) => one.state === "open").length;
  useEffect(() => {
    const timer = setInterval(() => {
      if (counted.current !== null && counted.current !== open) say(t("said.open", { n: open }));
      counted.current = open;
    }, 10_000);
    return () => clearInterval(timer);
  }, [open]);
  return html`<div class="hidden" role="status" aria-live="polite">${said}</div>`;
}
