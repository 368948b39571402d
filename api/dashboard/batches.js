// Batches: payments to many members of an incident, drafted by one person and released by another.

import { html, useState } from "./html.js";
import { incidentPath, post } from "./api.js";
import { Folded, Form } from "./folded.js";
import { number } from "./format.js";
import { useRead } from "./hooks.js";
import { t, told } from "./i18n.js";
import { FORMS } from "./kinds.js";
import { Failure, Loading, Pill, Time } from "./parts.js";
import { useSending } from "./sending.js";

const SOME = 20;
const batchPath = (id) => `/v1/batches/${encodeURIComponent(id)}`;

const FIELDS = [
  { name: "form", type: "choice", options: FORMS, shown: (one) => t(`form.${one}`), required: true, start: FORMS[0] },
  { name: "currency", pattern: "[A-Z]{3}" },
  { name: "amount", type: "amount" },
  { name: "members", type: "lines" },
  { name: "evidence", type: "lines" },
  { name: "why", type: "area" },
];

// A line names a member, and after a blank what this one gets.
const members = (lines) => lines.map((line) => {
  const [, member, amount] = /^(.*?)(?:\s+([0-9]+(?:[.][0-9]+)?))?$/.exec(line);
  return amount ? { member, amount } : { member };
});

export function Batches({ incident, onDone }) {
  return html`<${Folded} name="batches" title=${t("batch.title")}>${() => html`<${List} incident=${incident} onDone=${onDone} />`}<//>`;
}

function List({ incident, onDone }) {
  const [position, stand] = useState(undefined);
  const { data, error } = useRead("/v1/batches", { incident: incident.id, limit: SOME, min_position: position }, { every: 10_000 });
  const done = (answer) => {
    stand(answer.position);
    onDone(answer.position);
  };
  const fields = FIELDS.map((one) => (one.name === "form" && incident.kind === "price_difference" ? { ...one, start: "price_difference" } : one));
  const make = (said) => (said.members ? { ...said, members: members(said.members) } : said);
  return html`<div>
    <${Form} name="batch" fields=${fields} make=${make} send=${(said, key) => post(`${incidentPath(incident.id)}/batches`, said, key)} onDone=${done} />
    <${Failure} error=${error} />
    ${data ? html`<ul class="plain">${data.batches.map((one) => html`<${Batch} key=${one.id} one=${one} onDone=${done} />`)}</ul>` : html`<${Loading} />`}
  </div>`;
}

function Batch({ one, onDone }) {
  const { busy, error, run } = useSending();
  const send = (step) => run((key) => post(`${batchPath(one.id)}/${step}`, {}, key), onDone);
  const steps = { drafted: ["approve", "withdraw"], approved: ["approve", "withdraw"] }[one.state] ?? [];
  return html`<li class="item" data-batch=${one.id}>
    <div class="between">
      <span><b>${one.total} ${one.currency}</b> ${told(`form.${one.form}`, one.form)} · ${t("batch.members", { n: number(one.members) })}</span>
      <${Pill} kind=${`batch-${one.state}`} name=${t(`batch.${one.state}`)} />
    </div>
    <p class="minor">${one.drafted_by} <${Time} at=${one.drafted_at} />
      ${one.approvals.length ? html` · ${t("batch.approved_by", { who: one.approvals.join(", ") })}` : null}
      ${one.needs_second_approval && one.state === "drafted" ? html` · ${t("batch.second")}` : null}
      ${one.paid || one.skipped ? html` · ${t("batch.came_to", { total: `${one.paid_total} ${one.currency}`, paid: number(one.paid), skipped: number(one.skipped) })}` : null}</p>
    <div class="buttons">
      ${steps.map((step) => html`<button type="button" key=${step} data-step=${step} disabled=${busy} onClick=${() => send(step)}>${t(`batch.${step}`)}</button>`)}
      <a href=${`${batchPath(one.id)}/export?format=csv`} download>CSV</a> <a href=${`${batchPath(one.id)}/export?format=jsonl`} download>JSON</a>
    </div>
    <${Failure} error=${error} title=${t("error.refused")} />
  </li>`;
}
