// Form fields, drawn from a description; what was typed comes out as the API wants it.

import { html, useEffect, useState } from "./html.js";
import { now } from "./clock.js";
import { t } from "./i18n.js";

const HOUR = 3_600_000;

// A local time for an input, so many hours from the product's clock.
export function inHours(hours) {
  const at = new Date(now() + hours * HOUR);
  const pad = (value) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

const empty = (value) => value === "" || value === undefined || value === null || value === false;

// Leaves out what is empty, unless its field says what that means; times get their offset.
export function body(fields, values) {
  const made = {};
  for (const { name, type, read, without } of fields) {
    const value = values[name];
    if (empty(value)) {
      if (without !== undefined) made[name] = without;
      continue;
    }
    if (read) made[name] = read(value);
    else if (type === "time") made[name] = new Date(value).toISOString();
    else if (type === "lines") made[name] = value.split("\n").map((one) => one.trim()).filter(Boolean);
    else made[name] = typeof value === "string" ? value.trim() : value;
  }
  return made;
}

export const starting = (fields) => Object.fromEntries(fields.map(({ name, start }) => [name, typeof start === "function" ? start() : (start ?? "")]));

// Escape leaves the form, and nothing that is around it.
export const leaving = (leave) => (event) => {
  if (event.key !== "Escape" || !leave) return;
  event.stopPropagation();
  leave();
};

let forms = 0;

// Several forms may be open at once: each names its fields for itself.
export function Fields({ fields, values, onChange }) {
  const [of] = useState(() => `form-${(forms += 1)}`);
  return fields.map((field) => html`<${Field} key=${field.name} field=${field} of=${of} value=${values[field.name]} onChange=${(value) => onChange({ ...values, [field.name]: value })} />`);
}

function Field({ field, value, onChange, of }) {
  const { name, type = "text", required = false, options, shown = (one) => one, word = name } = field;
  const id = `${of}-${name}`;
  const common = { id, name, required };
  const typed = (event) => onChange(event.target.value);
  if (type === "check") {
    return html`<p class="field check"><input type="checkbox" ...${common} checked=${value === true} onChange=${(event) => onChange(event.target.checked)} /><label for=${id}>${t(`field.${word}`)}</label></p>`;
  }
  return html`<p class=${`field ${type}`}>
    <label for=${id}>${t(`field.${word}`)}${required ? html`<span class="must" title=${t("field.required")}> *</span>` : null}</label>
    ${type === "choice" ? html`<select ...${common} onChange=${typed}>
      ${required ? null : html`<option value="" selected=${!value}>${t("field.none")}</option>`}
      ${options.map((one) => html`<option value=${one} selected=${one === value}>${shown(one)}</option>`)}
    </select>` : null}
    ${type === "area" || type === "lines" ? html`<textarea ...${common} rows="3" maxlength="4000" value=${value} onInput=${typed}></textarea>` : null}
    ${type === "time" ? html`<input type="datetime-local" ...${common} value=${value} onInput=${typed} />` : null}
    ${type === "amount" ? html`<input ...${common} inputmode="decimal" pattern="[0-9]{1,12}([.][0-9]{1,6})?" value=${value} onInput=${typed} />` : null}
    ${type === "text" ? html`<input ...${common} maxlength=${field.longest ?? 128} pattern=${field.pattern} list=${field.list} value=${value} onInput=${typed} />` : null}
  </p>`;
}

// A line of text by itself. What is being typed stays, however often the page around it is drawn anew.
export function Typed({ value, onDone, ...rest }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return html`<input ...${rest} value=${text} maxlength="128" onInput=${(event) => setText(event.target.value)} onChange=${(event) => onDone(event.target.value.trim())} />`;
}
