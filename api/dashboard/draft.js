// Draft: a message that says no more than the facts, to be copied; one's own words are checked the same way.

import { html, useEffect, useRef, useState } from "./html.js";
import { incidentPath, post } from "./api.js";
import { Statements } from "./contact.js";
import { current, LANGUAGES, t } from "./i18n.js";
import { Card, Failure, kindName } from "./parts.js";
import { useSending } from "./sending.js";

const SAID_FOR = 4000; // milliseconds

export function Draft({ incidents, orders, onDraft }) {
  const [about, choose] = useState(incidents[0].id);
  const incident = incidents.find((one) => one.id === about) ?? incidents[0];
  const own = orders.filter((one) => incident.order_ids.includes(one)); // of a cluster this customer's alone
  const known = own.length ? own : orders;
  const [order, pick] = useState(known[0]);
  const [language, speak] = useState(current());
  const [text, write] = useState("");
  const [checked, check] = useState(null);
  const [said, say] = useState("");
  const { busy, error, run } = useSending();
  const wanted = known.includes(order) ? order : known[0];
  const asked = useRef(0);
  const ask = (mine) => {
    const turn = (asked.current += 1);
    run(
      () => post(`${incidentPath(incident.id)}/draft`, { order_id: wanted, language, ...(mine ? { text } : {}) }),
      (answer) => {
        if (turn !== asked.current) return; // another question has been asked since
        write(answer.text);
        check(answer);
        onDraft(answer);
        say(mine ? t("draft.true") : "");
      },
    );
  };
  useEffect(() => {
    if (wanted) ask(false);
  }, [incident.id, wanted, language]);
  const copy = async () => {
    say(t((await copied(text)) ? "draft.copied" : "draft.copy_failed"));
    setTimeout(() => say(""), SAID_FOR);
  };
  const typed = (event) => {
    write(event.target.value);
    check(null);
    onDraft(null);
  };
  if (!wanted) return null;
  return html`<${Card} title=${t("draft.title")}>
    <div class="pair">
      <p class="field"><label for="draft-about">${t("draft.about")}</label><select id="draft-about" onChange=${(event) => choose(event.target.value)}>
        ${incidents.map((one) => html`<option value=${one.id} selected=${one.id === incident.id}>${kindName(one.kind)} ${one.subject}</option>`)}</select></p>
      <p class="field"><label for="draft-order">${t("order.title")}</label><select id="draft-order" onChange=${(event) => pick(event.target.value)}>
        ${known.slice(0, 50).map((one) => html`<option value=${one} selected=${one === wanted}>${one}</option>`)}</select></p>
      <p class="field"><label for="draft-language">${t("tool.language")}</label><select id="draft-language" onChange=${(event) => speak(event.target.value)}>
        ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} selected=${code === language} lang=${code}>${name}</option>`)}</select></p>
    </div>
    <p class="field area"><label for="draft-text">${t("draft.text")}</label>
      <textarea id="draft-text" rows="6" maxlength="4000" lang=${language} value=${text} onInput=${typed}></textarea></p>
    <${Failure} error=${error} title=${t("draft.refused")} />
    ${checked?.statements.length ? html`<div class="said"><p class="minor">${t("draft.claims")}</p><${Statements} of=${checked.statements} /></div>` : null}
    <div class="buttons">
      <button type="button" class="primary" id="draft-copy" disabled=${!checked} onClick=${copy}>${t("draft.copy")}</button>
      <button type="button" id="draft-check" disabled=${busy || !text || checked !== null} onClick=${() => ask(true)}>${t("draft.check")}</button>
      <button type="button" disabled=${busy} onClick=${() => ask(false)}>${t("draft.anew")}</button>
      <span role="status" class="done">${said}</span>
    </div>
  <//>`;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without a secure connection there is no clipboard: select it, so that the keys can copy it.
    document.getElementById("draft-text")?.select();
    return false;
  }
}
