// Goods: what customers are to send back or have destroyed, until when, and what proves it.

import { html, useState } from "./html.js";
import { incidentPath, post } from "./api.js";
import { inHours } from "./fields.js";
import { Folded, Form } from "./folded.js";
import { useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { Failure, Loading, OrderLink, Pill, Time } from "./parts.js";

const SOME = 50;
const WEEK = 168; // hours
const ACTIONS = ["return", "destroy"];
const goodsPath = (id) => `/v1/dispositions/${encodeURIComponent(id)}`;

const proof = (one) => [{ name: "parcel_id", start: one.came_back[0] ?? "" }, { name: "evidence", type: "lines" }, { name: "why", type: "area" }];
const CANCEL = [{ name: "why", type: "area", required: true }];

function asked(incident) {
  return [
    { name: "order_id", required: true, start: incident.order_ids.length === 1 ? incident.order_ids[0] : "" },
    { name: "sku", required: true, start: incident.sku ?? "" },
    { name: "action", type: "choice", options: ACTIONS, shown: (one) => t(`goods.${one}`), required: true, start: ACTIONS[0] },
    { name: "until", type: "time", required: true, start: () => inHours(WEEK) },
    { name: "refund_on_proof", type: "check" },
    { name: "why", type: "area" },
  ];
}

export function Goods({ incident, onDone }) {
  return html`<${Folded} name="goods" title=${t("goods.title")}>${() => html`<${List} incident=${incident} onDone=${onDone} />`}<//>`;
}

function List({ incident, onDone }) {
  const [position, stand] = useState(undefined);
  const { data, error } = useRead("/v1/dispositions", { incident: incident.id, limit: SOME, min_position: position }, { every: 10_000 });
  const done = (answer) => {
    stand(answer.position);
    onDone(answer.position);
  };
  return html`<div>
    <${Form} name="goods" fields=${asked(incident)} send=${(said, key) => post(`${incidentPath(incident.id)}/dispositions`, said, key)} onDone=${done} />
    <${Failure} error=${error} />
    ${data ? html`<ul class="plain">${data.dispositions.map((one) => html`<${Item} key=${one.id} one=${one} onDone=${done} />`)}</ul>` : html`<${Loading} />`}
  </div>`;
}

function Item({ one, onDone }) {
  const waits = one.state === "open" || one.state === "overdue";
  const send = (step) => (said, key) => post(`${goodsPath(one.id)}/${step}`, said, key);
  return html`<li class="item" data-goods=${one.id}>
    <div class="between">
      <span><b>${t(`goods.${one.action}`)}</b> ${one.quantity} × <span class="mono">${one.sku}</span> <${OrderLink} id=${one.order_id} /></span>
      <${Pill} kind=${`goods-${one.state}`} name=${t(`goods.${one.state}`)} />
    </div>
    <p class="minor">${t("desk.until")} <${Time} at=${one.until} /> · ${one.requested_by}${one.refund_on_proof ? ` · ${t("goods.refund_waits")}` : ""}
      ${one.parcel_id ? html` · <span class="mono">${one.parcel_id}</span> ${one.seen ?? ""}` : null}
      ${one.evidence.map((each) => html` · <span class="mono">${each}</span>`)}</p>
    ${one.came_back.length ? html`<p class="minor">${t("goods.came_back")} <span class="mono">${one.came_back.join(" ")}</span></p>` : null}
    ${waits ? html`<${Form} name="goods-prove" fields=${proof(one)} send=${send("prove")} onDone=${onDone} />
      <${Form} name="goods-cancel" fields=${CANCEL} send=${send("cancel")} onDone=${onDone} />` : null}
  </li>`;
}
