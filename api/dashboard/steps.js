// Steps: what staff can do with an incident, where it stands, and what each needs to be told.

import { inHours } from "./fields.js";
import { t } from "./i18n.js";
import { CHANNELS, FORMS, PARTIES } from "./kinds.js";

const why = { name: "why", type: "area" };
const because = { name: "why", type: "area", required: true };

export const STEPS = {
  acknowledge: [{ name: "until", type: "time" }, why],
  "give-back": [why],
  assign: [{ name: "person", without: null }, { name: "team", without: null }, why],
  snooze: [{ name: "until", type: "time", start: () => inHours(4) }, { name: "next_event", type: "check", start: true }, why],
  wake: [why],
  note: [{ name: "text", type: "area", required: true }],
  answer: [{ name: "mistake", type: "choice", options: ["no", "yes"], shown: (one) => t(`mistake.${one}`), required: true, start: "no", read: (one) => one === "yes" }, because],
  escalate: [{ name: "to", required: true }, why],
  liability: [{ name: "party", type: "choice", options: PARTIES, shown: (one) => t(`party.${one}`), required: true, start: PARTIES[0] }, why],
  compensate: [
    { name: "member", required: true },
    { name: "amount", type: "amount", required: true },
    { name: "currency", required: true, start: "CNY", pattern: "[A-Z]{3}" },
    { name: "form", type: "choice", options: FORMS, shown: (one) => t(`form.${one}`), required: true, start: FORMS[0] },
    { name: "order_id" },
    { name: "evidence", type: "lines" },
    { name: "override", type: "area" },
    why,
  ],
  resolve: [{ name: "outcome", type: "area" }, why],
  dismiss: [because],
  merge: [{ name: "into", required: true, list: "merge-into", longest: 1200 }, why],
  split: [why],
  reopen: [why],
  confirm: [
    { name: "contact_id", type: "choice", required: true },
    { name: "channel", type: "choice", options: CHANNELS.filter((one) => one !== "phone"), shown: (one) => t(`channel.${one}`), required: true, start: "email" },
    { name: "evidence", type: "area", required: true },
  ],
  "compensate/approve": [{ name: "member", type: "choice", required: true }, why],
  "compensate/withdraw": [{ name: "member", type: "choice", required: true }, why],
};

// Steps that take the place of what was decided before, so that the server must know what was read by then.
export const LAST_WORD = ["assign", "snooze", "answer", "escalate", "liability"];

const OPEN = ["assign", "contact", "note", "escalate", "liability", "compensate", "resolve", "dismiss", "merge"];

// What makes sense where it stands; the server has the last word, and its refusal is shown.
export function possible(workflow, kind) {
  const open = ["new", "acknowledged", "snoozed"].includes(workflow.status);
  if (workflow.status === "merged") return ["split", "note"];
  if (!open) return ["reopen", "note"];
  const steps = [workflow.acknowledged_by ? "give-back" : "acknowledge", workflow.status === "snoozed" ? "wake" : "snooze", ...OPEN];
  if (kind === "price_difference") workflow.price_answer ? steps.push("answer") : steps.unshift("answer");
  if (workflow.awaits_confirmation.length) steps.unshift("confirm");
  if (unpaid(workflow).length) steps.push("compensate/approve", "compensate/withdraw");
  return steps;
}

export const unpaid = (workflow) => workflow.payments.filter((one) => !one.paid).map((one) => one.member);

// The fields of a step, with what can be chosen from this incident's own state.
export function fieldsOf(step, workflow) {
  const own = { "confirm contact_id": workflow.awaits_confirmation, "compensate/approve member": unpaid(workflow), "compensate/withdraw member": unpaid(workflow) };
  return STEPS[step].map((field) => {
    const options = own[`${step} ${field.name}`];
    return options ? { ...field, options, start: options[0] } : field;
  });
}
