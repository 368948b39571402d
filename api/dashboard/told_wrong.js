// Told wrong: who was told something that has become untrue since, and has to be called again.

import { html } from "./html.js";
import { Statements } from "./contact.js";
import { t } from "./i18n.js";
import { Card, Time } from "./parts.js";
import { link } from "./router.js";

export function ToldWrong({ of, more = false, onCorrect = null }) {
  return html`<${Card} title=${t("wrong.title")} class="card wrong">
    <p class="minor">${t("wrong.hint")}</p>
    <ul class="plain">${of.map((one) => html`<li class="item" key=${one.contact_id} data-contact=${one.contact_id}>
      <p class="between"><span>${one.customer_id ? html`<a href=${link("worklist", `customer-${one.customer_id}`)}>${t("work.customer")} <span class="mono">${one.customer_id}</span></a>` : one.incidents.map((id) => html`<a class="mono" href=${link("incidents", id)}>${id}</a> `)}</span>
        <span class="minor">${t("wrong.by", { who: one.by, channel: t(`channel.${one.channel}`) })} <${Time} at=${one.at} /></span></p>
      <${Statements} of=${one.statements} />
      ${onCorrect ? html`<p><button type="button" onClick=${() => onCorrect(one)}>${t("wrong.correct")}</button></p>` : null}
    </li>`)}</ul>
    ${more ? html`<p class="minor">${t("wrong.more")}</p>` : null}
  <//>`;
}
