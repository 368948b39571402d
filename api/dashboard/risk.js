// At risk: what must ship soon and is not packed; there is still time to do something.

import { html } from "./html.js";
import { now } from "./clock.js";
import { span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { ApiLink, Empty, Failure, Loading, OrderLink, Table, Time } from "./parts.js";

export function AtRisk() {
  useNow();
  const { data, error, loading } = useRead("/v1/orders", { at_risk: true, limit: 200 }, { again: () => true, every: 3000 });
  return html`<section class="page">
    <header class="page-head"><h1>${t("nav.at-risk")}</h1><p>${t("risk.hint")}</p><${ApiLink} path="/v1/orders?at_risk=true" /></header>
    ${error ? html`<${Failure} error=${error} />` : null}
    ${loading && !data ? html`<${Loading} />` : null}
    ${data && data.at_risk.length === 0 ? html`<${Empty} title=${t("risk.empty")}>${t("risk.empty.hint")}<//>` : null}
    ${data && data.at_risk.length ? html`<${Table}
      caption=${t("nav.at-risk")}
      head=${[t("risk.left"), t("risk.order"), t("risk.fulfillment"), t("risk.warehouse"), t("risk.deadline")]}
      rows=${data.at_risk.map((one) => html`<tr key=${one.fulfillment_id}>
        <td class="age">${span(Date.parse(one.deadline) - now())}</td>
        <td><${OrderLink} id=${one.order_id} /></td>
        <td class="mono">${one.fulfillment_id}</td>
        <td>${one.warehouse_id ?? "—"}</td>
        <td><${Time} at=${one.deadline} /></td>
      </tr>`)}
    />` : null}
    ${data?.next ? html`<p class="minor">${t("risk.more")}</p>` : null}
  </section>`;
}
