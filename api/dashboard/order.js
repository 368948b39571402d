// One order: what it has to ship until when, its parcels, and everything that happened, with the record of each.

import { html, useEffect } from "./html.js";
import { orderPath } from "./api.js";
import { now } from "./clock.js";
import { span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t, told } from "./i18n.js";
import { bind } from "./keys.js";
import { MaySay } from "./may_say.js";
import { ApiLink, Card, Empty, Failure, kindName, Loading, Pill, Record, Severity, StatePill, Table, Time } from "./parts.js";
import { link } from "./router.js";

export function Order({ id }) {
  const again = (change) => change.incident.order_ids.includes(id);
  const { data, error } = useRead(orderPath(id), {}, { again, every: 5000 });
  useEffect(() => bind({ Escape: () => history.back() }), []);
  if (error?.status === 404) {
    return html`<section class="page"><h1 class="mono">${id}</h1><${Empty} title=${t("order.unknown")}>${t("order.unknown.hint")}<//></section>`;
  }
  if (error && !data) return html`<section class="page"><${Failure} error=${error} /></section>`;
  if (!data || data.order_id !== id) return html`<section class="page"><${Loading} /></section>`;
  return html`<article class="page order" data-id=${id}>
    <${Head} one=${data} />
    <div class="columns">
      <div>
        ${data.incidents.length ? html`<${Incidents} found=${data.incidents} />` : null}
        <${Card} title=${t("order.fulfillments")}>
          ${data.fulfillments.length ? data.fulfillments.map((one) => html`<${Fulfillment} one=${one} />`) : html`<p class="minor">${t("order.no_fulfillments")}</p>`}
        <//>
        <${Card} title=${t("order.parcels")}>
          ${data.parcels.length ? data.parcels.map((one) => html`<${Parcel} one=${one} />`) : html`<p class="minor">${t("order.no_parcels")}</p>`}
        <//>
        ${data.may_say ? html`<${Card} title=${t("say.title")}><p class="minor">${t("say.hint")}</p><${MaySay} of=${data.may_say} named=${false} /><//>` : null}
        <${Lines} lines=${data.lines} />
      </div>
      <${Card} title=${t("order.timeline")}><${Timeline} entries=${data.timeline} /><//>
    </div>
  </article>`;
}

function Head({ one }) {
  const facts = [
    [t("order.placed"), one.placed_at && html`<${Time} at=${one.placed_at} />`],
    [t("order.channel"), one.sales_channel],
    [t("order.tier"), one.customer_tier],
    [t("order.destination"), one.destination],
    [t("order.deliver_by"), one.deliver_by && html`<${Time} at=${one.deliver_by} />`],
  ].filter(([, value]) => value);
  return html`<header class="page-head">
    <h1>${t("order.title")} <span class="mono">${one.order_id}</span></h1>
    <div class="pills">
      ${one.partial ? html`<span class="tag" title=${t("tag.partial.hint")}>${t("tag.partial")}</span>` : null}
      ${one.cancelled_at ? html`<${Pill} kind="retracted" name=${t("order.cancelled")} />` : null}
      ${one.stale ? html`<span class="tag warn" title=${t("tag.stale.hint")}>${t("tag.stale")}</span>` : null}
    </div>
    <dl class="inline">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <${ApiLink} path=${orderPath(one.order_id)} />
  </header>`;
}

function Incidents({ found }) {
  useNow();
  return html`<${Card} title=${t("nav.incidents")}>
    <ul class="plain">${found.map((one) => html`<li class="between">
      <span><${Severity} grade=${one.severity} word=${false} /> <a href=${link("incidents", one.id)}>${kindName(one.kind)} <span class="mono">${one.subject}</span></a></span>
      <span><${StatePill} state=${one.state} /> <span class="age">${span((one.ended_at ? Date.parse(one.ended_at) : now()) - Date.parse(one.due_at))}</span></span>
    </li>`)}</ul>
  <//>`;
}

