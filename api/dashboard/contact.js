// Contact: an attempt to reach the customer, for every incident it was about, with what was said, agreed and promised.

import { html, useEffect, useRef, useState } from "./html.js";
import { incidentPath, newKey, post } from "./api.js";
import { body, Fields, inHours, leaving } from "./fields.js";
import { t, told } from "./i18n.js";
import { CHANNELS, OUTCOMES, PROMISED } from "./kinds.js";
import { Failure, kindName } from "./parts.js";
import { useSending } from "./sending.js";

const attempt = [
  { name: "channel", type: "choice", options: CHANNELS, shown: (one) => t(`channel.${one}`), required: true },
  { name: "outcome", type: "choice", options: OUTCOMES, shown: (one) => t(`outcome.${one}`), required: true },
];
const agreement = { name: "agreement", type: "area" };
const after = [{ name: "next_attempt", type: "time" }, { name: "why", type: "area", word: "remark" }];
const promised = (orders) => [
  { name: "what", type: "choice", options: PROMISED, shown: (one) => t(`promised.${one}`), required: true, start: PROMISED[0] },
  { name: "until", type: "time", required: true },
  { name: "order_id", type: "choice", options: orders },
  { name: "text", word: "promise_text" },
];
const UNREACHED = ["no_answer", "busy", "voicemail", "wrong_number"];

// `said` is what a draft claims, and the position at which that was true.
export function ContactForm({ incidents, customer, orders, channels = [], said = null, corrects = null, onDone, onCancel = null }) {
  const [values, setValues] = useState({ channel: channels[0] ?? CHANNELS[0], outcome: OUTCOMES[0] });
  const [promise, setPromise] = useState(null);
  const [left, leave] = useState([]);
  const [inform, tell] = useState(true);
  const contact = useRef(`contact-${newKey()}`);
  const form = useRef(null);
  const { busy, error, run } = useSending();
  useEffect(() => {
    if (onCancel || corrects) form.current.querySelector("select")?.focus();
  }, []);
  const change = (next) => {
    const failed = UNREACHED.includes(next.outcome) && next.outcome !== values.outcome && !values.next_attempt;
    setValues(failed ? { ...next, next_attempt: inHours(2) } : next);
  };
  const about = incidents.filter((one) => !left.includes(one.id));
  const submit = (event) => {
    event.preventDefault();
    const made = {
      ...body([...attempt, agreement, ...after], values),
      ...(promise ? { promise: body(promised(orders), promise) } : {}),
      ...(said?.statements.length && inform ? { statements: said.statements, true_at: said.true_at } : {}),
      ...(corrects ? { corrects } : {}),
      ...(customer ? { customer_id: customer } : {}),
      contact_id: contact.current,
    };
    run((key) => record(about, made, key), (answers) => {
      contact.current = `contact-${newKey()}`;
      setPromise(null);
      onDone(answers.at(-1), answers);
    });
  };
  return html`<form class="step contact" ref=${form} onSubmit=${submit} data-step="contact" aria-label=${t("step.contact")} onKeyDown=${leaving(onCancel)}>
    ${incidents.length > 1 ? html`<fieldset><legend>${t("contact.about")}</legend>
      ${incidents.map((one) => html`<label class="tick" key=${one.id}><input type="checkbox" checked=${!left.includes(one.id)} onChange=${(event) => leave(event.target.checked ? left.filter((each) => each !== one.id) : [...left, one.id])} /> ${kindName(one.kind)} <span class="mono">${one.subject}</span></label>`)}
    </fieldset>` : null}
    <div class="pair"><${Fields} fields=${attempt} values=${values} onChange=${change} /></div>
    <${Said} said=${said} yes=${inform} onChange=${tell} />
    <${Fields} fields=${[agreement]} values=${values} onChange=${change} />
    ${values.channel === "phone" && values.agreement ? html`<p class="hint">${t("contact.in_writing")}</p>` : null}
    <${Promised} promise=${promise} orders=${orders} onChange=${setPromise} />
    <${Fields} fields=${after} values=${values} onChange=${change} />
    ${corrects ? html`<p class="hint">${t("contact.corrects")} <span class="mono">${corrects}</span></p>` : null}
    <${Failure} error=${error} title=${t("error.refused")} />
    <div class="buttons"><button type="submit" class="primary" disabled=${busy || about.length === 0}>${t("contact.record")}</button>
      ${onCancel ? html`<button type="button" onClick=${onCancel}>${t("cancel")}</button>` : null}</div>
  </form>`;
}

function Promised({ promise, orders, onChange }) {
  const begin = () => ({ what: PROMISED[0], until: inHours(24), order_id: orders.length === 1 ? orders[0] : "" });
  const tick = html`<label class="tick"><input type="checkbox" name="promise" checked=${promise !== null} onChange=${(event) => onChange(event.target.checked ? begin() : null)} /> ${t("contact.promise")}</label>`;
  return html`<div class=${promise ? "promise on" : "promise"} role="group" aria-label=${t("contact.promise")}>${tick}
    ${promise ? html`<p class="hint">${t("contact.promise.hint")}</p><${Fields} fields=${promised(orders)} values=${promise} onChange=${onChange} />` : null}</div>`;
}

// The same contact for each incident; what was through before another was refused is not sent anew.
async function record(about, made, key) {
  const answers = [];
  for (const [place, incident] of about.entries()) {
    try {
      answers.push(await post(`${incidentPath(incident.id)}/contact`, made, `${key}-${place}`));
    } catch (error) {
      if (error.code !== "contact_known" || place === about.length - 1) throw error;
    }
  }
  return answers;
}

function Said({ said, yes, onChange }) {
  if (!said?.statements.length) return null;
  return html`<div class="said"><label class="tick"><input type="checkbox" name="statements" checked=${yes} onChange=${(event) => onChange(event.target.checked)} /> ${t("contact.said")}</label>
    <${Statements} of=${said.statements} /></div>`;
}

export function Statements({ of }) {
  return html`<ul class="claims">${of.map((one) => html`<li><span class="mono">${one.order_id}</span> ${told(`claim.${one.claim}`, one.claim)}${one.value ? ` ${one.value}` : ""}</li>`)}</ul>`;
}
