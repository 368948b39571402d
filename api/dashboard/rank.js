// Rank: whose task it is, and why it stands where it stands.

import { html } from "./html.js";
import { money } from "./format.js";
import { t, told } from "./i18n.js";
import { Severity, Time } from "./parts.js";

export function Legend({ ranked }) {
  return html`<details class="legend"><summary>${t("work.ranked")}</summary><ol>${ranked.map((one) => html`<li><b>${told(`rank.${one.by}`, one.by)}</b> ${told(`rank.${one.by}.why`, one.why)}</li>`)}</ol></details>`;
}

export const whose = (one) => (one.customer_id ? html`${t("work.customer")} <span class="mono">${one.customer_id}</span>` : html`<span class="mono">${one.id.replace("-", " ")}</span>`);

// Why it stands where it stands, in the order in which that is decided.
export function Why({ of: { rank, difficulty } }) {
  return html`<ol class="why">
    <li><b>${t(`stage.${rank.stage}`)}</b></li>
    <li><${Severity} grade=${rank.severity} /></li>
    <li>${t("rank.until.is")} <${Time} at=${rank.until} /></li>
    ${rank.amount > 0 ? html`<li>${t("rank.amount.is", { amount: `${money(rank.amount)} ${rank.currency ?? ""}`.trim() })}</li>` : null}
    ${difficulty.hard ? html`<li><span class="tag warn">${t("work.hard", { n: difficulty.points })}</span></li>` : null}
  </ol>`;
}
