// At risk: what must ship or arrive soon, or stands too far back in a queue; there is still time to do something.

import { html } from "./html.js";
import { now } from "./clock.js";
import { span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { ApiLink, Empty, Failure, kindName, Loading, OrderLink, Table, Time } from "./parts.js";

// What has passed stays here until everything up to it has been read: only then is it late.
function Left({ until }) {
  const left = until - now();
  return left > 0 ? span(left) : t("order.over", { span: span(-left) });
}

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
      head=${[t("risk.left"), t("risk.order"), t("risk.what"), t("risk.fulfillment"), t("risk.warehouse"), t("risk.deadline"), t("risk.why")]}
      rows=${data.at_risk.map((one) => html`<tr key=${`${one.order_id} ${one.fulfillment_id}`}>
        <td class="age"><${Left} until=${Date.parse(one.deadline)} /></td>
        <td><${OrderLink} id=${one.order_id} /></td>
        <td>${kindName(one.kind)}</td>
        <td class="mono">${one.fulfillment_id ?? "—"}</td>
        <td>${one.warehouse_id ?? "—"}</td>
        <td><${Time} at=${one.deadline} /></td>
        <td>${one.because.map((each) => t(`risk.because.${each}`)).join(", ")}</td>
      </tr>`)}
    />` : null}
    ${data?.next ? html`<p class="minor">${t("risk.more")}</p>` : null}
  </section>`;
}