function Fulfillment({ one }) {
  useNow();
  const left = one.deadline === null ? null : Date.parse(one.deadline) - now();
  const waits = one.state === "open" || one.state === "packed";
  return html`<div class="item">
    <div class="between"><span class="mono">${one.fulfillment_id}</span>
      <span>${one.at_risk ? html`<${Pill} kind="risk" name=${t("nav.at-risk")} /> ` : null}<${Pill} kind=${one.state} name=${t(`fulfillment.${one.state}`)} /></span></div>
    <dl class="inline">
      ${one.warehouse_id ? html`<div><dt>${t("fact.warehouse")}</dt><dd>${one.warehouse_id}</dd></div>` : null}
      <div><dt>${t("order.deadline")}</dt><dd>${one.deadline ? html`<${Time} at=${one.deadline} />` : t("order.no_deadline")}
        ${waits && left !== null ? html` <span class="minor">${left > 0 ? t("order.left", { span: span(left) }) : t("order.over", { span: span(-left) })}</span>` : null}</dd></div>
      ${one.deadline !== one.ship_by && one.ship_by ? html`<div><dt>${t("order.original")}</dt><dd><${Time} at=${one.ship_by} /></dd></div>` : null}
      ${one.completed_at ? html`<div><dt>${t("order.completed")}</dt><dd><${Time} at=${one.completed_at} /></dd></div>` : null}
    </dl>
    ${one.promise_changes.map((each) => html`<p class="minor">${t("order.moved", { who: t(`agreed.${each.agreed_by}`) })} <${Time} at=${each.ship_by} /> (<${Time} at=${each.at} />)</p>`)}
    ${one.holds.map((each) => html`<p class="minor">${t("order.held")} <${Time} at=${each.since} /> – ${each.until ? html`<${Time} at=${each.until} />` : "…"}</p>`)}
  </div>`;
}

function Parcel({ one }) {
  const steps = [
    ["packed", one.packed_at],
    ["labelled", one.labelled_at],
    ["possessed", one.possessed_at],
    ["delivered", one.status === "delivered" ? one.status_at : null],
  ];
  return html`<div class="item">
    <div class="between"><span><span class="mono">${one.parcel_id}</span> <span class="minor">${[one.carrier, one.tracking_number].filter(Boolean).join(" ")}</span></span>
      ${one.voided_at ? html`<${Pill} kind="retracted" name=${t("parcel.voided")} />` : one.status ? html`<${Pill} kind=${one.status === "delivered" ? "ended" : "packed"} name=${told(`status.${one.status}`, one.status)} />` : null}</div>
    <ol class="steps">${steps.map(([name, at]) => html`<li class=${at ? "done" : ""}><span>${t(`step.${name}`)}</span>${at ? html`<${Time} at=${at} />` : html`<span class="none">—</span>`}</li>`)}</ol>
    ${one.order_ids.length > 1 ? html`<p class="minor">${t("parcel.shared", { n: one.order_ids.length })}</p>` : null}
  </div>`;
}

function Lines({ lines }) {
  return html`<${Card} title=${t("order.lines")}>
    <${Table} caption=${t("order.lines")} head=${[t("line.sku"), t("line.name"), t("line.quantity")]}
      rows=${lines.map((one) => html`<tr class=${one.cancelled ? "gone" : ""}><td class="mono">${one.sku}</td><td>${one.name ?? ""}${one.cancelled ? html` <span class="tag">${t("order.cancelled")}</span>` : null}</td><td class="num">${one.quantity}</td></tr>`)} />
  <//>`;
}

function Timeline({ entries }) {
  return html`<ol class="timeline">${entries.map((one) => html`<li class=${one.type.split(".")[0]}>
    <span class="line"><b>${told(`type.${one.type}`, one.type)}</b> <span>${about(one)}</span></span>
    <span class="line minor"><${Time} at=${one.at} /> ${one.source ? html`<span class="mono">${one.source}</span>` : null}</span>
    ${one.topic ? html`<span class="line minor"><${Record} of=${one} /></span>` : null}
  </li>`)}</ol>`;
}

function about({ about: it, type }) {
  const words = [it.fulfillment_id, it.parcel_id, it.warehouse_id, it.carrier, it.tracking_number, it.region];
  if (it.status) words.unshift(told(`status.${it.status}`, it.status));
  if (it.reason) words.push(it.reason);
  if (it.subject) words.unshift(kindName(it.kind), it.subject);
  if (type === "order.promise_changed.v1") words.push(t(`agreed.${it.agreed_by}`));
  return words.filter(Boolean).join(" · ");
}
