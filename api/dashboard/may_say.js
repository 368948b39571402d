// What may be said of an order, from facts: each claim with the time since which it is true.

import { html } from "./html.js";
import { t, told } from "./i18n.js";
import { OrderLink, Time } from "./parts.js";

export function MaySay({ of: one, named = true }) {
  const claims = Object.entries(one.claims);
  return html`<div class="item may-say" data-order=${one.order_id}>
    ${named ? html`<p><${OrderLink} id=${one.order_id} /></p>` : null}
    <ul class="claims">
      ${claims.map(([claim, since]) => html`<li class="true">${told(`claim.${claim}`, claim)} <span class="minor">${t("panel.since")} <${Time} at=${since} /></span></li>`)}
      ${one.dates.map((date) => html`<li class="true">${t(`date.${date.what}`)} <b><${Time} at=${date.at} /></b> <span class="minor">${t(`date.by.${date.by}`)}</span></li>`)}
      ${one.parcels.filter((each) => Object.keys(each.claims).length > 0).map((each) => html`<li class="true"><span class="mono">${each.tracking_number ?? each.parcel_id}</span>: ${Object.keys(each.claims).map((claim) => told(`claim.${claim}`, claim)).join(", ")}</li>`)}
      ${claims.length + one.dates.length + one.parcels.length === 0 ? html`<li>${t("say.nothing")}</li>` : null}
    </ul>
  </div>`;
}
