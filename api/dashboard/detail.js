// Detail: what else a finding says of itself, drawn by its form: times, numbers, lists and tables.

import { html } from "./html.js";
import { number } from "./format.js";
import { t, told } from "./i18n.js";
import { Card, Orders, Table, Time } from "./parts.js";

// Shown elsewhere, or with the episode.
const ELSEWHERE = ["severity", "cleared_by", "knowable_at", "ended_by"];
const ORDERS = ["proven", "ranked"];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const MOST = 100;
const SOME = 40;

export function Detail({ of }) {
  const rows = Object.entries(of).filter(([name, value]) => !ELSEWHERE.includes(name) && value !== null);
  if (rows.length === 0) return null;
  return html`<${Card} title=${t("detail.title")}><dl class="standing">
    ${rows.map(([name, value]) => html`<div key=${name}><dt>${told(`detail.${name}`, name.replaceAll("_", " "))}</dt><dd><${Value} name=${name} of=${value} /></dd></div>`)}
  </dl><//>`;
}

function Value({ name, of: value }) {
  if (typeof value === "string") return TIME.test(value) ? html`<${Time} at=${value} />` : html`<span class="mono">${told(`detail.${name}.${value}`, value)}</span>`;
  if (typeof value === "number") return number(value);
  if (typeof value === "boolean") return t(value ? "detail.yes" : "detail.no");
  if (Array.isArray(value)) return html`<${List} name=${name} of=${value} />`;
  const entries = Object.entries(value);
  return html`${entries.slice(0, SOME).map(([key, each]) => html`<span class="entry"><span class="minor">${told(`detail.${key}`, key.replaceAll("_", " "))}</span> <${Value} name=${key} of=${each} /></span> `)}${entries.length > SOME ? html`<span class="minor">${t("more.others", { n: number(entries.length - SOME) })}</span>` : null}`;
}

function List({ name, of: list }) {
  if (list.length === 0) return "—";
  if (ORDERS.includes(name)) return html`<${Orders} ids=${list} most=${SOME} />`;
  if (typeof list[0] !== "object" || list[0] === null) return list.slice(0, MOST).map((one, place) => html`${place ? ", " : ""}<${Value} name=${name} of=${one} />`);
  const columns = [...new Set(list.flatMap(Object.keys))];
  return html`<${Table} caption=${told(`detail.${name}`, name)} head=${columns.map((one) => told(`detail.${one}`, one.replaceAll("_", " ")))}
    rows=${list.slice(0, MOST).map((one) => html`<tr>${columns.map((column) => html`<td>${one[column] === undefined || one[column] === null ? "—" : html`<${Value} name=${column} of=${one[column]} />`}</td>`)}</tr>`)} />`;
}
