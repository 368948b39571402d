// History: what people, time and the tracker did about an incident, the last first.

import { html } from "./html.js";
import { t, told } from "./i18n.js";
import { Card, Time } from "./parts.js";

// What a step said that is worth a line; times and numbers are in the API's answer.
const WORTH = ["text", "to", "outcome", "agreement", "person", "team", "party", "speaker", "into"];
const BY_ITSELF = ["clock", "tracker"];

const said = ({ detail }) => WORTH.map((name) => detail[name]).filter((one) => typeof one === "string" && one !== "");

function shown(one) {
  const [first, ...others] = said(one);
  const outcome = one.step === "contacted" ? told(`outcome.${first}`, first) : first;
  return [outcome, ...others, one.why].filter(Boolean).join(" · ");
}

export function History({ of: steps }) {
  if (steps.length === 0) return null;
  return html`<${Card} title=${t("history.title")} class="card history"><ol class="plain">${steps.toReversed().map((one) => html`<li class="between" key=${one.position}>
    <span><b>${told(`taken.${one.step}`, one.step.replaceAll("_", " "))}</b> ${shown(one)}</span>
    <span class="minor">${BY_ITSELF.includes(one.by) ? t(`history.${one.by}`) : one.by} · <${Time} at=${one.at} /></span></li>`)}</ol><//>`;
}
