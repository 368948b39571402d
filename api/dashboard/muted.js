// Muted: the incidents that another one speaks for, folded away under it until somebody looks.

import { html, useState } from "./html.js";
import { number } from "./format.js";
import { useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { Failure, kindName, Loading, Severity, StatePill, Time } from "./parts.js";
import { link } from "./router.js";

const SOME = 50;

export function MutedBy({ one }) {
  if (!one.muted_by) return null;
  const named = one.muted_by.startsWith("maintenance:") ? null : one.muted_by;
  return html`<p class="muted-by"><span class="tag">${t(`muted.${one.muted_as}`)}</span>
    ${named ? html`${t("muted.by")} <a class="mono" href=${link("incidents", named)}>${named.replace(/^incident-/, "")}</a>` : null}
    ${one.mending ? html`<span>${one.mending.name}: ${one.mending.why}, ${t("desk.until")} <${Time} at=${one.mending.until} /></span>` : null}</p>`;
}

// Read only once it is unfolded: a backlog may speak for thousands.
export function Members({ one, position = undefined }) {
  const [shown, show] = useState(false);
  if (!one.members) return null;
  return html`<details class="members" onToggle=${(event) => show(event.target.open)}>
    <summary>${t("muted.members", { n: number(one.members) })}</summary>
    ${shown ? html`<${Children} id=${one.id} position=${position} />` : null}
  </details>`;
}

function Children({ id, position }) {
  const { data, error } = useRead("/v1/incidents", { muted_by: id, limit: SOME, min_position: position }, { every: 10_000 });
  if (error) return html`<${Failure} error=${error} />`;
  if (!data) return html`<${Loading} />`;
  return html`<ul class="plain children">${data.incidents.map((one) => html`<li class="between" key=${one.id}>
      <span><${Severity} grade=${one.severity} word=${false} /> <a href=${link("incidents", one.id)}>${kindName(one.kind)} <span class="mono">${one.subject}</span></a></span>
      <span><${StatePill} state=${one.state} /> <span class="minor"><${Time} at=${one.due_at} /></span></span></li>`)}
    ${data.next ? html`<li><a href=${link("incidents", null, { muted: "only", muted_by: id, state: "all" })}>${t("list.more")}</a></li>` : null}
  </ul>`;
}
