// Folded: a part of an incident that is read once somebody unfolds it, with a form to add to it.

import { html, useRef, useState } from "./html.js";
import { body, Fields, leaving, starting } from "./fields.js";
import { t } from "./i18n.js";
import { Failure } from "./parts.js";
import { useSending } from "./sending.js";

export function Folded({ name, title, children }) {
  const [shown, show] = useState(false);
  return html`<details class="members folded" data-part=${name} onToggle=${(event) => show(event.target.open)}>
    <summary>${title}</summary>
    ${shown ? children() : null}
  </details>`;
}

// A button that opens a form, and goes away again once what it asked for is done.
export function Form({ name, fields, send, onDone, make = (said) => said }) {
  const [open, setOpen] = useState(false);
  const [values, setValues] = useState(() => starting(fields));
  const { busy, error, run } = useSending();
  const button = useRef(null);
  const close = () => {
    setOpen(false);
    setValues(starting(fields));
    button.current?.focus();
  };
  const submit = (event) => {
    event.preventDefault();
    run((key) => send(make(body(fields, values)), key), (answer) => {
      close();
      onDone(answer);
    });
  };
  return html`<div class="actions">
    <div class="buttons"><button type="button" ref=${button} data-step=${name} aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>${t(`step.${name}`)}</button></div>
    ${open ? html`<form class="step" data-step=${name} aria-label=${t(`step.${name}`)} onSubmit=${submit} onKeyDown=${leaving(close)}>
      <p class="minor">${t(`step.${name}.hint`)}</p>
      <${Fields} fields=${fields} values=${values} onChange=${setValues} />
      <${Failure} error=${error} title=${t("error.refused")} />
      <div class="buttons"><button type="submit" class="primary" disabled=${busy}>${t(`step.${name}`)}</button>
        <button type="button" onClick=${close}>${t("cancel")}</button></div>
    </form>` : null}
  </div>`;
}
