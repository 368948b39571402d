// Small parts that several pages show.

import { html } from "./html.js";
import { clockTime, fullTime, number } from "./format.js";
import { now } from "./clock.js";
import { t, told } from "./i18n.js";
import { link } from "./router.js";

export const kindName = (kind) => told(`kind.${kind}`, kind.replaceAll("_", " "));

// The day is said where it is another one than now, or than that of the time beside it: "27 Oct, 06:11 – 28 Oct, 06:10".
export function Time({ at, beside = null, ...rest }) {
  if (!at) return html`<span class="none">—</span>`;
  const time = Date.parse(at);
  const other = beside === null ? now() : Date.parse(beside);
  const reference = Math.abs(time - other) > Math.abs(time - now()) ? other : now();
  return html`<time datetime=${at} title=${`${fullTime(at)} · ${at}`} ...${rest}>${clockTime(time, reference)}</time>`;
}

// A grade is a shape and a word as well as a colour.
const SHAPES = { critical: "M8 1 15 14H1z", high: "M8 1 15 8 8 15 1 8z", medium: "M2 2h12v12H2z", low: "M8 2a6 6 0 1 0 .01 0z" };

export function Severity({ grade, word = true }) {
  return html`<span class=${`severity ${grade}`}>
    <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><path d=${SHAPES[grade] ?? SHAPES.low} /></svg>
    <span class=${word ? "" : "hidden"}>${told(`severity.${grade}`, grade)}</span>
  </span>`;
}

export const Pill = ({ kind, name }) => html`<span class=${`pill ${kind}`}>${name}</span>`;
export const StatePill = ({ state }) => html`<${Pill} kind=${state} name=${t(`state.${state}`)} />`;
export const OrderLink = ({ id }) => html`<a class="mono" href=${link("orders", id)}>${id}</a>`;

export function Empty({ title, children }) {
  return html`<div class="empty" role="status"><p class="empty-title">${title}</p><div>${children}</div></div>`;
}

export function Failure({ error, title = t("error.failed") }) {
  if (!error) return null;
  const { claim, paid } = error;
  return html`<div class="failure" role="alert">
    <strong>${error.status === 404 ? t("error.not_found") : title}</strong>
    <p>${error.message}${error.requestId ? ` (${t("error.request", { id: error.requestId })})` : ""}</p>
    ${claim ? html`<p class="claim">${t("error.claim")} <b>${told(`claim.${claim.claim}`, claim.claim)}${claim.value ? ` ${claim.value}` : ""}</b> <span class="mono">${claim.order_id}</span></p>` : null}
    ${paid ? html`<p class="claim">${t("error.paid")} <b>${paid.amount} ${paid.currency}</b> ${told(`form.${paid.form}`, paid.form)} · ${paid.by} <${Time} at=${paid.at} /> <a class="mono" href=${link("incidents", paid.incident)}>${paid.incident.replace(/^incident-/, "")}</a></p>` : null}
  </div>`;
}

// A few of many: the rest is counted, not drawn.
export function Orders({ ids, most = 12 }) {
  return html`${ids.slice(0, most).map((id) => html`<${OrderLink} id=${id} /> `)}${ids.length > most ? html`<span class="minor">${t("more.orders", { n: number(ids.length - most) })}</span>` : null}`;
}

export const Loading = () => html`<p class="loading" role="status">${t("loading")}</p>`;

export function Card({ title, aside, children, ...rest }) {
  return html`<section class="card" ...${rest}>
    <header><h2>${title}</h2>${aside}</header>
    ${children}
  </section>`;
}

export function Table({ caption, head, rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption class="hidden">${caption}</caption>
      <thead><tr>${head.map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`;
}

export function Record({ of }) {
  if (of.topic === null || of.topic === undefined) return html`<span class="none">${t("record.none")}</span>`;
  return html`<span class="mono record" data-topic=${of.topic} data-partition=${of.partition} data-offset=${of.offset}>
    <span title=${t("record.topic")}>${of.topic}</span><span aria-hidden="true"> / </span><span title=${t("record.partition")}>${of.partition}</span><span aria-hidden="true"> / </span><span title=${t("record.offset")}>${of.offset}</span>
  </span>`;
}

export function ApiLink({ path }) {
  return html`<a class="api" href=${path} target="_blank" rel="noopener" title=${t("api.hint")}>${t("api.json")}</a>`;
}
