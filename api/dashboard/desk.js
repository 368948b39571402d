// Desk: where an incident stands in the work of staff, what was done so far, and what can be done now.

import { html, useState } from "./html.js";
import { Actions } from "./actions.js";
import { t, told } from "./i18n.js";
import { Card, Pill, Time } from "./parts.js";
import { link } from "./router.js";

const SOME = 20; // payments of a batch are many

export const StatusPill = ({ status }) => html`<${Pill} kind=${`staff-${status}`} name=${t(`status.staff.${status}`)} />`;

export function Desk({ incident, workflow, onDone }) {
  const [said, say] = useState("");
  const done = (answer, step) => {
    say(step === "contact" && answer.cleared_meanwhile ? t("desk.cleared") : t("desk.done", { step: t(`step.${step}`) }));
    onDone(answer.position);
  };
  return html`<${Card} title=${t("desk.title")} aside=${html`<${StatusPill} status=${workflow.status} />`} class="card desk">
    <${State} of=${workflow} liability=${incident.liability} />
    <${Actions} incident=${incident} workflow=${workflow} onDone=${done} />
    <p class="done" role="status">${said}</p>
    ${workflow.contacts.length ? html`<${Contacts} of=${workflow.contacts} />` : null}
    ${workflow.payments.length ? html`<${Payments} of=${workflow.payments} />` : null}
  <//>`;
}

function State({ of: one, liability }) {
  const party = liability.party ? told(`party.${liability.party}`, liability.party) : t("party.unknown");
  const rows = [
    ["person", one.person],
    ["team", one.team],
    ["acknowledged", one.acknowledged_by && html`${one.acknowledged_by} <span class="minor">${t("desk.until")} <${Time} at=${one.acknowledged_until} /></span>`],
    ["snoozed", one.status === "snoozed" && html`${one.snoozed_until ? html`<${Time} at=${one.snoozed_until} />` : null} ${one.wakes_on_event ? t("desk.next_event") : null}`],
    ["merged", one.merged_into && html`<a class="mono" href=${link("incidents", one.merged_into)}>${one.merged_into}</a>`],
    ["parts", one.parts.length > 0 && one.parts.map((id) => html`<a class="mono" href=${link("incidents", id)}>${id}</a> `)],
    ["liable", html`${party} <span class="minor">${liability.set_by === "staff" ? t("desk.by_staff") : liability.rule ? t("desk.by_rule", { rule: told(`liable.${liability.rule}`, liability.rule) }) : ""}</span>`],
    ["channels", html`${liability.channels.map((name) => t(`channel.${name}`)).join(", ")}${liability.confirm_in_writing ? ` · ${t("desk.in_writing")}` : ""}${liability.show_evidence ? ` · ${t("desk.evidence")}` : ""}`],
    ["escalated", one.level > 0 && `${one.escalated_to ?? ""} (${t("desk.level", { n: one.level })})`],
    ["escalates", one.escalates_at && html`<${Time} at=${one.escalates_at} />`],
    ["price", one.price_answer && html`${t(`mistake.${one.price_answer.mistake ? "yes" : "no"}`)} <span class="minor">${one.price_answer.by}: ${one.price_answer.why}</span>`],
    ["attempt", one.next_attempt && html`<${Time} at=${one.next_attempt} /> ${one.attempt_due ? html`<span class="tag warn">${t("desk.attempt_due")}</span>` : null}`],
    ["awaiting", one.awaits_confirmation.length > 0 && html`<span class="tag warn">${t("desk.unconfirmed", { n: one.awaits_confirmation.length })}</span>`],
    ["notes", one.notes > 0 && String(one.notes)],
    ["reopened", one.reopened > 0 && String(one.reopened)],
  ];
  return html`<dl class="standing">${rows.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${t(`desk.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Contacts({ of: contacts }) {
  return html`<div><h3>${t("desk.contacts")}</h3><ol class="plain">${contacts.toReversed().map((one) => html`<li class="between" key=${one.contact_id}>
    <span><b>${t(`channel.${one.channel}`)}</b> · ${t(`outcome.${one.outcome}`)} ${one.agreement ? html`<q>${one.agreement}</q>` : null}
      ${one.agreement && one.channel === "phone" ? html` <span class=${one.confirmed ? "tag" : "tag warn"}>${t(one.confirmed ? "desk.confirmed" : "desk.not_confirmed")}</span>` : null}
      ${one.cleared ? html` <span class="tag">${t("task.cleared")}</span>` : null}</span>
    <span class="minor">${one.by} · <${Time} at=${one.at} /></span></li>`)}</ol></div>`;
}

function Payments({ of: payments }) {
  return html`<div><h3>${t("desk.payments")}</h3><ul class="plain">${payments.length > SOME ? html`<li class="minor">${t("more.others", { n: payments.length - SOME })}</li>` : null}${payments.slice(-SOME).map((one) => html`<li class="between" key=${one.member}>
    <span><span class="mono">${one.member}</span> <b>${one.amount} ${one.currency}</b> ${told(`form.${one.form}`, one.form)}</span>
    <span><span class=${one.paid ? "tag" : "tag warn"}>${t(one.paid ? "desk.paid" : "desk.awaits_approval")}</span> <span class="minor">${one.approvals.join(", ")}</span></span></li>`)}</ul></div>`;
}
