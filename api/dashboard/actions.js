// Actions: the buttons of an incident, and the form of the one that was pressed.

import { html, useEffect, useRef, useState } from "./html.js";
import { incidentPath, post } from "./api.js";
import { ContactForm } from "./contact.js";
import { body, Fields, leaving, starting } from "./fields.js";
import { t } from "./i18n.js";
import { Others } from "./others.js";
import { Failure } from "./parts.js";
import { useSending } from "./sending.js";
import { fieldsOf, LAST_WORD, possible } from "./steps.js";

const MAIN = ["confirm", "answer", "acknowledge", "contact", "reopen", "split", "wake"];

export function Actions({ incident, workflow, onDone }) {
  const [step, choose] = useState(null);
  const bar = useRef(null);
  const steps = possible(workflow, incident.kind);
  const chosen = steps.includes(step) ? step : null;
  const close = () => {
    choose(null);
    bar.current?.querySelector("button")?.focus();
  };
  const open = useRef(null);
  open.current = chosen;
  const done = (answer, what) => {
    // What was done may be on the page before its answer comes; another form that was opened meanwhile stays open.
    if (open.current === what) close();
    onDone(answer, what);
  };
  return html`<div class="actions">
    <div class="buttons" ref=${bar} role="group" aria-label=${t("desk.steps")}>
      ${steps.map((one) => html`<button type="button" key=${one} data-step=${one} class=${MAIN.includes(one) && one === steps[0] ? "primary" : ""}
        aria-expanded=${String(one === chosen)} onClick=${() => choose(one === chosen ? null : one)}>${t(`step.${one}`)}</button>`)}
    </div>
    ${chosen === "contact" ? html`<${ContactForm} incidents=${[incident]} customer=${null} orders=${incident.order_ids} channels=${incident.liability.channels} onDone=${(answer) => done(answer, "contact")} onCancel=${close} />` : null}
    ${chosen !== null && chosen !== "contact" ? html`<${StepForm} key=${chosen} step=${chosen} incident=${incident} workflow=${workflow} onDone=${(answer) => done(answer, chosen)} onCancel=${close} />` : null}
  </div>`;
}

function StepForm({ step, incident, workflow, onDone, onCancel }) {
  const fields = fieldsOf(step, workflow);
  const [values, setValues] = useState(() => starting(fields));
  const { busy, error, run } = useSending();
  const form = useRef(null);
  const read = useRef(workflow.position);
  useEffect(() => form.current.querySelector("input, select, textarea")?.focus(), []);
  const submit = (event) => {
    event.preventDefault();
    // What was decided while the form was open is told by the refusal; who sends it once more has read that.
    const unread = LAST_WORD.includes(step) && error?.code !== "decided_meanwhile" ? { read_at: read.current } : {};
    run((key) => post(`${incidentPath(incident.id)}/${step}`, { ...body(fields, values), ...unread }, key), onDone);
  };
  return html`<form class="step" ref=${form} onSubmit=${submit} data-step=${step} aria-label=${t(`step.${step}`)} onKeyDown=${leaving(onCancel)}>
    <p class="minor">${t(`step.${step}.hint`)}</p>
    <${Fields} fields=${fields} values=${values} onChange=${setValues} />
    ${step === "merge" ? html`<${Others} id="merge-into" incident=${incident} />` : null}
    <${Failure} error=${error} title=${t("error.refused")} />
    <div class="buttons"><button type="submit" class="primary" disabled=${busy}>${t(`step.${step}`)}</button>
      <button type="button" onClick=${onCancel}>${t("cancel")}</button></div>
  </form>`;
}
