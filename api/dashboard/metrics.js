// Metrics: how the work went, in numbers, and which complaints no rule saw coming.

import { html } from "./html.js";
import { now } from "./clock.js";
import { hours, number, share } from "./format.js";
import { useRead } from "./hooks.js";
import { t, told } from "./i18n.js";
import { ApiLink, Card, Empty, Failure, kindName, Loading, OrderLink, Table, Time } from "./parts.js";
import { link } from "./router.js";

const DAY = 86_400_000;
const SPANS = [1, 7, 28, 91];
const COLUMNS = ["incidents", "resolved", "dismissed", "resolution_rate", "first_response_hours", "handling_hours", "contacted_before_complaint", "lead_hours"];
const FORESEEN = ["complaints", "foreseen", "lead_hours"];
const MOST = 100;

function shown(name, value) {
  if (name.endsWith("_hours")) return hours(value);
  return name === "resolution_rate" || name === "contacted_before_complaint" ? share(value) : number(value);
}

export function Metrics({ params }) {
  const days = SPANS.includes(Number(params.days)) ? Number(params.days) : 7;
  // Whole minutes, or the question would be another one every time the page is drawn.
  const since = new Date(Math.floor((now() - days * DAY) / 60_000) * 60_000).toISOString();
  return html`<section class="page">
    <header class="page-head"><h1>${t("nav.metrics")}</h1><p>${t("metrics.hint")}</p><${ApiLink} path="/v1/metrics/summary" /></header>
    <div class="filters"><div class="segments" role="group" aria-label=${t("metrics.span")}>
      ${SPANS.map((one) => html`<a href=${link("metrics", null, { days: one === 7 ? "" : one })} aria-current=${one === days ? "true" : null}>${t("metrics.days", { n: one })}</a>`)}</div></div>
    <${Summary} key=${days} since=${since} />
  </section>`;
}

function Summary({ since }) {
  const { data, error } = useRead("/v1/metrics/summary", { since }, { every: 60_000 });
  if (!data) return error ? html`<${Failure} error=${error} />` : html`<${Loading} />`;
  const { whole, foreseen } = data;
  const nothing = whole.incidents === 0 && foreseen.complaints === 0;
  const groups = Object.entries(data.by).filter(([, values]) => Object.keys(values).length > 0);
  const seen = Object.entries(data.foreseen_by).filter(([, values]) => Object.keys(values).length > 0);
  return html`<p class="minor"><${Time} at=${data.since} /> – <${Time} at=${data.until} beside=${data.since} /> · ${t("metrics.zone", { zone: data.zone })}</p>
    <${Failure} error=${error} />
    ${nothing ? html`<${Empty} title=${t("metrics.empty")}>${t("metrics.empty.hint")}<//>` : html`<${Whole} of=${whole} foreseen=${foreseen} />`}
    ${groups.map(([group, values]) => html`<${By} key=${group} title=${t("metrics.by", { what: t(`by.${group}`).toLowerCase() })} group=${group} columns=${COLUMNS} values=${values} />`)}
    ${seen.map(([group, values]) => html`<${By} key=${`seen-${group}`} title=${t("metrics.foreseen_by", { what: t(`by.${group}`).toLowerCase() })} group=${group} columns=${FORESEEN} values=${values} />`)}
    ${data.false_alarms.length ? html`<${FalseAlarms} of=${data.false_alarms} />` : null}
    ${foreseen.complaints ? html`<${BlindSpots} of=${data.blind_spots} more=${data.more_blind_spots} />` : null}`;
}

function Whole({ of: whole, foreseen }) {
  const tiles = [...COLUMNS.map((name) => [name, shown(name, whole[name])]), ["complaints", number(foreseen.complaints)], ["foreseen", number(foreseen.foreseen)]];
  return html`<dl class="numbers">${tiles.map(([name, value]) => html`<div key=${name}><dt>${t(`metric.${name}`)}</dt><dd>${value}</dd><dd class="minor">${t(`metric.${name}.hint`)}</dd></div>`)}</dl>`;
}

const named = (group, value) => (group === "kind" ? kindName(value) : group === "category" ? told(`category.${value}`, value) : value);

function By({ title, group, columns, values }) {
  const rows = Object.entries(values);
  const recent = group === "day" ? rows.sort(([a], [b]) => (a < b ? 1 : -1)) : rows.sort(([, a], [, b]) => b[columns[0]] - a[columns[0]]);
  return html`<${Card} title=${title}><${Table} caption=${title} head=${[t(`by.${group}`), ...columns.map((name) => t(`metric.${name}`))]}
    rows=${recent.slice(0, MOST).map(([value, one]) => html`<tr key=${value}><th scope="row">${named(group, value)}</th>${columns.map((name) => html`<td class="num">${shown(name, one[name])}</td>`)}</tr>`)} />
    ${rows.length > MOST ? html`<p class="minor">${t("metrics.more", { n: number(rows.length - MOST) })}</p>` : null}<//>`;
}

function FalseAlarms({ of }) {
  return html`<${Card} title=${t("metrics.false_alarms")}><p class="minor">${t("metrics.false_alarms.hint")}</p>
    <${Table} caption=${t("metrics.false_alarms")} head=${[t("by.kind"), t("fact.rule"), t("metric.incidents"), t("metric.dismissed"), t("metrics.rate")]}
      rows=${of.map((one) => html`<tr><th scope="row">${kindName(one.kind)}</th><td class="mono">${one.rule}</td><td class="num">${number(one.incidents)}</td><td class="num">${number(one.dismissed)}</td><td class="num">${share(one.rate)}</td></tr>`)} /><//>`;
}

function BlindSpots({ of, more }) {
  return html`<${Card} title=${t("metrics.blind")} id="blind-spots"><p class="minor">${t("metrics.blind.hint")}</p>
    ${of.length === 0 ? html`<p>${t("metrics.blind.none")}</p>` : html`<${Table} caption=${t("metrics.blind")} head=${["complaint", "order", "category", "channel", "opened", "could_have"].map((one) => t(`blind.${one}`))}
      rows=${of.map((one) => html`<tr key=${one.complaint_id}><td class="mono">${one.complaint_id}</td><td>${one.order_id ? html`<${OrderLink} id=${one.order_id} />` : "—"}</td>
        <td>${one.category ? told(`category.${one.category}`, one.category) : "—"}</td><td>${one.channel ? told(`channel.${one.channel}`, one.channel) : "—"}</td><td><${Time} at=${one.opened_at} /></td>
        <td class="mono">${one.could_have_at ?? t("blind.nowhere")}</td></tr>`)} />`}
    ${more ? html`<p class="minor">${t("metrics.more", { n: number(more) })}</p>` : null}<//>`;
}
